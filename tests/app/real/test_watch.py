"""Watches: each event once, in order, none missing, whatever happens in between."""

import json
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.problems import TYPE_PREFIX

from .conftest import Database, Served, Tenant, eventually, serving
from .proxy import Proxy


@dataclass(frozen=True, kw_only=True)
class Message:
    """A server-sent event, or the id of a bookmark."""

    id: str
    event: dict[str, Any] | None


class Stream:
    """A watch over HTTP; iterates over messages until its end."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id = ""
        self._messages = self._read()

    def __iter__(self) -> Iterator[Message]:
        return self._messages

    def _read(self) -> Iterator[Message]:
        fields: dict[str, str] = {}
        for line in self.response.iter_lines():
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            self.last_id = fields["id"]
            yield Message(id=self.last_id, event=json.loads(fields["data"]) if "data" in fields else None)
            fields = {}

    def events(self, count: int) -> list[dict[str, Any]]:
        """The next ``count`` events."""
        found: list[dict[str, Any]] = []
        for message in self:
            if message.event:
                found.append(message.event)
            if len(found) == count:
                break
        return found


@contextmanager
def watching(
    url: str, tenant: Tenant, path: str = "/v1/watch", *, last_id: str | None = None, **query: str | int
) -> Generator[Stream]:
    headers = {**tenant.headers} if last_id is None else {**tenant.headers, "last-event-id": last_id}
    with (
        httpx.Client(base_url=url, headers=headers, timeout=20) as client,
        client.stream("GET", path, params=query) as response,
    ):
        assert response.status_code == 200
        yield Stream(response)


def put(url: str, tenant: Tenant, *keys: str, collection: str = "agents") -> None:
    with httpx.Client(base_url=url, headers=tenant.headers) as client:
        for key in keys:
            assert client.put(f"/v1/state/{collection}/{key}", json=key).status_code == 201


def ids(events: list[dict[str, Any]]) -> list[int]:
    return [revision(event["id"]) for event in events]


def revision(event_id: str) -> int:
    return int(event_id.partition("-")[0])


def test_whatever_is_written_after_the_answer_began_is_told(
    api: Served, tenant: Tenant, database: Database
) -> None:
    put(api.url, tenant, "before")
    with watching(api.url, tenant) as stream:
        put(api.url, tenant, "a", "b")
        events = stream.events(2)
    assert [event["subject"] for event in events] == ["state/agents/a", "state/agents/b"]
    assert ids(events) == [head(database, tenant) - 1, head(database, tenant)]
    assert stream.response.headers["content-type"] == "text/event-stream"


def test_while_clients_write_every_revision_comes_once_and_in_order(api: Served, tenant: Tenant) -> None:
    put(api.url, tenant, *(f"early-{number}" for number in range(300)))
    writers = [
        threading.Thread(target=put, args=(api.url, tenant, *(f"{name}-{n}" for n in range(60))))
        for name in "abcd"
    ]
    for writer in writers:
        writer.start()
    # More than the hub keeps in memory lies before its beginning, and more is written while it catches up.
    with watching(api.url, tenant, after=0) as stream:
        found = ids(stream.events(1))
        while len(found) < found[0] + 539:
            found += ids(stream.events(1))
    for writer in writers:
        writer.join()
    assert found == list(range(found[0], found[0] + len(found)))


def test_a_watch_of_a_collection_tells_of_its_keys_with_the_prefix_only(api: Served, tenant: Tenant) -> None:
    with watching(api.url, tenant, "/v1/watch/agents", prefix="planner/") as stream:
        put(api.url, tenant, "planner/1", collection="other")
        put(api.url, tenant, "worker/1", "planner/1")
        (event,) = stream.events(1)
    assert event["subject"] == "state/agents/planner/1"


def test_a_watch_of_everything_tells_of_the_types_and_subjects_asked_for(api: Served, tenant: Tenant) -> None:
    types = "vanta.state.document.deleted,vanta.state.document.replaced"
    with (
        watching(api.url, tenant, types=types, subjectPrefix="state/agents/a") as stream,
        httpx.Client(base_url=api.url, headers=tenant.headers) as client,
    ):
        put(api.url, tenant, "a", "b")
        for key in "ba":
            client.delete(f"/v1/state/agents/{key}", headers={"if-match": "*"})
        (event,) = stream.events(1)
    assert (event["type"], event["subject"]) == ("vanta.state.document.deleted", "state/agents/a")


def test_a_tenant_is_told_of_nothing_of_another(
    api: Served, tenant: Tenant, new_tenant: Callable[[], Tenant]
) -> None:
    other = new_tenant()
    with watching(api.url, tenant, after=0) as mine, watching(api.url, other, after=0) as theirs:
        for _ in range(20):
            put(api.url, other, f"theirs-{_}")
            put(api.url, tenant, f"mine-{_}")
        for stream, who in ((mine, tenant), (theirs, other)):
            events = [event for event in stream.events(20) if event["subject"].startswith("state/")]
            assert {event["source"] for event in events} == {f"/tenants/{who.id}"}


def test_what_another_process_wrote_is_told(
    database: Database, api: Served, tenant: Tenant, tmp_path: Path
) -> None:
    with serving(database, tmp_path) as second, watching(second.url, tenant) as stream:
        put(api.url, tenant, *"abc")
        assert [event["subject"][-1] for event in stream.events(3)] == ["a", "b", "c"]


@pytest.mark.parametrize("engine", ["DATABASE", "CACHE"])
def test_while_an_engine_is_cut_off_a_watch_waits_and_misses_nothing(
    database: Database, api: Served, tenant: Tenant, tmp_path: Path, engine: str
) -> None:
    port = int(database.environment[f"VANTA_{engine}_PORT"])
    with (
        Proxy(port) as proxy,
        serving(database, tmp_path, **{f"VANTA_{engine}_PORT": str(proxy.port)}) as cut_off,
        watching(cut_off.url, tenant) as stream,
    ):
        put(api.url, tenant, "before")
        assert ids(stream.events(1)) == [1]
        proxy.cut()
        put(api.url, tenant, *(f"meanwhile-{number}" for number in range(300)))
        if engine == "DATABASE":
            proxy.restore()
        put(api.url, tenant, "after")
        assert ids(stream.events(301)) == list(range(2, 303))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_across_restarts_every_revision_is_told_once(
    database: Database, api: Served, tenant: Tenant, tmp_path: Path, how: signal.Signals
) -> None:
    found: list[int] = []
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            put(api.url, tenant, f"k{number}")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    last = "0"
    try:
        for _ in range(3):
            with serving(database, tmp_path) as served, watching(served.url, tenant, last_id=last) as stream:
                found += ids(stream.events(20))
                last = stream.last_id
                served.process.send_signal(how)
                try:
                    for message in stream:
                        found += [revision(message.id)] if message.event else []
                        last = message.id
                except httpx.RemoteProtocolError:
                    assert how == signal.SIGKILL
                served.process.wait(30)
                eventually(lambda url=served.url: not _listens(url))
    finally:
        stop.set()
        writer.join()
    assert found == list(range(1, len(found) + 1))


def _listens(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz")
    except httpx.TransportError:
        return False
    return True


def test_a_drain_ends_watches_and_takes_no_new_one(
    database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    with serving(database, tmp_path, VANTA_DRAIN_SECONDS="3") as served:
        with (
            watching(served.url, tenant, "/v1/watch/agents") as stream,
            watching(served.url, tenant) as everything,
        ):
            put(served.url, tenant, "not-watched", collection="other")
            everything.events(1)
            served.process.send_signal(signal.SIGTERM)
            assert [message.event for message in stream][1:] == [None]
            # Nothing was left out up to here, so a watch that was told nothing resumes from here too.
            assert revision(stream.last_id) == head(database, tenant)
        refused = httpx.get(f"{served.url}/v1/watch", headers=tenant.headers)
        assert refused.status_code == 503
        assert refused.json()["type"] == TYPE_PREFIX + "watch-capacity"
        assert served.process.wait(30) == 0


def head(database: Database, tenant: Tenant) -> int:
    return database.query("select revision from vanta.tenant_head where tenant_id = $1", tenant.id)[0][0]


def test_watches_are_limited_by_process_and_by_tenant_and_their_places_come_free(
    database: Database, tenant: Tenant, new_tenant: Callable[[], Tenant], tmp_path: Path
) -> None:
    other, third = new_tenant(), new_tenant()
    with serving(database, tmp_path, VANTA_WATCHES="3", VANTA_WATCHES_PER_TENANT="2") as served:

        def status(who: Tenant) -> int:
            with httpx.stream("GET", f"{served.url}/v1/watch", headers=who.headers) as response:
                return response.status_code

        with ExitStack() as stack:
            for who in (tenant, tenant):
                stack.enter_context(watching(served.url, who))
            assert status(tenant) == 429
            stack.enter_context(watching(served.url, other))
            assert status(third) == 503
        eventually(lambda: status(third) == 200)
        eventually(lambda: status(tenant) == 200)


def test_a_client_that_does_not_read_is_kept_a_limited_number_of_bytes_for(
    api: Served, tenant: Tenant, database: Database
) -> None:
    database.query(
        """
        select vanta.emit($1, 't', 's', null, jsonb_build_object('n', n, 'filler', repeat('x', 5000)))
        from generate_series(1, 300) n
        """,
        tenant.id,
    )
    found: list[int] = []
    connections, last = 0, "0"
    while revision(last) < head(database, tenant):
        with watching(api.url, tenant, last_id=last) as stream:
            connections += 1
            size = 0
            for message in stream:
                found += [revision(message.id)] if message.event else []
                last = message.id
                size += len(json.dumps(message.event))
                if revision(last) == head(database, tenant):
                    break
            assert size < 2_900_000
    assert connections > 1
    assert found == list(range(1, len(found) + 1))


@pytest.mark.parametrize(
    ("path", "headers", "status", "problem"),
    [
        ("/v1/watch", {"last-event-id": "x"}, 400, "invalid-event-id"),
        ("/v1/watch", {"last-event-id": "-1"}, 400, "invalid-event-id"),
        (
            "/v1/watch",
            {"last-event-id": "\N{LATIN SMALL LETTER E WITH ACUTE}".encode()},
            400,
            "invalid-event-id",
        ),
        ("/v1/watch", {"last-event-id": "9" * 19}, 400, "invalid-event-id"),
        ("/v1/watch", {"last-event-id": "1-"}, 400, "invalid-event-id"),
        ("/v1/watch?after=1-2-3", {}, 400, "invalid-query"),
        ("/v1/watch?after=-1", {}, 400, "invalid-query"),
        ("/v1/watch?after=later", {}, 400, "invalid-query"),
        ("/v1/watch?prefix=a", {}, 400, "invalid-query"),
        ("/v1/watch/UPPER", {}, 400, "invalid-collection"),
        ("/v1/watch/agents?subjectPrefix=a", {}, 400, "invalid-query"),
        ("/v1/watch?after=999999999999999999", {}, 410, "revision-gone"),
        ("/v1/events?after=-1", {}, 400, "invalid-query"),
        ("/v1/events?limit=0", {}, 400, "invalid-query"),
        ("/v1/events?limit=1001", {}, 400, "invalid-query"),
        ("/v1/events?after=999999999999999999", {}, 410, "revision-gone"),
        ("/v1/events?after=9999999999999999999", {}, 400, "invalid-query"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    client: httpx.Client, path: str, headers: dict[str, Any], status: int, problem: str
) -> None:
    refused = client.get(path, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (status, TYPE_PREFIX + problem)


def test_a_client_that_hangs_up_leaves_no_watch_behind(api: Served, tenant: Tenant) -> None:
    def watches() -> float:
        lines = httpx.get(f"{api.url}/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith("vanta_watches ")).split()[1])

    before = watches()
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"GET /v1/watch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {tenant.key}\r\n\r\n"
        connection.sendall(head.encode())
        connection.recv(100)
        assert watches() == before + 1
    eventually(lambda: watches() == before)
