"""How operators ask: every command of ``python -m app``."""

from app.cli.commands import main

__all__ = ["main"]
