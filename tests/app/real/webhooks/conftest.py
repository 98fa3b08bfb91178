"""A receiver, and who delivers to it the events of a database of their own."""

from collections.abc import Generator

import asyncpg
import pytest

from app.events import deliveries as module
from app.events.deliveries import Deliveries
from app.events.outbox import Outbox
from app.events.post import Poster
from app.events.webhooks import ROOM, Webhooks
from app.secrets.data_keys import DataKeys
from app.secrets.envelope import Envelope
from tests.app.real.conftest import Database, command, create_database
from tests.conftest import PostgresServer, RedisServer

from .process import ATTEMPTS, FakeKms, Process
from .receiver import Receiver


@pytest.fixture
def receiver() -> Generator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def database(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """A database of this module: nobody else delivers its events."""
    made = create_database(postgres, tmp_path_factory.mktemp("webhooks"), redis_server)
    assert command(made, "migrate").returncode == 0
    return made


@pytest.fixture
def process(pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> Process:
    monkeypatch.setattr(module, "FIRST_WAIT_SECONDS", 0)
    webhooks = Webhooks(pool, Envelope(DataKeys(pool, FakeKms(), seconds=1, days=30), ROOM))
    return Process(
        webhooks=webhooks,
        deliveries=Deliveries(pool, Outbox(pool), webhooks, Poster(private=True), attempts=ATTEMPTS),
    )
