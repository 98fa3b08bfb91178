"""Images in the node's own store: there is no registry here, and nothing is pulled."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from local.cluster.tool import run

PAUSE = "localhost/pause:1"
# As `make image` calls it.
API = "docker.io/library/vanta-api:latest"
_OCI = "application/vnd.oci.image"


def load(socket: Path, archive: Path) -> list[str]:
    """Put the images of ``archive`` (OCI, or the format of ``docker save``) where pods find them; return their names."""
    said = run("ctr", "--address", str(socket), "--namespace", "k8s.io", "images", "import", str(archive))
    return [line.split()[1] for line in said.splitlines() if line.startswith("unpacking ")]


def tag(socket: Path, name: str, further: str) -> None:
    """Give the image ``name`` a ``further`` name."""
    run("ctr", "--address", str(socket), "--namespace", "k8s.io", "images", "tag", "--force", name, further)


def names(socket: Path) -> list[str]:
    """The images that the node has."""
    return run("ctr", "--address", str(socket), "--namespace", "k8s.io", "images", "list", "-q").split()


def write_program(archive: Path, name: str, program: Path) -> None:
    """Write the OCI image ``name`` that holds nothing but the static ``program``, and runs it."""
    layer = _tar({program.name: (program.read_bytes(), 0o755)})
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _described(f"{_OCI}.config.v1+json", config),
            "layers": [_described(f"{_OCI}.layer.v1.tar", layer)],
        }
    )
    listed = {
        **_described(f"{_OCI}.manifest.v1+json", manifest),
        "annotations": {"io.containerd.image.name": name},
    }
    files = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json({"schemaVersion": 2, "manifests": [listed]}),
        **{f"blobs/sha256/{_digest(blob)[7:]}": blob for blob in (layer, config, manifest)},
    }
    archive.write_bytes(_tar({path: (content, 0o644) for path, content in files.items()}))


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, (content, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _described(kind: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document).encode()
