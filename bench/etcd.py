"""An etcd of its own for a comparison, where one is installed."""

import shutil
import subprocess
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.machine import free_port


@dataclass(frozen=True, kw_only=True)
class Etcd:
    """A running etcd."""

    url: str
    process: psutil.Process


@contextmanager
def etcd(folder: Path) -> Generator[Etcd | None]:
    """A single etcd that is durable, as it is by default; None where none is installed."""
    command = shutil.which("etcd")
    if command is None:
        yield None
        return
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    options = f"--data-dir {folder} --listen-client-urls {client} --advertise-client-urls {client} --listen-peer-urls {peer}"
    process = subprocess.Popen(
        [command, *options.split()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"{client}/health"):  # noqa: S310 - our own URL
                break
            time.sleep(0.05)
        yield Etcd(url=client, process=psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()
