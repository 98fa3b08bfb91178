"""A reduced document of kinds, kept compressed beside the code."""

import functools
import gzip
import json
from pathlib import Path
from typing import Any


class Document:
    """The document of that name in this folder."""

    def __init__(self, name: str) -> None:
        self._path = Path(__file__).with_name(name)

    @functools.cached_property
    def content(self) -> dict[str, Any]:
        """What it holds, read once."""
        return json.loads(gzip.decompress(self._path.read_bytes()))

    def write(self, content: dict[str, Any]) -> None:
        """Keep ``content``; the same content is the same bytes."""
        text = json.dumps(content, separators=(",", ":"), sort_keys=True)
        self._path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
