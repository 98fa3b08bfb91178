"""Any pulumi command with the in-process providers attached, against an emulator that lives as long as the command."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.program import program
from local.aws.emulator import ACCOUNT, Aws
from local.console import Console
from local.home import Home
from local.processes import Processes
from local.provider.aws.provider import AwsProvider
from local.provider.kubernetes.provider import KubernetesProvider
from local.provider.random import RandomProvider
from local.provider.server import serving
from local.pulumi.engine import build_engine, find_engine
from local.pulumi.language import speaking


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


def run(command: Sequence[str], console: Console) -> int:
    """Run ``command`` and return its exit code; whatever it created in the emulator is gone afterwards.

    Its ``pulumi`` is the engine that ``make up`` would use. One without a language host, as we build it, gets the program
    from this process.

    Raises:
        EngineError: there is no engine, and none could be built.
    """
    engine = find_engine()
    if engine is None:
        with console.step("pulumi engine") as step:
            engine = build_engine(lambda done, total: step.report("compiling", done, total))
    path = f"{engine.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    with (
        temporary_aws() as aws,
        serving(AwsProvider(aws.endpoint, ACCOUNT), KubernetesProvider(), RandomProvider()) as providers,
        speaking(program) as language,
    ):
        environment = {**os.environ, "PATH": path, "PULUMI_DEBUG_PROVIDERS": providers}
        if shutil.which("pulumi-language-python", path=path) is None:
            environment["PULUMI_DEBUG_LANGUAGES"] = language
        return subprocess.run(list(command), env=environment, check=False).returncode
