"""An API that can seal, and a client of it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.aws.emulator import Aws
from tests.app.real import keys
from tests.app.real.conftest import Database, Served, Tenant, eventually, serving

PATH = "/v1/secrets/crm/login"
LAST_WRITE_WINS = {"vanta-concurrency": "last-write-wins"}


@pytest.fixture(scope="session")
def environment(aws: Aws) -> dict[str, str]:
    """The environment of an API that can seal."""
    return keys.environment(aws.endpoint, keys.make_key(aws))


@pytest.fixture(scope="session")
def sealed(
    database: Database, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A served API that can seal, its cache open, its log as talkative as can be."""
    with serving(
        database, tmp_path_factory.mktemp("sealed"), VANTA_LOG_LEVEL="debug", **environment
    ) as served:
        eventually(lambda: database.query("select state from vanta.cache_epoch")[0][0] == "open")
        yield served


@pytest.fixture
def client(sealed: Served, tenant: Tenant) -> Iterator[httpx.Client]:
    """Speaks to that API as ``tenant``."""
    with httpx.Client(base_url=sealed.url, headers=tenant.headers) as client:
        yield client


def put(client: httpx.Client, value: object, path: str = PATH, **more: object) -> httpx.Response:
    """Write ``value`` whatever is there."""
    return client.put(path, json={"value": value, **more}, headers=LAST_WRITE_WINS)


def events(database: Database, tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    """Types and data of the tenant's events about secrets, in order."""
    rows = database.query(
        "select type, data from vanta.outbox where tenant_id = $1 and type like 'vanta.secret.%' order by revision",
        tenant.id,
    )
    return [(kind.removeprefix("vanta.secret."), json.loads(data)) for kind, data in rows]
