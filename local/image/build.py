"""Building: with the container engine that runs here, else with buildah."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import platformdirs

from local.home import REPOSITORY
from local.image import base

TAG = "vanta-api:latest"
CACHE = Path(platformdirs.user_cache_dir("vanta")) / "image"
ARCHIVE = CACHE / "vanta-api.tar"


class BuildError(Exception):
    """The image cannot be built here; the message says why and what to do."""


def build(archive: Path, *, fresh: bool = False) -> str:
    """Write the image to ``archive`` (the format of ``docker load``) and return the name of what built it.

    ``fresh`` uses no layer and no download of an earlier build. Raises :class:`BuildError`.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    # docker-archive is never overwritten by buildah.
    archive.unlink(missing_ok=True)
    engine = running_engine()
    if engine:
        _run([engine, "build", *_secret(), *(["--no-cache"] if fresh else []), "--tag", TAG, str(REPOSITORY)])
        _run([engine, "save", "--output", str(archive), TAG])
        return engine
    if os.geteuid() or not all(shutil.which(tool) for tool in ("buildah", "mmdebstrap")):
        raise BuildError(
            "No container engine runs here, and building without one needs root and two packages: "
            "start Docker or Podman, or as root `apt-get install buildah mmdebstrap`."
        )
    with tempfile.TemporaryDirectory(prefix="vanta-image-") as scratch:
        # buildah keeps the downloads of `--mount=type=cache` in its temporary folder.
        downloads = Path(scratch) / "downloads" if fresh else CACHE / "downloads"
        downloads.mkdir(parents=True, exist_ok=True)
        buildah = Buildah(runroot=Path(scratch) / "run", downloads=downloads)
        base.ensure(buildah, CACHE / "base")
        names = ["--build-arg", f"BASE={base.BASE}", "--build-arg", f"UV={base.UV}"]
        buildah.build(REPOSITORY, TAG, *names, *_secret())
        buildah("push", "--quiet", TAG, f"docker-archive:{archive}:{TAG}")
        # The containers of its stages and the image that it replaced would stay for ever.
        buildah("rm", "--all")
        buildah("rmi", "--prune", "--force")
    return "buildah"


def running_engine() -> str | None:
    """``docker`` or ``podman`` if it answers."""
    for engine in ("docker", "podman"):
        if (
            shutil.which(engine)
            and subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0
        ):
            return engine
    return None


class Buildah:
    """buildah with a storage of its own in the user's cache; ``vfs`` needs nothing of the kernel."""

    def __init__(self, *, runroot: Path, downloads: Path) -> None:
        places = ["--root", str(CACHE / "storage"), "--runroot", str(runroot), "--storage-driver", "vfs"]
        self._command = ["buildah", *places]
        self._environment = {**os.environ, "TMPDIR": str(downloads)}

    def __call__(self, *arguments: str) -> str:
        """Run one command and return what it prints."""
        return _run([*self._command, *arguments], self._environment)

    def build(self, folder: Path, tag: str, *arguments: str) -> None:
        """Build the Dockerfile of ``folder``."""
        # chroot and the host's network: the default ones would change the machine's firewall.
        isolation = ["--isolation", "chroot", "--network", "host", "--pull-never"]
        # The time of every file and of the image; OCI's own format has no health check.
        form = ["--timestamp", "0", "--format", "docker"]
        self("build", "--quiet", *isolation, *form, *arguments, "--tag", tag, str(folder))


def _secret() -> list[str]:
    ca = os.environ.get("SSL_CERT_FILE")
    return ["--secret", f"id=ca,src={ca}"] if ca else []


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"`{command[0]}` failed, mend what it says and repeat:\n{done.stderr[-4000:]}")
    return done.stdout
