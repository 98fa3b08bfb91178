"""Documents over HTTP: what a client may rely on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Database, Served, Tenant, eventually, serving

PATH = "/v1/state/agents/planner/7"
LAST_WRITE_WINS = {"vanta-concurrency": "last-write-wins"}


def test_a_document_is_created_read_replaced_and_deleted(client: httpx.Client) -> None:
    created = client.put(PATH, json={"step": 1}, headers={"if-none-match": "*"})
    assert created.status_code == 201
    assert created.headers["location"] == PATH
    read = client.get(PATH)
    assert (read.status_code, read.json(), read.headers["etag"]) == (
        200,
        {"step": 1},
        created.headers["etag"],
    )
    replaced = client.put(PATH, json={"step": 2}, headers={"if-match": created.headers["etag"]})
    assert replaced.status_code == 200
    assert replaced.headers["etag"] != created.headers["etag"]
    assert client.get(PATH).json() == {"step": 2}
    deleted = client.delete(PATH, headers={"if-match": replaced.headers["etag"]})
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get(PATH).status_code == 404


@pytest.mark.parametrize(
    "body",
    [b'{"b" : 1.10,\n\t"a":[ ]}', b"  null ", b'"\\u00e9 \xc3\xa9"', b"12345678901234567890123", b"-0.0"],
)
def test_what_is_read_is_byte_for_byte_what_was_put(client: httpx.Client, body: bytes) -> None:
    assert (
        client.put(
            PATH, content=body, headers={"content-type": "application/json; charset=utf-8"}
        ).status_code
        == 201
    )
    for _ in ("written through", "again"):
        assert client.get(PATH).content == body


def test_from_postgres_the_bytes_are_the_same(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    body = '{"é" : 1.10,\n\t"a":[ ]}'
    client.put(PATH, content=body.encode(), headers={"content-type": "application/json"})
    ((value, parsed),) = database.query(
        "select value, value::jsonb ->> 'é' from vanta.current_document where tenant_id = $1", tenant.id
    )
    assert (value, parsed) == (body, "1.10")


def test_of_two_conflicting_writers_one_wins_and_the_other_learns_it(client: httpx.Client) -> None:
    etag = client.put(PATH, json=0).headers["etag"]

    def write(value: int) -> int:
        return client.put(PATH, json=value, headers={"if-match": etag}).status_code

    with ThreadPoolExecutor(8) as executor:
        statuses = list(executor.map(write, range(1, 9)))
    assert sorted(statuses) == [200] + [412] * 7
    assert client.get(PATH).json() == statuses.index(200) + 1


def test_of_many_creators_one_wins(client: httpx.Client) -> None:
    def create(value: int) -> int:
        return client.put(PATH, json=value, headers={"if-none-match": "*"}).status_code

    with ThreadPoolExecutor(8) as executor:
        statuses = list(executor.map(create, range(8)))
    assert sorted(statuses) == [201] + [412] * 7
    assert client.get(PATH).json() == statuses.index(201)


def test_counting_with_if_match_loses_no_update(client: httpx.Client) -> None:
    client.put(PATH, json=0)

    def add(times: int) -> None:
        while times:
            read = client.get(PATH)
            written = client.put(PATH, json=read.json() + 1, headers={"if-match": read.headers["etag"]})
            times -= written.status_code == 200

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(add, [10] * 4))
    assert client.get(PATH).json() == 40


def test_last_write_wins_only_when_the_request_says_so(client: httpx.Client) -> None:
    assert client.put(PATH, json=1).status_code == 201
    assert client.put(PATH, json=2).status_code == 428
    assert client.get(PATH).json() == 1
    assert client.put(PATH, json=3, headers=LAST_WRITE_WINS).status_code == 200
    assert client.put(PATH + "/new", json=3, headers=LAST_WRITE_WINS).status_code == 201
    assert client.get(PATH).json() == 3


def test_deleting_needs_the_same_care_as_writing(client: httpx.Client) -> None:
    etag = client.put(PATH, json=1).headers["etag"]
    assert client.delete(PATH).status_code == 428
    assert client.delete(PATH, headers={"if-match": '"0-0"'}).status_code == 412
    assert client.delete(PATH, headers={"if-match": f'"0-0", {etag}'}).status_code == 204
    assert client.delete(PATH).status_code == 404
    assert client.delete(PATH, headers={"if-match": "*"}).status_code == 412


def test_if_match_of_a_star_wants_a_document_to_be_there(client: httpx.Client) -> None:
    assert client.put(PATH, json=1, headers={"if-match": "*"}).status_code == 412
    client.put(PATH, json=1)
    assert client.put(PATH, json=2, headers={"if-match": "*"}).status_code == 200


def test_a_tag_never_comes_back_not_even_after_a_deletion_with_the_same_content(client: httpx.Client) -> None:
    first = client.put(PATH, json=1).headers["etag"]
    client.delete(PATH, headers={"if-match": "*"})
    second = client.put(PATH, json=1).headers["etag"]
    assert first != second
    assert client.put(PATH, json=2, headers={"if-match": first}).status_code == 412


def test_a_read_is_answered_304_for_the_current_tag_only(client: httpx.Client) -> None:
    etag = client.put(PATH, json=1).headers["etag"]
    fresh = client.get(PATH, headers={"if-none-match": f'"x", W/{etag}'})
    assert (fresh.status_code, fresh.content, fresh.headers["etag"]) == (304, b"", etag)
    client.put(PATH, json=2, headers={"if-match": "*"})
    assert client.get(PATH, headers={"if-none-match": etag}).status_code == 200


def test_head_says_what_get_would(client: httpx.Client) -> None:
    client.put(PATH, json={"a": 1})
    get, head = client.get(PATH), client.head(PATH)
    assert head.content == b""
    for name in ("etag", "content-type", "content-length"):
        assert head.headers[name] == get.headers[name]
    assert client.head(PATH + "/none").status_code == 404


def test_a_slash_and_its_encoding_name_the_same_document(client: httpx.Client) -> None:
    client.put("/v1/state/agents/planner%2F7", json=1)
    assert client.get(PATH).json() == 1


def test_an_expired_document_is_gone_at_once(client: httpx.Client) -> None:
    put = client.put(PATH, json=1, headers={"vanta-ttl": "1"})
    assert put.headers["vanta-expires-at"].endswith("Z")
    assert client.get(PATH).headers["vanta-expires-at"] == put.headers["vanta-expires-at"]
    eventually(lambda: client.get(PATH).status_code == 404)
    assert client.put(PATH, json=2, headers={"if-match": "*"}).status_code == 412
    assert client.delete(PATH).status_code == 404
    assert client.put(PATH, json=2).status_code == 201


def test_what_the_sweeper_has_not_removed_yet_is_gone_all_the_same(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    client.put(PATH, json=1, headers={"vanta-ttl": "3600"})
    database.query("update vanta.document set expires_at = now() where tenant_id = $1", tenant.id)
    assert client.put(PATH, json=2, headers={"if-match": "*"}).status_code == 412
    assert client.get(PATH).status_code == 404
    assert database.trace(tenant.id) == (1, 1, 1, 1)
    assert client.put(PATH, json=2, headers={"if-none-match": "*"}).status_code == 201


def test_a_write_without_a_time_to_live_makes_the_document_stay(client: httpx.Client) -> None:
    client.put(PATH, json=1, headers={"vanta-ttl": "3600"})
    replaced = client.put(PATH, json=2, headers={"if-match": "*"})
    assert "vanta-expires-at" not in replaced.headers
    assert "vanta-expires-at" not in client.get(PATH).headers


def test_each_write_leaves_one_version_and_one_event_with_it(
    client: httpx.Client, database: Database, tenant: Tenant
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    etag = client.put(PATH, json=1, headers={"traceparent": trace}).headers["etag"]
    client.put(PATH, json=2, headers={"if-match": "*", "traceparent": "nonsense"})
    client.delete(PATH, headers={"if-match": "*"})
    assert database.trace(tenant.id) == (0, 3, 3, 3)
    versions = database.query(
        "select revision, value from vanta.document_version where tenant_id = $1 order by revision", tenant.id
    )
    assert [tuple(version) for version in versions] == [(1, "1"), (2, "2"), (3, None)]
    events = database.query(
        "select event ->> 'type', event ->> 'traceparent', event ->> 'source', split_part(event ->> 'id', '-', 1), event -> 'data' ->> 'etag', "
        "event ->> 'subject', event ->> 'specversion' from vanta.outbox_event where tenant_id = $1 order by revision",
        tenant.id,
    )
    source = f"/tenants/{tenant.id}"
    created, replaced, deleted = (tuple(event) for event in events)
    subject = "state/agents/planner/7"
    assert created == ("vanta.state.document.created", trace, source, "1", etag.strip('"'), subject, "1.0")
    assert replaced[:4] == ("vanta.state.document.replaced", None, source, "2")
    assert deleted[:4] == ("vanta.state.document.deleted", None, source, "3")


_segment = st.text("abcXYZ019-._~!$&'()*+,;=:@", min_size=1, max_size=8).filter(
    lambda text: text not in {".", ".."}
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    segments=st.lists(_segment, min_size=1, max_size=4),
    value=st.dictionaries(st.text('ab:"\\é', max_size=4), st.integers()),
)
def test_any_allowed_key_holds_any_document(
    client: httpx.Client, segments: list[str], value: dict[str, int]
) -> None:
    path = "/v1/state/any/" + "/".join(segments)
    assert client.put(path, json=value, headers=LAST_WRITE_WINS).status_code in {200, 201}
    assert client.get(path).json() == value


def test_two_processes_never_serve_each_other_stale_documents(
    api: Served, database: Database, tenant: Tenant, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        serving(database, tmp_path_factory.mktemp("second")) as second,
        httpx.Client(base_url=api.url, headers=tenant.headers) as one,
        httpx.Client(base_url=second.url, headers=tenant.headers) as other,
    ):
        one.put(PATH, json=-1)
        for value in range(60):
            writer, reader = (one, other) if value % 2 else (other, one)
            assert reader.get(PATH).json() == value - 1
            assert writer.put(PATH, json=value, headers={"if-match": "*"}).status_code == 200
            assert reader.get(PATH).json() == value


def test_tenants_have_keys_of_their_own(api: Served, new_tenant: Callable[[], Tenant]) -> None:
    one, other = new_tenant(), new_tenant()
    etag = httpx.put(api.url + PATH, json="one", headers=one.headers).headers["etag"]
    assert httpx.get(api.url + PATH, headers=other.headers).status_code == 404
    assert httpx.put(api.url + PATH, json="x", headers={**other.headers, "if-match": etag}).status_code == 412
    assert httpx.delete(api.url + PATH, headers={**other.headers, "if-match": "*"}).status_code == 412
    assert httpx.put(api.url + PATH, json="other", headers=other.headers).status_code == 201
    assert httpx.get(api.url + PATH, headers=one.headers).json() == "one"
    assert httpx.get(api.url + PATH, headers=other.headers).json() == "other"


def test_batches_of_any_size_share_one_plan_which_walks_no_table(database: Database) -> None:
    settings = database.query(
        "select proconfig from pg_proc where pronamespace = 'vanta'::regnamespace"
        " and proname in ('read_documents', 'write_documents')"
    )
    assert len(settings) == 2
    for (chosen,) in settings:
        assert {*chosen} >= {
            "plan_cache_mode=force_generic_plan",
            "enable_seqscan=off",
            "enable_hashjoin=off",
            "enable_mergejoin=off",
        }
