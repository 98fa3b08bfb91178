"""Sessions over HTTP: what a client may rely on, whatever happens to Redis."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sessions import token as tokens
from app.tenancy import keys as api_keys
from tests.conftest import RedisServer

from .conftest import Database, Served, Tenant, eventually, serving

SUBJECT = "ada@example.com"
CURRENT = "/v1/sessions/current"


def begin(client: httpx.Client, subject: str = SUBJECT, **more: object) -> dict[str, Any]:
    """Begin a session; the answer."""
    begun = client.post("/v1/sessions", json={"subject": subject, **more})
    assert begun.status_code == 201, begun.text
    return begun.json()


def current(client: httpx.Client, token: str) -> httpx.Response:
    """What the API says of ``token``."""
    return client.get(CURRENT, headers={"vanta-session": token})


def events(database: Database, tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    """Types and data of the tenant's events about sessions, in order."""
    rows = database.query(
        "select type, data from vanta.outbox where tenant_id = $1 and type like 'vanta.session.%' order by revision",
        tenant.id,
    )
    return [(kind.removeprefix("vanta.session."), json.loads(data)) for kind, data in rows]


def test_a_session_begins_is_read_and_ends(client: httpx.Client) -> None:
    begun = begin(client, data={"theme": "dark"}, ttl=3600, idleTtl=600)
    token = begun.pop("token")
    read = current(client, token)
    assert (read.status_code, read.headers["cache-control"]) == (200, "no-store")
    assert read.json() == begun
    assert (begun["subject"], begun["data"]) == (SUBJECT, {"theme": "dark"})
    assert begun["createdAt"] < begun["expiresAt"] < begun["endsAt"]
    assert client.delete(CURRENT, headers={"vanta-session": token}).status_code == 204
    assert current(client, token).status_code == 404
    assert client.delete(CURRENT, headers={"vanta-session": token}).status_code == 404


@pytest.mark.parametrize(
    "token", ["", "x", "vses_" + "A" * 43, "vses_" + "A" * 42 + "\u00e9", "vses_" + "A" * 5000]
)
def test_what_is_no_token_is_no_session(client: httpx.Client, token: str) -> None:
    refused = client.get(CURRENT, headers=[(b"vanta-session", token.encode())])
    assert (refused.status_code, refused.json()["type"]) == (404, "urn:vanta:problem:session-not-found")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"subject": ""}, 422),
        ({"subject": "x" * 257}, 422),
        ({"subject": "a", "ttl": 0}, 422),
        ({"subject": "a", "idleTtl": -1}, 422),
        ({"subject": "a", "other": 1}, 422),
        ({"subject": "a", "data": "x" * 16384}, 413),
    ],
)
def test_bad_input_is_refused_and_nothing_begins(
    client: httpx.Client, database: Database, tenant: Tenant, body: object, status: int
) -> None:
    assert client.post("/v1/sessions", json=body).status_code == status
    assert database.query("select from vanta.session where tenant_id = $1", tenant.id) == []


@pytest.mark.parametrize(
    "query", ["", "?subject=", "?subject=%00", "?subject=a&id=x", "?other=1", "?subject=%ff"]
)
def test_bad_queries_are_refused(client: httpx.Client, query: str) -> None:
    assert client.delete(f"/v1/sessions{query}").status_code == 400


def test_all_sessions_of_a_subject_end_at_once_and_nobody_elses(client: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as executor:
        mine = [begun["token"] for begun in executor.map(lambda _: begin(client), range(130))]
    theirs = begin(client, SUBJECT + "x")["token"]
    listed = client.get("/v1/sessions", params={"subject": SUBJECT}).json()["sessions"]
    assert len({session["id"] for session in listed}) == 130
    assert not any("token" in session for session in listed)
    assert client.delete("/v1/sessions", params={"subject": SUBJECT}).json() == {"revoked": 130}
    assert {current(client, token).status_code for token in mine} == {404}
    assert current(client, theirs).status_code == 200
    assert client.delete("/v1/sessions", params={"subject": SUBJECT}).json() == {"revoked": 0}


def test_one_session_of_a_subject_can_be_ended_by_its_id(client: httpx.Client) -> None:
    one, other = begin(client), begin(client)
    by_id = {"subject": SUBJECT, "id": one["id"]}
    assert client.delete("/v1/sessions", params={**by_id, "subject": "somebody else"}).json() == {
        "revoked": 0
    }
    assert client.delete("/v1/sessions", params=by_id).json() == {"revoked": 1}
    assert [current(client, begun["token"]).status_code for begun in (one, other)] == [404, 200]


def test_a_session_ends_in_time_used_or_not(client: httpx.Client) -> None:
    token = begin(client, ttl=1, idleTtl=1)["token"]
    eventually(lambda: current(client, token).status_code == 404)


def test_use_in_the_second_half_of_the_idle_time_extends_it_and_no_more_often(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    begun = begin(client, ttl=3600, idleTtl=600)
    token = begun["token"]

    def expiry() -> str:
        return current(client, token).json()["expiresAt"]

    for _ in range(5):
        assert expiry() == begun["expiresAt"]
    # Most of its idle time is gone; the cache has to hear of it as of any write, and does at a new epoch.
    database.query(
        "update vanta.session set expires_at = now() + interval '250 seconds' where tenant_id = $1", tenant.id
    )
    database.query("update vanta.cache_epoch set epoch = gen_random_uuid()")
    shortened = expiry()
    eventually(lambda: expiry() > shortened)
    extended = expiry()
    assert expiry() == extended <= begun["endsAt"]
    assert [kind for kind, _ in events(database, tenant)] == ["created", "extended"]


def test_an_extension_never_goes_beyond_the_end(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    begun = begin(client, ttl=100, idleTtl=600)
    assert begun["expiresAt"] == begun["endsAt"]
    for _ in range(5):
        assert current(client, begun["token"]).json()["expiresAt"] == begun["endsAt"]
    assert [kind for kind, _ in events(database, tenant)] == ["created"]


def test_only_the_hash_of_a_token_is_anywhere(
    client: httpx.Client, database: Database, api: Served, tenant: Tenant
) -> None:
    token = begin(client)["token"]
    current(client, token)
    client.get("/v1/sessions", params={"subject": SUBJECT})
    rows = database.query("select * from vanta.session where tenant_id = $1", tenant.id)
    digest = tokens.digest(token)
    assert [row["token_sha256"] for row in rows] == [digest]
    assert token not in str(rows)
    assert not any(part in json.dumps(events(database, tenant)) for part in (token, digest or ""))
    assert token not in api.log.read_text()
    assert token not in client.get("/metrics").text


def test_events_tell_who_did_what(client: httpx.Client, database: Database, tenant: Tenant) -> None:
    one, two = begin(client), begin(client)
    client.delete(CURRENT, headers={"vanta-session": one["token"]})
    database.query("update vanta.session set expires_at = now() where tenant_id = $1", tenant.id)
    assert database.query("select vanta.sweep_sessions($1, 10)", tenant.id) == [(1,)]
    key = api_keys.parse(tenant.key)
    assert key
    assert [
        (kind, data["id"], data["subject"], data.get("by")) for kind, data in events(database, tenant)
    ] == [
        ("created", one["id"], SUBJECT, key.id),
        ("created", two["id"], SUBJECT, key.id),
        ("revoked", one["id"], SUBJECT, key.id),
        ("expired", two["id"], SUBJECT, None),
    ]


def test_a_token_is_of_one_tenant_alone(
    client: httpx.Client, api: Served, new_tenant: Callable[[], Tenant]
) -> None:
    token = begin(client)["token"]
    with httpx.Client(base_url=api.url, headers=new_tenant().headers) as stranger:
        assert current(stranger, token).status_code == 404
        assert stranger.delete(CURRENT, headers={"vanta-session": token}).status_code == 404
        assert stranger.get("/v1/sessions", params={"subject": SUBJECT}).json() == {"sessions": []}
        assert stranger.delete("/v1/sessions", params={"subject": SUBJECT}).json() == {"revoked": 0}
    assert current(client, token).status_code == 200


def test_no_collection_of_documents_can_be_the_one_of_sessions(client: httpx.Client) -> None:
    token = begin(client)["token"]
    digest = tokens.digest(token)
    for method in ("GET", "DELETE"):
        assert client.request(method, f"/v1/state/_sessions/{digest}").status_code == 400
    assert client.get("/v1/state/_sessions").status_code == 400


def test_a_read_costs_one_round_trip_to_redis_and_none_to_postgres(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    def is_read_without_postgres() -> bool:
        token = begin(client)["token"]
        current(client, token)
        # What is no longer in PostgreSQL can only come from the cache; nobody may do this but a test.
        database.query("delete from vanta.session where tenant_id = $1", tenant.id)
        return current(client, token).status_code == 200

    # A busy machine may have lost its trust in the cache for a moment, and then reads from PostgreSQL.
    eventually(is_read_without_postgres)


def test_sessions_survive_the_loss_of_redis_and_a_revoked_one_stays_revoked(
    client: httpx.Client, redis_server: RedisServer
) -> None:
    kept, revoked = begin(client)["token"], begin(client)["token"]
    assert client.delete(CURRENT, headers={"vanta-session": revoked}).status_code == 204
    redis_server.server.stop()
    try:
        assert current(client, kept).status_code == 200
        assert current(client, revoked).status_code == 404
        late = begin(client)["token"]
        assert client.delete(CURRENT, headers={"vanta-session": late}).status_code == 204
        assert current(client, late).status_code == 404
    finally:
        redis_server.server.start()
    assert [current(client, token).status_code for token in (kept, revoked, late)] == [200, 404, 404]


@pytest.fixture
def other(database: Database, tmp_path: Path, tenant: Tenant) -> Iterator[httpx.Client]:
    """Speaks to a second process."""
    with (
        serving(database, tmp_path) as served,
        httpx.Client(base_url=served.url, headers=tenant.headers) as client,
    ):
        yield client


def test_a_revoked_session_is_accepted_by_no_process(client: httpx.Client, other: httpx.Client) -> None:
    for round_ in range(40):
        one, two = (client, other) if round_ % 2 else (other, client)
        token = begin(one)["token"]
        assert current(two, token).status_code == 200
        with ThreadPoolExecutor(4) as executor:
            # Readers whose fetches may cross the revocation try to put the session back into the cache.
            readers = [executor.submit(current, who, token) for who in (one, two, one, two)]
            if round_ % 4 < 2:
                assert two.delete(CURRENT, headers={"vanta-session": token}).status_code == 204
            else:
                assert two.delete("/v1/sessions", params={"subject": SUBJECT}).json() == {"revoked": 1}
            after = [current(who, token).status_code for who in (one, two, one, two)]
            assert {reader.result().status_code for reader in readers} <= {200, 404}
        assert after == [404] * 4


def test_an_extension_does_not_bring_a_revoked_session_back(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    token = begin(client, ttl=3600, idleTtl=600)["token"]
    digest = tokens.digest(token)
    value = database.query("select value from vanta.session where tenant_id = $1", tenant.id)[0][0]
    client.delete(CURRENT, headers={"vanta-session": token})
    # The extension that a reader had begun before.
    epoch = database.query("select epoch from vanta.cache_epoch")[0][0]
    ((outcome,),) = database.query(
        "select outcome from vanta.write_sessions($1, array[$2::uuid], array[$3], array[$4], array[false], array[null], array[null])",
        epoch,
        tenant.id,
        digest,
        value,
    )
    assert outcome == "precondition_failed"
    assert current(client, token).status_code == 404
