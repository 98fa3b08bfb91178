"""A group whose further commands are loaded when they are asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class OnDemand(click.Group):
    """What one command needs would else be imported at each start of every other, a container's health check included.

    ``elsewhere`` has the module and the attribute of each command that is loaded on demand. Source: click's documentation,
    "Lazily Loading Subcommands".
    """

    def __init__(self, *, elsewhere: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(**options)
        self._elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those here and elsewhere, in the order of their names."""
        return sorted([*super().list_commands(ctx), *self._elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name in self._elsewhere:
            module, attribute = self._elsewhere[cmd_name]
            return getattr(import_module(module), attribute)
        return super().get_command(ctx, cmd_name)
