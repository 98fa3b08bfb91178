"""The state API as a process of a home: migrated, served, ready, with a first tenant."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

from local.console import Console
from local.digest import digest
from local.home import REPOSITORY, Home, write
from local.processes import Command, Process, Processes

NAME = "api"
TENANT = "demo"
READY_SECONDS = 60


class ApiError(Exception):
    """The API or one of its commands failed; the message carries its own words."""


def serve(home: Home, environment: Mapping[str, str], console: Console) -> bool:
    """Migrate the database and serve the API; whether that was needed, for it may serve already what it should.

    Raises:
        ApiError: a command failed, or the API did not become ready.
    """
    processes = Processes(home)
    wanted = Command(
        name=NAME,
        argv=[sys.executable, "-m", "app", "serve"],
        cwd=REPOSITORY,
        # The digest restarts it when its code has changed.
        environment={**environment, "VANTA_BUILD": digest(REPOSITORY / "app")},
    )
    running = processes.running(NAME)
    serves = running is not None and running.command == wanted and _ready(url(environment))
    if not serves:
        with console.step("migrate database"):
            run(environment, "migrate")
        with console.step("state api") as step:
            processes.stop(NAME)
            _await_ready(processes.start(wanted), url(environment))
            write(home.root / "url", url(environment))
            step.outcome = url(environment)
    if not (home.root / "api-key").exists():
        write(home.root / "api-key", first_key(environment))
    return not serves


def first_key(environment: Mapping[str, str]) -> str:
    """The key of a first tenant; of another one where its key has been lost, for a key is shown only once."""
    try:
        created = run(environment, "tenant", "create", TENANT, "--json")
    except ApiError:
        created = run(environment, "tenant", "create", f"{TENANT}-{secrets.token_hex(4)}", "--json")
    return json.loads(created)["apiKey"]


def url(environment: Mapping[str, str]) -> str:
    """Where the API of ``environment`` answers."""
    return f"http://{environment['VANTA_LISTEN_HOST']}:{environment['VANTA_LISTEN_PORT']}"


def run(environment: Mapping[str, str], *arguments: str) -> str:
    """Run the operators' command and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ApiError(f"`python -m app {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def _await_ready(process: Process, address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _ready(address):
        if process.handle() is None or time.monotonic() > deadline:
            raise ApiError(f"The state API did not become ready; {process.log} ends with:\n{process.tail()}")
        time.sleep(0.05)


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=2) as response:  # noqa: S310 - the URL is our own
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
