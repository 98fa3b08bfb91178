"""Clients that read and write a few documents through all API processes at once, and what they remember of it."""

import asyncio
import json
import random
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from .client import Answer, Client, NoAnswerError, NotSentError
from .faults import Nemesis
from .history import Condition, Method, Operation, Version
from .platform import Platform

KEYS = ("a", "b", "c", "d/e")
_HEADERS: dict[Condition, dict[str, str]] = {
    "absent": {"if-none-match": "*"},
    "exists": {"if-match": "*"},
    "whatever": {"vanta-concurrency": "last-write-wins"},
    "unsaid": {},
}
# What a client does next, and how often.
_METHODS: Sequence[Method] = ("GET", "PUT", "DELETE")
_SHARES = (60, 33, 7)
_CONDITIONS: Sequence[Condition] = ("match", "whatever", "absent", "exists", "unsaid")
_CONDITION_SHARES = (50, 25, 10, 10, 5)
_INSISTING = 0.2


class Recorder:
    """Makes requests as a new tenant of ``platform`` and keeps the history of them."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._ports = [api.port for api in platform.apis]
        self.tenant = platform.new_tenant()
        self.operations: list[Operation] = []
        #: The revision that the tenant began with.
        self.after: int = platform.database.query(
            "select revision from vanta.tenant_head where tenant_id = $1", self.tenant.id
        )[0][0]

    @contextmanager
    def clients(self) -> Generator[list[Client]]:
        """A connection to each API."""
        clients = [Client(port, self.tenant.headers) for port in self._ports]
        try:
            yield clients
        finally:
            for client in clients:
                client.close()

    async def do(
        self,
        clients: Sequence[Client],
        api: int,
        method: Method,
        key: str,
        *,
        condition: Condition = "unsaid",
        expected: str | None = None,
        patience: float = 10,
        insist: bool = False,
    ) -> Operation | None:
        """Do it and record it; None if nobody took the request.

        Who insists asks under an Idempotency-Key, here and there, until there is an answer: it must be done once.
        """
        operation = Operation(
            id=len(self.operations),
            method=method,
            key=key,
            condition=condition,
            expected=expected,
            api=api,
            invoked=time.monotonic_ns(),
        )
        self.operations.append(operation)
        headers = {"traceparent": operation.traceparent}
        body = b""
        if method != "GET":
            headers |= {"if-match": expected} if condition == "match" and expected else _HEADERS[condition]
        if method == "PUT":
            headers["content-type"] = "application/json"
            body = json.dumps({"by": operation.id}).encode()
        if insist:
            headers["idempotency-key"] = f"{operation.id}"
        while True:
            answer: Answer | None = None
            try:
                answer = await clients[api].request(
                    method, f"/v1/state/faults/{key}", headers, body, patience=patience
                )
            except NotSentError:
                if not insist:
                    # It stays in the history as one that may have been done: the client need not be believed.
                    return None
            except NoAnswerError:
                pass
            if answer is not None and (answer.status != 503 or not insist):
                _note(operation, answer)
                return operation
            if not insist:
                return operation
            await asyncio.sleep(0.1)
            api = (api + 1) % len(clients)

    def versions(self) -> list[Version]:
        """What the outbox has, in the order of the revisions."""
        return [
            Version(
                revision=row["revision"],
                key=row["key"],
                etag=None if row["type"].endswith("deleted") else f'"{row["etag"]}"',
                operation=int((row["traceparent"] or "0-0").split("-")[1], 16) - 1,
            )
            for row in self._platform.database.query(
                "select revision, type, traceparent, data ->> 'key' as key, data ->> 'etag' as etag "
                "from vanta.outbox where tenant_id = $1 and revision > $2 order by revision",
                self.tenant.id,
                self.after,
            )
        ]


def _note(operation: Operation, answer: Answer) -> None:
    operation.status = answer.status
    operation.etag = answer.headers.get("etag")
    # After 503 a write may have been done, or may still be.
    if answer.status != 503:
        operation.returned = time.monotonic_ns()
    if operation.method == "GET" and answer.status == 200:
        operation.written_by = json.loads(answer.body)["by"]


async def client(recorder: Recorder, seed: int, stopped: asyncio.Event) -> None:
    """One client: reads, and writes over what it has read, until ``stopped``."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    known: dict[str, str] = {}
    with recorder.clients() as clients:
        while not stopped.is_set():
            await _something(recorder, clients, chance, known)
            await asyncio.sleep(chance.uniform(0, 0.01))


async def _something(
    recorder: Recorder, clients: Sequence[Client], chance: random.Random, known: dict[str, str]
) -> None:
    (method,) = chance.choices(_METHODS, _SHARES)
    (condition,) = chance.choices(_CONDITIONS, _CONDITION_SHARES)
    key, api = chance.choice(KEYS), chance.randrange(len(clients))
    if method == "GET":
        condition = "unsaid"
    elif condition == "match" and key not in known:
        condition = "absent"
    done = await recorder.do(
        clients,
        api,
        method,
        key,
        condition=condition,
        expected=known.get(key) if condition == "match" else None,
        # Some give up early, and what they asked for happens or not.
        patience=chance.choice([0.02, 0.3, 10, 10, 10, 10]),
        insist=method != "GET" and chance.random() < _INSISTING,
    )
    if done is None:
        await asyncio.sleep(0.05)
    elif done.etag and done.status in {200, 201}:
        known[key] = done.etag
    elif done.status in {404, 412}:
        known.pop(key, None)


async def load(recorder: Recorder, nemesis: Nemesis, *, clients: int, seed: int, seconds: float) -> None:
    """Let ``clients`` do what they do while ``nemesis`` does for so long; raises if the platform did not come back."""
    stopped = asyncio.Event()
    nemesis.start()
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(recorder, seed + number, stopped))
        try:
            await asyncio.to_thread(nemesis.stop, seconds)
        finally:
            stopped.set()


async def final_reads(recorder: Recorder) -> None:
    """Read every document once more through every API."""
    with recorder.clients() as clients:
        for api in range(len(clients)):
            for key in KEYS:
                done = await recorder.do(clients, api, "GET", key)
                assert done is not None
                assert done.returned is not None
