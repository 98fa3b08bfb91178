"""Two databases of one past are compared document by document, whatever the outbox still knows."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.db import postgres as app_postgres
from app.recovery import difference
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, command, create_database, run


@pytest.fixture
def sides(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Database, Database]:
    """The database of now and that of then."""

    def made(folder: Path) -> Database:
        database = create_database(postgres, folder, redis_server)
        assert command(database, "migrate").returncode == 0
        return database

    return made(tmp_path_factory.mktemp("now")), made(tmp_path_factory.mktemp("then"))


@pytest.fixture
def compared(sides: tuple[Database, Database]) -> Callable[[], list[dict[str, Any]]]:
    """``compared()``: what differs, as the command prints it."""

    async def compare() -> list[difference.Difference]:
        now, then = [await app_postgres.connect(side.settings, "database-master") for side in sides]
        try:
            return await difference.compare(now, then)
        finally:
            await now.close()
            await then.close()

    return lambda: json.loads(msgspec.json.encode(run(compare())))


def put(database: Database, tenant: uuid.UUID, **revisions: int) -> None:
    """Documents of collection ``c``, each at its revision, without an event."""
    database.query(
        "insert into vanta.tenant (tenant_id, name) values ($1, $1::uuid::text) on conflict do nothing",
        tenant,
    )
    for key, revision in revisions.items():
        database.query(
            "insert into vanta.document (tenant_id, collection, key, revision, digest) values ($1, 'c', $2, $3, $3::bigint::text)",
            tenant,
            key,
            revision,
        )


def test_each_document_that_differs_is_named_with_both_revisions(
    sides: tuple[Database, Database],
    compared: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Pages shorter than what there is, on both sides at different places.
    monkeypatch.setattr(difference, "_PAGE", 2)
    now, then = sides
    tenant, same = uuid.uuid4(), uuid.uuid4()
    put(now, tenant, a=1, b=5, d=6, e=4, f=7)
    put(then, tenant, a=1, b=2, c=3, e=4)
    put(now, same, a=1)
    put(then, same, a=1)
    (found,) = compared()
    assert (found["tenant"], found["events"]) == (str(tenant), [])
    assert [(one["key"], one["then"], one["now"]) for one in found["documents"]] == [
        ("b", 2, 5),
        ("c", 3, None),
        ("d", None, 6),
        ("f", None, 7),
    ]


def test_a_tenant_of_one_side_alone_is_compared_too(
    sides: tuple[Database, Database], compared: Callable[[], list[dict[str, Any]]]
) -> None:
    gone, young = uuid.uuid4(), uuid.uuid4()
    put(sides[1], gone, a=1)
    put(sides[0], young, b=1)
    found = {one["tenant"]: one["documents"][0] for one in compared()}
    assert (found[str(gone)]["then"], found[str(gone)]["now"]) == (1, None)
    assert (found[str(young)]["then"], found[str(young)]["now"]) == (None, 1)
