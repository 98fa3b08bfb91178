"""A Redis here speaks TLS + AUTH as ElastiCache does, and forgets everything when it dies."""

import os
import shutil
import signal
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.home import Home
from local.ports import Ports
from local.processes import Processes
from local.redis import ParameterError, Redis, RedisError, check

if TYPE_CHECKING:
    from tests.conftest import RedisServer


def ask(server: "RedisServer | Redis", *lines: str) -> list[str]:
    """Send inline commands over TLS and return the first line of each answer."""
    context = ssl.create_default_context(cafile=server.ca)
    with (
        context.wrap_socket(socket.socket(), server_hostname=server.host) as secure,
        secure.makefile("rwb") as stream,
    ):
        secure.settimeout(10)
        secure.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure.connect((server.host, server.port))
        answers = []
        for line in lines:
            stream.write(f"{line}\r\n".encode())
            stream.flush()
            answers.append(stream.readline().decode().strip())
        return answers


@pytest.fixture
def server(home: Home) -> Redis:
    port = Ports(home).claim("cache")
    server = Redis(home=home, folder=home.folder("caches", "main"), name="cache", host="127.0.0.1", port=port)
    server.configure(tokens=["first-token"], parameters={"maxmemory-policy": "noeviction"})
    server.start()
    return server


def test_a_client_speaks_tls_and_authenticates(redis_server: "RedisServer") -> None:
    assert ask(redis_server, "PING", f"AUTH {redis_server.token}", "PING")[1:] == ["+OK", "+PONG"]


def test_without_or_with_a_wrong_token_nothing_is_answered(redis_server: "RedisServer") -> None:
    unauthenticated, wrong, still = ask(redis_server, "PING", "AUTH guess", "GET key")
    assert unauthenticated.startswith("-NOAUTH")
    assert wrong.startswith("-WRONGPASS")
    assert still.startswith("-NOAUTH")


def test_clear_text_gets_no_answer(redis_server: "RedisServer") -> None:
    with socket.create_connection((redis_server.host, redis_server.port), timeout=10) as plain:
        plain.sendall(b"PING\r\n")
        try:
            answer = plain.recv(100)
        except ConnectionResetError:
            answer = b""
    assert b"PONG" not in answer
    assert b"NOAUTH" not in answer


def test_a_large_value_passes_the_tls_front_unchanged(redis_server: "RedisServer") -> None:
    value = "x" * 40_000
    commands = [f"AUTH {redis_server.token}", *[f"APPEND big {value}"] * 50, "STRLEN big", "DEL big"]
    assert ask(redis_server, *commands)[-2:] == [f":{50 * 40_000}", ":1"]


def test_a_deep_folder_is_no_problem_for_the_unix_socket(home: Home) -> None:
    folder = home.folder("caches", "x" * 100, "y" * 100)
    server = Redis(home=home, folder=folder, name="deep", host="127.0.0.1", port=Ports(home).claim("deep"))
    server.configure(tokens=["token"])
    server.start()
    assert ask(server, "AUTH token", "PING")[-1] == "+PONG"


def test_a_rotated_token_works_beside_the_old_one_without_losing_data(server: Redis) -> None:
    ask(server, "AUTH first-token", "SET key value")
    server.apply(tokens=["first-token", "second-token"])
    assert ask(server, "AUTH first-token", "GET key")[-1] == "$5"
    assert ask(server, "AUTH second-token", "GET key")[-1] == "$5"
    server.apply(tokens=["second-token"])
    assert ask(server, "AUTH first-token")[0].startswith("-WRONGPASS")


def test_parameters_reach_the_running_engine(server: Redis) -> None:
    assert server.query("CONFIG", "GET", "maxmemory-policy").split() == ["maxmemory-policy", "noeviction"]
    server.apply(
        tokens=["first-token"],
        parameters={"maxmemory-policy": "allkeys-lfu", "reserved-memory-percent": "25"},
    )
    assert server.query("CONFIG", "GET", "maxmemory-policy").split() == ["maxmemory-policy", "allkeys-lfu"]


@pytest.mark.parametrize("name", ["cache", "cache-tls"])
def test_a_killed_process_comes_back_by_plain_start(server: Redis, name: str) -> None:
    process = Processes(server.home).running(name)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    server.start()
    assert ask(server, "AUTH first-token", "PING")[-1] == "+PONG"


@pytest.mark.parametrize(
    "parameters", [{"maxmemory-policy": "sometimes"}, {"no-such-parameter": "1"}, {"save": "1 1"}]
)
def test_a_parameter_the_engine_refuses_is_named(parameters: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match=next(iter(parameters))):
        check(parameters)


def test_a_value_cannot_smuggle_in_another_directive() -> None:
    with pytest.raises(ParameterError):
        check({"maxmemory-policy": 'noeviction"\nprotected-mode "no'})


def test_a_server_that_cannot_start_shows_its_log_and_is_not_left_running(server: Redis) -> None:
    other = replace(server, name="other", folder=server.folder.with_name("other"))
    other.configure(tokens=["token"])
    with pytest.raises(RedisError, match="address already in use"):
        other.start()
    assert {process.command.name for process in Processes(server.home).all()} == {"cache", "cache-tls"}


def test_the_token_is_in_no_file(server: Redis) -> None:
    files = [path for path in server.home.root.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"first-token" in Path(path).read_bytes()]


def test_it_is_found_and_stopped_after_the_home_was_deleted(server: Redis) -> None:
    started = {process.pid for process in Processes(server.home).all()}
    shutil.rmtree(server.home.root)
    assert started <= {process.pid for process in Processes(server.home).orphans()}
    Processes(server.home).stop_orphans()
    assert Processes(server.home).orphans() == []
