"""Digests of files: whether what a step was made from is still what it was."""

import hashlib
from pathlib import Path


def digest(*paths: Path) -> str:
    """A digest of the names and contents of the files at and below ``paths``."""
    total = hashlib.sha256()
    for root in paths:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and path.suffix != ".pyc":
                total.update(path.relative_to(root.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]
