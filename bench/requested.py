"""The requests of :mod:`bench.rooms`, and what has to be there for them."""

import json
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import uuid4

import msgspec

from app.sessions import token
from app.sessions.session import Session
from bench import conversation
from bench.closed_loop import Target
from bench.served import Served
from client import Expect, Put, Vanta
from client.langgraph import VantaSaver

# 210 bytes, the size of a small state of an agent.
BODY = json.dumps({"state": "working", "step": 7, "plan": "x" * 168})
SECRET = json.dumps({"username": "agent", "password": "p" * 160})
SESSION_DATA = json.dumps({"user": "somebody", "roles": ["reader", "writer"]})
#: Documents and sessions that are read; pages of a hundred, secrets and conversations that are; keys that are written.
HOT, PAGES, SECRETS, THREADS, KEYS = 2000, 100, 1000, 64, 20_000
#: Conversations whose tasks write. As with secrets: PostgreSQL plans for the tables it has counted, and would read such that have
#: only hundreds of rows from end to end, and go on so while they grow, until it counts again within a minute.
WAITED = 1000
#: Rows that pgbench reads.
ROWS = 100_000
AGENT = "bench"
#: More than the API does in a second, of requests that can be sent once.
_REVOKED, _PUT, _WRITTEN = 10_000, 3000, 6000


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Requests of one kind, made for each round anew; of those that are ``once`` none does the same twice."""

    method: str
    headers: Mapping[str, str]
    targets: Callable[[], Sequence[Target]]
    once: bool = False


class Requested:
    """Requests to ``api``, as many as are sent in ``seconds``."""

    def __init__(self, api: Served, seconds: int) -> None:
        self._api = api
        self._seconds = seconds
        self._random = random.Random(7)  # noqa: S311 - the same keys in every run
        self._tokens: list[str] = []
        self._steps: list[conversation.Step] = []

    def load(self) -> None:
        """What is read, and the tables of pgbench."""
        with Vanta(self._api.url, self._api.key) as vanta:
            documents = [("hot", str(key)) for key in range(HOT)]
            documents += [("listed", f"p{page:02}/{key:02}") for page in range(PAGES) for key in range(100)]
            for first in range(0, len(documents), 100):
                vanta.documents.transact(
                    [
                        Put(collection=collection, key=key, value=json.loads(BODY), expect=Expect.ABSENT)
                        for collection, key in documents[first : first + 100]
                    ]
                )
            for number in range(SECRETS):
                vanta.secrets.put(f"read/{number}", json.loads(SECRET))
        with VantaSaver(self._api.url, self._api.key, AGENT) as saver:
            for thread in _threads("read", THREADS):
                for step in conversation.steps(thread):
                    conversation.put(saver, step)
                    conversation.put_writes(saver, step)
            self._steps = [next(conversation.steps(thread)) for thread in _threads("waited", WAITED)]
            for step in self._steps:
                conversation.put(saver, step)
        self._tokens = self._begun(HOT)
        api = self._api
        api.sql("create table public.pgbench_row (key int primary key, value text)")
        api.sql("create table public.pgbench_log (id bigserial primary key, value text)")
        rows = "insert into public.pgbench_row select n, $1::text from generate_series(0, $2::int - 1) n"
        api.sql(rows, BODY, ROWS)
        api.sql("vacuum analyze")
        api.sql("checkpoint")

    def kinds(self) -> dict[str, Kind]:
        """By name."""
        read, send, write = self._api.read, self._api.send, self._api.write
        checkpoints = f"/v1/agents/{AGENT}/threads/{{}}/checkpoints?limit={{}}"
        return {
            "document GET": Kind(
                method="GET",
                headers=read,
                targets=lambda: [Target(f"/v1/state/hot/{key}") for key in range(HOT)],
            ),
            "session read": Kind(method="GET", headers=read, targets=lambda: _presented(self._tokens)),
            "session create": Kind(
                method="POST",
                headers=send,
                targets=lambda: [
                    Target("/v1/sessions", f'{{"subject": "user-{number}", "data": {SESSION_DATA}}}')
                    for number in range(1000)
                ],
            ),
            "session revoke": Kind(
                method="DELETE",
                headers=read,
                targets=lambda: _presented(self._begun(_REVOKED * self._seconds)),
                once=True,
            ),
            "secret read": Kind(
                method="GET",
                headers=read,
                targets=lambda: [Target(f"/v1/secrets/read/{number}") for number in range(SECRETS)],
            ),
            "secret write": Kind(
                method="PUT",
                headers=write,
                targets=lambda: [
                    Target(f"/v1/secrets/written/{key}", f'{{"value": {SECRET}}}') for key in self._keys(5000)
                ],
            ),
            "document PUT": Kind(method="PUT", headers=write, targets=lambda: self.puts("written")),
            "transaction of 10": Kind(
                method="POST",
                headers=send,
                targets=lambda: [Target("/v1/transactions", self._transaction()) for _ in range(3000)],
            ),
            "list of 100": Kind(
                method="GET",
                headers=read,
                targets=lambda: [
                    Target(f"/v1/state/listed?prefix=p{page:02}/&limit=100") for page in range(PAGES)
                ],
            ),
            "checkpoint put": Kind(method="PUT", headers=send, targets=self._checkpoints, once=True),
            "checkpoint writes": Kind(
                method="POST",
                headers=send,
                targets=lambda: [
                    conversation.put_writes_request(
                        AGENT, self._random.choice(self._steps), secrets.token_hex(8)
                    )
                    for _ in range(_WRITTEN * self._seconds)
                ],
                once=True,
            ),
            "checkpoint read": Kind(
                method="GET",
                headers=read,
                targets=lambda: [
                    Target(checkpoints.format(thread, 1)) for thread in _threads("read", THREADS)
                ],
            ),
            "checkpoint list of 10": Kind(
                method="GET",
                headers=read,
                targets=lambda: [
                    Target(checkpoints.format(thread, 10)) for thread in _threads("read", THREADS)
                ],
            ),
        }

    def puts(self, collection: str) -> list[Target]:
        """Writes of documents of ``collection``."""
        return [Target(f"/v1/state/{collection}/{key}", BODY) for key in self._keys(KEYS)]

    def _keys(self, count: int) -> list[int]:
        return self._random.sample(range(KEYS), count)

    def _transaction(self) -> str:
        puts = ", ".join(
            f'{{"op": "put", "collection": "ledger", "key": "{key}", "value": {BODY}, "concurrency": "last-write-wins"}}'
            for key in self._keys(10)
        )
        return f'{{"operations": [{puts}]}}'

    def _checkpoints(self) -> list[Target]:
        """Checkpoints of new conversations, all at their first step and then all at the next."""
        run = secrets.token_hex(4)
        count = _PUT * self._seconds // conversation.STEPS
        conversations = (conversation.steps(f"put-{run}-{number}") for number in range(count))
        steps = chain.from_iterable(zip(*conversations, strict=True))
        return [conversation.put_request(AGENT, step) for step in steps]

    def _begun(self, count: int) -> list[str]:
        """The tokens of new sessions, which are only stored, for to begin them all would take longer than the rest."""
        now = datetime.now(UTC)
        tokens = [token.generate() for _ in range(count)]
        sessions = [
            Session(
                id=uuid4(),
                subject=f"user-{number % 1000}",
                data=msgspec.Raw(SESSION_DATA.encode()),
                created_at=now,
                ends_at=now + timedelta(days=1),
            )
            for number in range(count)
        ]
        self._api.sql(
            """
            insert into vanta.session (tenant_id, token_sha256, session_id, subject, revision, value, expires_at)
            select $1::uuid, digest, id, subject, 1, value, $6::timestamptz
            from unnest($2::text[], $3::uuid[], $4::text[], $5::text[]) as given (digest, id, subject, value)
            """,
            self._api.tenant,
            [token.digest(text) for text in tokens],
            [session.id for session in sessions],
            [session.subject for session in sessions],
            [msgspec.json.encode(session).decode() for session in sessions],
            now + timedelta(days=1),
        )
        return tokens


def _threads(name: str, count: int) -> list[str]:
    return [f"{name}-{number}" for number in range(count)]


def _presented(tokens: Sequence[str]) -> list[Target]:
    return [Target("/v1/sessions/current", header=f"Vanta-Session: {text}") for text in tokens]
