"""Reading an image from the archive that ``docker save`` and buildah write."""

import gzip
import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any


class Image:
    """An image in an archive; ``config`` is the part of its configuration that says how to run it."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        (manifest,) = json.loads(self._read("manifest.json"))
        self._names: list[str] = manifest["Layers"]
        document = json.loads(self._read(manifest["Config"]))
        self.config: dict[str, Any] = document["config"]
        #: sha256 of each uncompressed layer, lowest first: equal when the files are.
        self.layers: list[str] = document["rootfs"]["diff_ids"]

    def files(self, layer: int) -> dict[str, tarfile.TarInfo]:
        """The entries of one layer by name."""
        with tarfile.open(self._archive) as archive:
            member = archive.extractfile(self._names[layer])
            with tarfile.open(fileobj=member) as content:
                return {entry.name: entry for entry in content}

    def sizes(self) -> list[dict[str, int]]:
        """Bytes of each layer, as it is and compressed as a registry holds it (gzip, level 6)."""
        contents = [self._read(name) for name in self._names]
        return [{"bytes": len(c), "gzipBytes": len(gzip.compress(c, 6, mtime=0))} for c in contents]

    def unpack(self, folder: Path) -> None:
        """Lay the layers over each other in ``folder``, with their owners: needs root."""
        # It becomes the root folder, which everybody may pass.
        folder.chmod(0o755)
        with tarfile.open(self._archive) as archive:
            for name in self._names:
                with tarfile.open(fileobj=archive.extractfile(name)) as content:
                    # The filter `tar` keeps owners and refuses what would leave the folder.
                    content.extractall(folder, filter="tar", numeric_owner=True)

    def verify(self) -> bool:
        """Whether each layer is what its digest says."""
        return self.layers == [
            f"sha256:{hashlib.sha256(self._read(name)).hexdigest()}" for name in self._names
        ]

    def _read(self, name: str) -> bytes:
        with tarfile.open(self._archive) as archive:
            member = archive.extractfile(name)
            assert member is not None  # noqa: S101 - the manifest names files, not folders
            return member.read()
