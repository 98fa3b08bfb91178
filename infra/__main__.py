"""Entry point of the language host, which runs this folder without the project being installed."""

import sys
from pathlib import Path

# A language host puts this folder on the path, not the one above it, where `infra` is importable as a package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from infra.program import program

program()
