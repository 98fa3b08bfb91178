"""An image made by hand is what its digests say."""

import hashlib
import json
import tarfile
from pathlib import Path

from local.cluster.images import PAUSE, write_program


def test_every_blob_is_what_its_digest_says_and_the_program_is_run(tmp_path: Path) -> None:
    program, archive = tmp_path / "pause", tmp_path / "pause.tar"
    program.write_bytes(b"\x7fELF")
    write_program(archive, PAUSE, program)
    with tarfile.open(archive) as tar:
        blobs = {}
        for entry in tar:
            content = tar.extractfile(entry)
            assert content is not None
            blobs[entry.name] = content.read()
    for name, content in blobs.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.rpartition("/")[2]
    (listed,) = json.loads(blobs["index.json"])["manifests"]
    assert listed["annotations"]["io.containerd.image.name"] == PAUSE
    manifest = json.loads(blobs[f"blobs/sha256/{listed['digest'][7:]}"])
    config = json.loads(blobs[f"blobs/sha256/{manifest['config']['digest'][7:]}"])
    assert config["config"] == {"Entrypoint": ["/pause"], "User": "65535:65535"}
