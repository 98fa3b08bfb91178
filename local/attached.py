"""Any pulumi command with the in-process providers attached, against an emulator that lives as long as the command."""

import os
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.aws.emulator import ACCOUNT, Aws
from local.home import Home
from local.processes import Processes
from local.provider.aws.provider import AwsProvider
from local.provider.kubernetes.provider import KubernetesProvider
from local.provider.random import RandomProvider
from local.provider.server import serving


@contextmanager
def temporary_aws() -> Generator[Aws]:
    """An emulator of its own, gone with all that was created in it when the block ends."""
    with tempfile.TemporaryDirectory(prefix="vanta-") as folder:
        home = Home.at(Path(folder) / "home")
        aws = Aws(home)
        try:
            aws.start()
            yield aws
        finally:
            Processes(home).stop_all()


def run(command: Sequence[str]) -> int:
    """Run ``command`` and return its exit code; whatever it created in the emulator is gone afterwards."""
    with (
        temporary_aws() as aws,
        serving(AwsProvider(aws.endpoint, ACCOUNT), KubernetesProvider(), RandomProvider()) as providers,
    ):
        environment = {**os.environ, "PULUMI_DEBUG_PROVIDERS": providers}
        return subprocess.run(list(command), env=environment, check=False).returncode
