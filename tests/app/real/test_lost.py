"""What a fail-over lost is said exactly: which changes of which tenant, and nothing that both databases have."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from app.settings import Settings
from local.home import Home
from local.ports import Ports
from local.postgres import Postgres
from tests.conftest import PostgresServer, RedisServer

from .conftest import Database, command, create_database


@dataclass(frozen=True, kw_only=True)
class Parted:
    """Two databases that were one until ``part``; ``old`` is the one that was left."""

    old: Database
    new: Database
    part: Callable[[], None]

    def tenant(self, name: str, *subjects: str) -> UUID:
        """A tenant of the old one, with an event for each of ``subjects``."""
        rows = self.old.query("insert into vanta.tenant (name) values ($1) returning tenant_id", name)
        self.old.query("insert into vanta.tenant_head (tenant_id) values ($1)", rows[0][0])
        self.emit(self.old, rows[0][0], *subjects)
        return rows[0][0]

    def emit(self, database: Database, tenant: UUID, *subjects: str) -> None:
        for subject in subjects:
            database.query("select vanta.emit($1, 't', $2, null, '{}')", tenant, subject)

    def lost(self) -> dict[str, dict[str, Any]]:
        """What the command says, by tenant."""
        port = self.old.environment["VANTA_DATABASE_PORT"]
        done = command(self.new, "dr", "lost", "--host", "127.0.0.1", "--port", port, "--json")
        assert done.returncode == 0, done.stderr
        return {tenant["name"]: tenant for tenant in json.loads(done.stdout)}


@pytest.fixture
def parted(
    postgres: PostgresServer, redis_server: RedisServer, session_home: Home, tmp_path: Any
) -> Iterator[Parted]:
    """A database and its standby, which :attr:`Parted.part` promotes."""
    old = create_database(postgres, tmp_path, redis_server)
    assert command(old, "migrate").returncode == 0
    port = Ports(session_home).claim("standby", hosts=session_home.addresses)
    standby = Postgres(
        home=session_home,
        folder=session_home.folder("databases", "standby"),
        name="standby",
        host="127.0.0.1",
        port=port,
    )
    standby.clone(postgres.server)
    standby.start()
    environment = {**old.environment, "VANTA_DATABASE_PORT": str(port)}

    def part() -> None:
        position = postgres.server.query("SELECT pg_current_wal_flush_lsn()")
        end = time.monotonic() + 30
        while standby.query("SELECT pg_last_wal_replay_lsn() >= :'position'", position=position) != "t":
            assert time.monotonic() < end
            time.sleep(0.02)
        standby.promote()

    yield Parted(
        old=old,
        new=replace(old, environment=environment, settings=Settings.from_environment(environment)),
        part=part,
    )
    standby.stop()
    standby.remove(primary=postgres.server)


def test_each_tenants_lost_changes_are_listed(parted: Parted) -> None:
    both = parted.tenant("both", "a", "b")
    same = parted.tenant("same", "a")
    parted.part()
    parted.emit(parted.old, both, "c", "d")
    young = parted.tenant("young", "x")
    # The new leader goes on, with the same revisions.
    parted.emit(parted.new, both, "e", "f", "g")
    parted.emit(parted.new, same, "h")
    lost = parted.lost()
    assert {name: [event["subject"] for event in of["events"]] for name, of in lost.items()} == {
        "both": ["c", "d"],
        "young": ["x"],
    }
    assert [event["revision"] for event in lost["both"]["events"]] == [3, 4]
    assert lost["young"]["tenant"] == str(young)
    assert all(of["complete"] for of in lost.values())


def test_nothing_is_lost_where_everything_arrived(parted: Parted) -> None:
    tenant = parted.tenant("whole", *"abc")
    parted.tenant("idle")
    parted.part()
    parted.emit(parted.new, tenant, "d")
    assert parted.lost() == {}


def test_what_cannot_be_known_any_more_is_not_claimed(parted: Parted) -> None:
    tenant = parted.tenant("swept", *"abc")
    parted.part()
    parted.emit(parted.old, tenant, "d")
    parted.old.query("delete from vanta.outbox where tenant_id = $1 and revision < 4", tenant)
    swept = parted.lost()["swept"]
    assert ([event["subject"] for event in swept["events"]], swept["complete"]) == (["d"], False)
    parted.emit(parted.new, tenant, "e")
    parted.new.query("delete from vanta.outbox where tenant_id = $1", tenant)
    assert parted.lost()["swept"] == {"tenant": str(tenant), "name": "swept", "events": [], "complete": False}
