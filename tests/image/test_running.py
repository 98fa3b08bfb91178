"""The image at work: its own user, no capability, a read-only root."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.image.container import Container

Make = Callable[..., Container]
PROBE = """
import json, os, pathlib, sys
def writable(path):
    try:
        (pathlib.Path(path) / "probe").write_text("x")
    except OSError as error:
        return error.strerror
    return "written"
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
    "capabilities": [status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd")],
    "writes": {path: writable(path) for path in ("/", "/tmp", "/opt/vanta", "/var/tmp")},
}))
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Secret files as a pod sees them; nothing here is reached with them."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    login = json.dumps({"username": "nobody", "password": "nothing"})
    files = {"database-app": login, "database-master": login, "cache": json.dumps({"authToken": "nothing"})}
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def environment(port: int, **more: str) -> dict[str, str]:
    """Settings that are complete, with engines that are not there."""
    engines = {
        f"VANTA_{kind}_{part}": value for kind in ("DATABASE", "CACHE") for part, value in NOWHERE.items()
    }
    listen = {"VANTA_LISTEN_HOST": "127.0.0.1", "VANTA_LISTEN_PORT": str(port), "VANTA_DRAIN_SECONDS": "1"}
    return {
        **engines,
        "VANTA_DATABASE_NAME": "vanta",
        "VANTA_SECRETS_DIR": "/run/secrets/vanta",
        **listen,
        **more,
    }


# Port 1 refuses at once.
NOWHERE: Mapping[str, str] = {"HOST": "127.0.0.1", "PORT": "1"}


def _answers(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    pytest.fail(f"{url} never answered; exit code {process.poll()}")


def test_it_can_do_nothing_but_run(container: Make) -> None:
    done = container("-c", PROBE, entrypoint=["python"]).run()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["uid"], found["gid"], found["groups"]) == (65532, 65532, [])
    assert found["capabilities"] == ["0" * 16] * 3
    assert set(found["writes"].values()) == {"Read-only file system"}


def test_help_names_every_command(container: Make) -> None:
    done = container("--help").run()
    assert done.returncode == 0, done.stderr
    assert all(command in done.stdout for command in ("serve", "migrate", "tenant", "health"))


def test_it_knows_its_version(container: Make) -> None:
    assert "0.1.0" in container("--version").run().stdout


def test_no_module_of_it_is_compiled_again_at_a_start(container: Make) -> None:
    done = container("-v", "-m", "app", "--help", entrypoint=["python"]).run()
    own = [
        line
        for line in done.stderr.splitlines()
        if line.startswith("# code object from") and "/opt/vanta" in line
    ]
    assert own
    assert not [line for line in own if line.rstrip("'").endswith(".py")]


def test_the_health_check_fails_in_one_sentence_without_a_server(container: Make, port: int) -> None:
    done = container("health", environment={"VANTA_LISTEN_PORT": str(port)}).run()
    assert done.returncode == 3
    assert done.stderr.strip().splitlines() == [
        f"http://127.0.0.1:{port} does not answer ([Errno 111] Connection refused): is it running?"
    ]


def test_without_settings_it_refuses_in_one_sentence(container: Make) -> None:
    done = container("serve").run()
    assert done.returncode == 4
    assert (
        done.stderr.strip()
        == "VANTA_DATABASE_HOST is not set: set it to what the stack's output appEnvironment says."
    )


def test_as_the_first_process_it_serves_and_ends_on_sigterm(
    container: Make, port: int, secrets: Path
) -> None:
    mounts = {"/run/secrets/vanta": secrets}
    served = container("serve", environment=environment(port), mounts=mounts)
    process = served.start()
    _answers(f"http://127.0.0.1:{port}/healthz", process)
    health = container("health", environment={"VANTA_LISTEN_PORT": str(port)}).run()
    # It lives, and says which engine it is waiting for.
    assert health.returncode == 1, health.stderr
    assert "unready" in health.stdout
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_it_migrates_a_real_database_and_serves_it(
    container: Make, port: int, secrets: Path, postgres: Any, redis_server: Any
) -> None:
    master = {"username": postgres.username, "password": postgres.password}
    app = {"username": "vanta_image", "password": "a password"}
    (secrets / "database-master").write_text(json.dumps(master))
    (secrets / "database-app").write_text(json.dumps(app))
    (secrets / "cache").write_text(json.dumps({"authToken": redis_server.token}))
    shutil.copy(postgres.ca, secrets / "ca.pem")
    (secrets / "ca.pem").chmod(0o644)
    ca = "/run/secrets/vanta/ca.pem"
    settings = environment(
        port,
        VANTA_DATABASE_HOST=postgres.host,
        VANTA_DATABASE_PORT=str(postgres.port),
        VANTA_DATABASE_NAME=postgres.database,
        VANTA_DATABASE_CA=ca,
        VANTA_CACHE_HOST=redis_server.host,
        VANTA_CACHE_PORT=str(redis_server.port),
        VANTA_CACHE_CA=ca,
    )
    mounts = {"/run/secrets/vanta": secrets}
    migrated = container("migrate", environment=settings, mounts=mounts).run()
    assert migrated.returncode == 0, migrated.stderr
    made = container("tenant", "create", "image", "--json", environment=settings, mounts=mounts).run()
    key = json.loads(made.stdout)["apiKey"]
    process = container("serve", environment=settings, mounts=mounts).start()
    url = f"http://127.0.0.1:{port}"
    _answers(f"{url}/readyz", process)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    document = f"{url}/v1/state/notes/first"
    assert httpx.put(document, content=b'{"hello":"world"}', headers=headers).is_success
    assert httpx.get(document, headers=headers).content == b'{"hello":"world"}'
    assert container("health", environment={"VANTA_LISTEN_PORT": str(port)}).run().returncode == 0
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
