"""The client on the served API."""

import asyncio
import re
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

import client.checkpoints
from client import (
    AsyncVanta,
    Check,
    Delete,
    ETag,
    Expect,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    Put,
    Vanta,
)
from client.collections import CollectionSettings
from client.keys import Scope
from client.secrets import Generate
from client.tenants import Changes, Quotas

from ..app.real.conftest import operator_key, serving  # noqa: F401, TID252 - a fixture; tests are no package
from ..app.real.keys import environment, make_key  # noqa: TID252 - as above

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.aws.emulator import Aws
    from tests.app.real.conftest import Database, Served, Tenant


@pytest.fixture
def vanta(api: "Served", tenant: "Tenant") -> Generator[Vanta]:
    """A client of a tenant of its own."""
    with Vanta(api.url, tenant.key) as vanta:
        yield vanta


def test_a_document_is_written_read_changed_and_deleted(vanta: Vanta) -> None:
    first = vanta.documents.put("agents", "planner/7", {"step": 1, "é": "\u2028"}, ttl=3600)
    read = vanta.documents.get("agents", "planner/7")
    assert (read.value, read.etag) == ({"step": 1, "é": "\u2028"}, first.etag)
    assert read.into(dict[str, int | str]) == read.value
    assert first.created
    assert first.expires_at == read.expires_at is not None
    assert vanta.documents.get_if_changed("agents", "planner/7", first.etag) is None
    second = vanta.documents.patch("agents", "planner/7", {"step": 2, "é": None}, expect=first.etag)
    assert not second.created
    changed = vanta.documents.get_if_changed("agents", "planner/7", first.etag)
    assert changed is not None
    assert changed.value == {"step": 2}
    assert vanta.documents.head("agents", "planner/7").etag == second.etag
    vanta.documents.delete("agents", "planner/7", expect=second.etag)
    with pytest.raises(NotFound) as refused:
        vanta.documents.get("agents", "planner/7")
    assert refused.value.type == "urn:vanta:problem:not-found"
    assert refused.value.request_id
    with pytest.raises(NotFound):
        vanta.documents.head("agents", "planner/7")


def test_no_update_is_lost(vanta: Vanta) -> None:
    written = vanta.documents.put("agents", "a", 1)
    with pytest.raises(PreconditionRequired):
        vanta.documents.put("agents", "a", 2)
    with pytest.raises(PreconditionFailed):
        vanta.documents.put("agents", "a", 2, expect=ETag('"1-0000000000000000"'))
    with pytest.raises(PreconditionFailed):
        vanta.documents.put("agents", "a", 2, expect=Expect.ABSENT)
    with pytest.raises(PreconditionFailed):
        vanta.documents.delete("agents", "b", expect=Expect.PRESENT)
    assert vanta.documents.get("agents", "a").etag == written.etag
    vanta.documents.put("agents", "a", 3, expect=Expect.ANYTHING)
    assert vanta.documents.get("agents", "a").value == 3


class Losing(httpx.HTTPTransport):
    """Loses the first answer on its way."""

    lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if not self.lost:
            self.lost += 1
            answer.read()
            raise httpx.ReadError("the answer was lost")
        return answer


def test_a_write_whose_answer_was_lost_is_done_once(api: "Served", tenant: "Tenant") -> None:
    transport = Losing()
    with Vanta(api.url, tenant.key, transport=transport) as vanta:
        assert vanta.documents.put("agents", "a", 1).created
        assert transport.lost == 1
        assert len([*vanta.documents.versions("agents", "a")]) == 1


def test_a_write_without_an_idempotency_key_is_not_repeated(api: "Served", tenant: "Tenant") -> None:
    with Vanta(api.url, tenant.key, transport=Losing()) as vanta:
        with pytest.raises(httpx.ReadError):
            vanta.keys.create("once", "reader")
        assert [key.name for key in vanta.keys.list()].count("once") == 1


def test_lists_go_through_all_pages(vanta: Vanta) -> None:
    keys = [f"p/{n:02}/x" for n in range(7)]
    vanta.documents.transact([Put(collection="agents", key=key, value=key) for key in [*keys, "q", "p/a"]])
    listed = [*vanta.documents.list("agents", prefix="p/0", page=2)]
    assert [(one.key, one.value) for one in listed] == [(key, key) for key in keys]
    level = [*vanta.documents.level("agents", prefix="p/", keys_only=True, page=3)]
    assert {one if isinstance(one, str) else one.key for one in level} == {*(key[:-1] for key in keys), "p/a"}
    assert len(level) == 8


def test_versions_are_listed_and_restored(vanta: Vanta) -> None:
    for value in (1, 2, 3):
        vanta.documents.put("agents", "a", value, expect=Expect.ANYTHING)
    vanta.documents.delete("agents", "a", expect=Expect.PRESENT)
    versions = [*vanta.documents.versions("agents", "a", page=2)]
    assert [version.deleted for version in versions] == [True, False, False, False]
    assert vanta.documents.get("agents", "a", revision=versions[2].revision).value == 2
    vanta.documents.restore("agents", "a", versions[3].revision, expect=Expect.ABSENT)
    assert vanta.documents.get("agents", "a").value == 1


def test_a_transaction_is_whole_or_nothing(vanta: Vanta) -> None:
    vanta.documents.put("agents", "a", 1)
    done = vanta.documents.transact(
        [
            Put(collection="tasks", key="t", value=None),
            Delete(collection="agents", key="a", expect=Expect.PRESENT),
            Check(collection="agents", key="b", expect=Expect.ABSENT),
        ]
    )
    assert [one.outcome for one in done] == ["created", "deleted", "checked"]
    with pytest.raises(PreconditionFailed) as refused:
        vanta.documents.transact(
            [
                Put(collection="tasks", key="u", value=1),
                Check(collection="agents", key="a", expect=Expect.PRESENT),
            ]
        )
    assert [one.index for one in refused.value.operations] == [1]
    with pytest.raises(NotFound):
        vanta.documents.get("tasks", "u")


def test_settings_of_collections(vanta: Vanta) -> None:
    first = vanta.collections.put("logs", CollectionSettings(concurrency="last-write-wins", ttl=60))
    assert first.settings.ttl == 60
    assert vanta.collections.get("logs") == first
    assert [*vanta.collections.list()] == [first]
    vanta.documents.put("logs", "a", 1)
    assert vanta.documents.put("logs", "a", 2).expires_at is not None
    with pytest.raises(PreconditionRequired):
        vanta.collections.put("logs", CollectionSettings())
    second = vanta.collections.put("logs", CollectionSettings(), expect=first.etag)
    with pytest.raises(PreconditionFailed):
        vanta.collections.delete("logs", expect=first.etag)
    vanta.collections.delete("logs", expect=second.etag)
    with pytest.raises(NotFound):
        vanta.collections.get("logs")


def test_a_session_begins_is_read_and_ends(vanta: Vanta) -> None:
    begun = vanta.sessions.begin("ada", data={"theme": "dark"}, ttl=600, idle_ttl=60)
    assert begun.token not in repr(begun)
    assert vanta.sessions.read(begun.token).data == {"theme": "dark"}
    other = vanta.sessions.begin("ada")
    assert {session.id for session in vanta.sessions.list("ada")} == {begun.id, other.id}
    vanta.sessions.end(begun.token)
    with pytest.raises(NotFound):
        vanta.sessions.read(begun.token)
    assert vanta.sessions.revoke("ada", session=other.id) == 1


def test_a_key_is_made_rotated_and_revoked(api: "Served", vanta: Vanta) -> None:
    made = vanta.keys.create("planner", "writer", scopes=[Scope(collection="agents.*", verbs=["read"])])
    with Vanta(api.url, made.key) as scoped, pytest.raises(Problem) as refused:
        scoped.documents.put("agents.x", "a", 1)
    assert refused.value.type == "urn:vanta:problem:forbidden"
    rotated = vanta.keys.rotate(made.id, overlap_seconds=0)
    assert rotated.key != made.key
    assert {key.name for key in vanta.keys.list()} >= {"planner"}
    vanta.keys.revoke(made.id)
    with pytest.raises(NotFound):
        vanta.keys.revoke(made.id)


def test_an_agent_has_a_state_and_threads_with_checkpoints(vanta: Vanta) -> None:
    vanta.agents.put("planner", {"goal": "book"})
    assert vanta.agents.get("planner").value == {"goal": "book"}
    vanta.checkpoints.put(
        "planner",
        "trip",
        "0001",
        client.checkpoints.PutCheckpoint(
            type="t",
            data=b"\x00\xff",
            metadata={"step": 1},
            channels={
                "m": client.checkpoints.CheckpointChannel(
                    version="1", parts=[client.checkpoints.CheckpointPart(type="t", data=b"hi")]
                )
            },
        ),
    )
    (page,) = vanta.checkpoints.pages("planner", "trip", metadata={"step": 1})
    assert [(one.checkpoint, one.data) for one in page.checkpoints] == [("0001", b"\x00\xff")]
    assert [part.data for part in page.parts] == [b"hi"]
    assert [thread.thread for thread in vanta.agents.threads("planner")] == ["trip"]
    assert vanta.agents.thread("planner", "trip").namespaces[0].newest == "0001"
    assert vanta.agents.prune("planner", ["trip"], keep=0) == 1
    assert [agent.agent for agent in vanta.agents.list()] == ["planner"]


def test_everything_that_happened_is_read_once_and_in_order(vanta: Vanta) -> None:
    for key in ("a", "b", "c"):
        vanta.documents.put("agents", key, 1)
    vanta.documents.put("other", "d", 1)
    events = [*vanta.events.read(page=2)]
    assert [event.revision for event in events] == [1, 2, 3, 4]
    assert [*vanta.events.read(after=events[1].id)] == events[2:]
    assert [event.subject for event in vanta.events.read(subject_prefix="state/other/", page=1)] == [
        "state/other/d"
    ]


async def test_a_watch_goes_on_over_as_many_connections_as_it_takes(api: "Served", tenant: "Tenant") -> None:
    # More than the server sends on one connection.
    rounds = 30
    async with AsyncVanta(api.url, tenant.key) as vanta:
        for n in range(rounds):
            await vanta.documents.transact(
                [Put(collection="agents", key=f"{n}/{m}/{'x' * 80}", value=0) for m in range(128)]
            )
        last = 0
        async with asyncio.timeout(60):
            async for event in vanta.events.watch_collection("agents", after=0):
                assert event.revision == last + 1
                last = event.revision
                if last == rounds * 128:
                    break


async def test_the_same_methods_are_awaited(api: "Served", tenant: "Tenant") -> None:
    async with AsyncVanta(api.url, tenant.key) as vanta:
        written = await vanta.documents.put("agents", "a", 1)
        assert (await vanta.documents.get("agents", "a")).etag == written.etag
        assert [one.key async for one in vanta.documents.list("agents")] == ["a"]
        with pytest.raises(NotFound):
            await vanta.documents.get("agents", "b")
        assert (await vanta.tenants.current()).documents == 1


def test_an_operator_onboards_changes_exports_and_erases(api: "Served", operator_key: str) -> None:  # noqa: F811 - a fixture
    with Vanta(api.url, operator_key, timeout=30) as operator:
        made = operator.tenants.create("client-test", quotas=Quotas(max_documents=5))
        assert made.key not in repr(made)
        changed = operator.tenants.change(made.tenant_id, Changes(max_bytes=10_000_000))
        assert (changed.quotas.max_documents, changed.quotas.max_bytes) == (5, 10_000_000)
        with Vanta(api.url, made.key) as vanta:
            vanta.documents.put("agents", "a", "\u2028")
        lines = [*operator.tenants.export(made.tenant_id)]
        assert lines[0].type == "tenant"
        assert {"document", "document_version"} <= {line.type for line in lines}
        assert made.tenant_id in {tenant.tenant_id for tenant in operator.tenants.list(page=1)}
        operator.tenants.erase(made.tenant_id, name="client-test")
        with pytest.raises(NotFound):
            operator.tenants.get(made.tenant_id)


def test_a_secret_is_written_read_and_destroyed(
    database: "Database", aws: "Aws", tmp_path: Path, new_tenant: "Callable[[], Tenant]"
) -> None:
    sealing = environment(aws.endpoint, make_key(aws))
    with serving(database, tmp_path, **sealing) as api, Vanta(api.url, new_tenant().key) as vanta:
        first = vanta.secrets.put("crm/login", {"password": "hush"}, metadata={"owner": "sales"})
        read = vanta.secrets.get("crm/login")
        assert (read.value, read.etag) == ({"password": "hush"}, first.etag)
        assert "hush" not in repr(read)
        made = vanta.secrets.put("crm/login", Generate(length=20, alphabet="hex"), expect=read.etag)
        assert re.fullmatch("[0-9a-f]{20}", made.written.value or "")
        assert vanta.secrets.get("crm/login", version=1).value == {"password": "hush"}
        vanta.secrets.delete_versions("crm/login", [1, 2])
        vanta.secrets.undelete("crm/login", [2])
        vanta.secrets.destroy("crm/login", [1])
        described = vanta.secrets.describe("crm/login")
        assert (described.metadata, [*vanta.secrets.list(prefix="crm/")]) == (
            {"owner": "sales"},
            ["crm/login"],
        )
        assert described.versions[0].destroyed_at or described.versions[1].destroyed_at
        vanta.secrets.delete("crm/login", expect=Expect.PRESENT)
