"""The API while an engine is cut off or frozen."""

import json
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from app.api.problems import TYPE_PREFIX
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, Served, Tenant, command, create_database, eventually, serving
from .proxy import Proxy

PATH = "/v1/state/agents/planner/7"
ANY = {"vanta-concurrency": "last-write-wins"}


@pytest.fixture(scope="module")
def proxies(postgres: PostgresServer, redis_server: RedisServer) -> Generator[tuple[Proxy, Proxy]]:
    """The networks to PostgreSQL and to Redis."""
    with Proxy(postgres.port) as database, Proxy(redis_server.port) as cache:
        yield database, cache


@pytest.fixture(scope="module")
def database(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A database of this module: its epoch is closed and opened."""
    made = create_database(postgres, tmp_path_factory.mktemp("faults"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@pytest.fixture(scope="module")
def api(
    database: Database, proxies: tuple[Proxy, Proxy], tmp_path_factory: pytest.TempPathFactory
) -> Generator[Served]:
    """An API that reaches its engines through the proxies."""
    through = {"VANTA_DATABASE_PORT": str(proxies[0].port), "VANTA_CACHE_PORT": str(proxies[1].port)}
    with serving(database, tmp_path_factory.mktemp("served"), **through) as served:
        yield served


@pytest.fixture(autouse=True)
def _healthy(proxies: tuple[Proxy, Proxy], api: Served) -> Generator[None]:
    """Each test begins and leaves with everything up."""
    eventually(lambda: api.status() == "ready")
    yield
    for proxy in proxies:
        proxy.restore()
    eventually(lambda: api.status() == "ready")


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_without_redis_every_request_still_succeeds(
    client: httpx.Client, proxies: tuple[Proxy, Proxy], api: Served, how: str
) -> None:
    client.put(PATH, json=0, headers=ANY)
    getattr(proxies[1], how)()
    for value in range(1, 4):
        assert client.get(PATH).json() == value - 1
        assert client.put(PATH, json=value, headers={"if-match": "*"}).status_code == 200
    eventually(lambda: api.status() == "degraded")
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["dependencies"]["cache"] == {"status": "down", "required": False}
    assert client.get(PATH).json() == 3
    proxies[1].restore()
    eventually(lambda: api.status() == "ready")
    assert client.get(PATH).json() == 3


def test_a_process_that_lost_redis_and_one_that_did_not_agree(
    client: httpx.Client, proxies: tuple[Proxy, Proxy], database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    with (
        serving(database, tmp_path) as second,
        httpx.Client(base_url=second.url, headers=tenant.headers) as other,
    ):
        eventually(lambda: database.query("select state from vanta.cache_epoch")[0][0] == "open")
        client.put(PATH, json=0, headers=ANY)
        assert other.get(PATH).json() == 0
        proxies[1].cut()
        for value in range(1, 10):
            assert client.put(PATH, json=value, headers={"if-match": "*"}).status_code == 200
            assert other.get(PATH).json() == value


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_without_postgres_nothing_is_pretended(
    client: httpx.Client, proxies: tuple[Proxy, Proxy], api: Served, how: str
) -> None:
    client.put(PATH, json=0, headers=ANY)
    getattr(proxies[0], how)()
    eventually(lambda: api.status() == "unready")
    assert client.get("/readyz").json()["dependencies"]["database"] == {"status": "down", "required": True}
    assert client.get("/healthz").status_code == 200
    refused = client.put(PATH, json=1, headers={"if-match": "*"}, timeout=30)
    assert refused.status_code == 503
    assert refused.json()["type"] == f"{TYPE_PREFIX}unavailable"
    assert refused.headers["retry-after"] == "1"
    proxies[0].restore()
    eventually(lambda: api.status() == "ready")
    assert client.put(PATH, json=2, headers={"if-match": "*"}).status_code == 200
    assert client.get(PATH).json() == 2


def test_an_authority_we_do_not_trust_is_no_database(database: Database) -> None:
    untrusting = Database(
        environment={**database.environment, "VANTA_DATABASE_CA": ""}, settings=database.settings
    )
    refused = command(untrusting, "migrate", "--plan")
    assert refused.returncode == 3
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


def test_a_rotated_database_password_works_without_a_restart(
    client: httpx.Client, database: Database, proxies: tuple[Proxy, Proxy]
) -> None:
    secret = Path(database.environment["VANTA_SECRETS_DIR"]) / "database-app"
    login = json.loads(secret.read_text())
    client.put(PATH, json=1, headers=ANY)
    secret.write_text(json.dumps({**login, "password": "rotated"}))
    assert command(database, "migrate").returncode == 0
    # Every connection has to be made anew.
    proxies[0].cut()
    proxies[0].restore()
    eventually(lambda: client.put(PATH, json=2, headers=ANY).status_code == 200)
