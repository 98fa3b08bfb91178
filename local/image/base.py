"""What stands in for the images of a registry: a Debian with Python, and uv."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

BASE, UV = "localhost/vanta-base:bookworm", "localhost/vanta-uv:latest"
_SUITE = "bookworm"
# What python:slim has beside Python itself; the trust store is for engines whose certificates are public.
_PACKAGES = "python3,ca-certificates"
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


class Builder(Protocol):
    """The part of buildah that is needed here."""

    def __call__(self, *arguments: str) -> str: ...
    def build(self, folder: Path, tag: str, *arguments: str) -> None: ...


def ensure(builder: Builder, folder: Path) -> None:
    """Make the two images if the builder does not have them; ``folder`` is scratch."""
    have = builder("images", "--format", "{{.Name}}:{{.Tag}}").split()
    folder.mkdir(parents=True, exist_ok=True)
    if BASE not in have:
        excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
        debian = ["mmdebstrap", "--quiet", "--variant=essential", f"--include={_PACKAGES}", *excluded]
        # Gives the archive the same bytes for the same packages.
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
        subprocess.run([*debian, _SUITE, str(folder / "base.tar")], check=True, env=environment)
        _image(builder, folder, BASE, "ADD base.tar /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n")
        (folder / "base.tar").unlink()
    if UV not in have:
        # The Makefile names the one that it found or installed.
        shutil.copy(os.environ["UV"], folder / "uv")
        _image(builder, folder, UV, "COPY uv /uv\n")
        (folder / "uv").unlink()


def _image(builder: Builder, folder: Path, tag: str, content: str) -> None:
    (folder / "Dockerfile").write_text(f"FROM scratch\n{content}")
    builder.build(folder, tag)
