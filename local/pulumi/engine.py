"""The Pulumi engine: the one on PATH, the one in the user's cache, or one built from its Go modules into that cache."""

import functools
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import platformdirs

from local import go

VERSION = "3.259.0"
# The oldest engine that the program is tried with: 3.253 brought what the Python SDK in the lock file asks for.
_MINIMUM = (3, 253, 0)
_MODULE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_SOURCE = Path(__file__).parent


class EngineError(Exception):
    """There is no engine, or it refused or failed; the message carries its own words and what to do."""


def find_engine(cache: Path | None = None) -> Path | None:
    """The command of an engine that is ready to run, or None; a ``pulumi`` on PATH that is too old is passed over."""
    on_path = shutil.which("pulumi")
    if on_path and version_of(Path(on_path)) >= _MINIMUM:
        return Path(on_path)
    built = _built(cache)
    return built if built.exists() else None


def build_engine(progress: go.Progress, cache: Path | None = None) -> Path:
    """Build the engine from its Go modules (about 5 minutes on 2 cores, 115 MB) and return its command.

    An interrupted build leaves nothing that a later call would take for an engine.

    Raises:
        EngineError: no Go tool chain can be had, or the build failed.
    """
    binary = _built(cache)
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
    try:
        go.build(_SOURCE, _MODULE, binary, flags=flags, progress=progress)
    except go.GoError as error:
        raise EngineError(
            f"The Pulumi engine could not be built: {error}\nFree 4 GB of disk and memory, or install Go, uv or "
            f"pulumi {VERSION} yourself, and run the command again."
        ) from None
    return binary


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
