"""Further versions of an image in a node's store: the same with files laid over it, for trying how versions follow each other."""

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.cluster.tool import run

SITE_PACKAGES = "opt/vanta/lib/python3.11/site-packages"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar"


def derive(socket: Path, image: str, name: str, files: Mapping[str, str]) -> None:
    """Make the image ``name``: ``image``, which the store at ``socket`` has, with ``files`` (content by path) over it.

    Only what is new is written; the layers below are known to the store by their digests.
    """
    ctr = ("ctr", "--address", str(socket), "--namespace", "k8s.io")
    listed = run(*ctr, "images", "list", f"name=={image}").splitlines()[1]
    manifest: dict[str, Any] = json.loads(run(*ctr, "content", "get", listed.split()[2]))
    config: dict[str, Any] = json.loads(run(*ctr, "content", "get", manifest["config"]["digest"]))
    layer = _tar({path: content.encode() for path, content in files.items()})
    config["rootfs"]["diff_ids"].append(_digest(layer))
    # Has to tell of as many layers as there are.
    config.pop("history", None)
    settings = json.dumps(config).encode()
    manifest["config"] = {**manifest["config"], "digest": _digest(settings), "size": len(settings)}
    manifest["layers"].append({"mediaType": _LAYER, "digest": _digest(layer), "size": len(layer)})
    described = json.dumps(manifest).encode()
    index = {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": manifest["mediaType"],
                "digest": _digest(described),
                "size": len(described),
                "annotations": {"io.containerd.image.name": name},
            }
        ],
    }
    blobs = {f"blobs/sha256/{_digest(blob)[7:]}": blob for blob in (layer, settings, described)}
    head = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        archive.write(_tar({**head, **blobs}))
        archive.flush()
        run(*ctr, "images", "import", archive.name)


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
