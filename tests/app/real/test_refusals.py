"""Bad input: the right status and problem, and nothing written."""

import http.client
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from app.api.problems import ALL, TYPE_PREFIX
from app.state.json import MAX_BYTES

from .conftest import Database, Served, Tenant

PATH = "/v1/state/agents/planner/7"
JSON = {"content-type": "application/json"}


def assert_problem(response: httpx.Response, name: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == TYPE_PREFIX + name
    assert problem["status"] == response.status_code == ALL[name].status
    assert problem["requestId"] == response.headers["x-request-id"]
    assert problem["detail"]


@pytest.fixture
def untouched(client: httpx.Client, database: Database, tenant: Tenant) -> Callable[[], bool]:
    """Whether nothing was written since one document was, by whatever the test did."""
    assert client.put(PATH, json="kept").status_code == 201
    before = database.trace(tenant.id)
    return lambda: database.trace(tenant.id) == before and client.get(PATH).json() == "kept"


@pytest.mark.parametrize(
    ("headers", "body", "problem"),
    [
        (JSON, b"{", "malformed-json"),
        (JSON, b"", "malformed-json"),
        (JSON, b'{"a": NaN}', "malformed-json"),
        (JSON, b'"\xff"', "malformed-json"),
        (JSON, b'{"a": 1, "a": 2}', "invalid-document"),
        (JSON, b'"\\u0000"', "invalid-document"),
        (JSON, b'"\\ud800"', "invalid-document"),
        (JSON, b"1e999", "invalid-document"),
        (JSON, b"[" * 10_000 + b"]" * 10_000, "invalid-document"),
        (JSON, b'"' + b"x" * MAX_BYTES + b'"', "body-too-large"),
        ({}, b"1", "unsupported-media-type"),
        ({"content-type": "text/plain"}, b"1", "unsupported-media-type"),
        ({"content-type": "application/json; charset=latin-1"}, b"1", "unsupported-media-type"),
        ({**JSON, "content-encoding": "gzip"}, b"1", "unsupported-media-type"),
        ({**JSON, "if-match": "1-a"}, b"1", "invalid-precondition"),
        ({**JSON, "if-match": '"a', "x": "y"}, b"1", "invalid-precondition"),
        ({**JSON, "if-none-match": '"a"'}, b"1", "invalid-precondition"),
        ({**JSON, "if-none-match": "*", "if-match": "*"}, b"1", "invalid-precondition"),
        ({**JSON, "vanta-concurrency": "first-write-wins"}, b"1", "invalid-precondition"),
        ({**JSON, "vanta-ttl": "0"}, b"1", "invalid-ttl"),
        ({**JSON, "vanta-ttl": "-1"}, b"1", "invalid-ttl"),
        ({**JSON, "vanta-ttl": "1.5"}, b"1", "invalid-ttl"),
        ({**JSON, "vanta-ttl": "9999999999999999999"}, b"1", "invalid-ttl"),
        ({**JSON, "vanta-ttl": ""}, b"1", "invalid-ttl"),
        ({**JSON, "if-match": '"\xe9"'}, b"1", "invalid-precondition"),
        ({**JSON, "if-none-match": "\xe9"}, b"1", "invalid-precondition"),
        ({**JSON, "vanta-concurrency": "\xe9"}, b"1", "invalid-precondition"),
        ({**JSON, "vanta-ttl": "\xe9"}, b"1", "invalid-ttl"),
        ({**JSON, "content-encoding": "\xe9"}, b"1", "unsupported-media-type"),
        (JSON, b"1", "precondition-required"),
        ({**JSON, "if-none-match": "*"}, b"1", "precondition-failed"),
        ({**JSON, "if-match": '"0-0"'}, b"1", "precondition-failed"),
        ({**JSON, "if-match": 'W/"1-a"'}, b"1", "precondition-failed"),
    ],
)
def test_a_refused_write_writes_nothing(
    client: httpx.Client, untouched: Callable[[], bool], headers: dict[str, str], body: bytes, problem: str
) -> None:
    # Latin-1, as HTTP once allowed: such a value must not count as not sent.
    encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    assert_problem(client.put(PATH, content=body, headers=encoded), problem)
    assert untouched()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/v1/state/Agents/k", "invalid-collection"),
        ("/v1/state/%20/k", "invalid-collection"),
        (f"/v1/state/{'c' * 64}/k", "invalid-collection"),
        ("/v1/state/agents/", "invalid-key"),
        ("/v1/state/agents/a//b", "invalid-key"),
        ("/v1/state/agents/a%2F..%2Fb", "invalid-key"),
        ("/v1/state/agents/a%00b", "invalid-key"),
        ("/v1/state/agents/%FF", "invalid-key"),
        ("/v1/state/agents/%C3%A9", "invalid-key"),
        (f"/v1/state/agents/{'k' * 513}", "invalid-key"),
        ("/v1/state", "no-route"),
        ("/v1/nothing", "no-route"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_bad_name_is_refused_by_every_method(
    client: httpx.Client, untouched: Callable[[], bool], method: str, path: str, problem: str
) -> None:
    body = b"1" if method == "PUT" else None
    assert_problem(client.request(method, path, content=body, headers=JSON), problem)
    assert untouched()


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "TRACE"])
def test_a_method_that_is_not_served_is_named_with_those_that_are(client: httpx.Client, method: str) -> None:
    refused = client.request(method, PATH)
    assert_problem(refused, "method-not-allowed")
    assert refused.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer x", "Basic eDp5", "Bearer vanta_0123456789abcdef_" + "A" * 43],
)
def test_without_a_known_key_there_is_nothing_to_see(
    api: Served, untouched: Callable[[], bool], authorization: str | None
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    for method in ("GET", "PUT", "DELETE"):
        refused = httpx.request(method, api.url + PATH, headers=headers)
        assert_problem(refused, "unauthenticated")
        assert refused.headers["www-authenticate"].startswith("Bearer")
    assert untouched()


def test_a_key_id_with_another_secret_is_no_key(
    api: Served, untouched: Callable[[], bool], tenant: Tenant
) -> None:
    wrong = tenant.key[:-1] + ("A" if tenant.key[-1] != "A" else "B")
    assert_problem(httpx.get(api.url + PATH, headers={"authorization": f"Bearer {wrong}"}), "unauthenticated")
    assert untouched()


def test_a_body_without_a_length_is_cut_off_at_the_limit(
    api: Served, tenant: Tenant, untouched: Callable[[], bool]
) -> None:
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=30)
    try:
        chunks = (b"x" * 65536 for _ in range(2 * MAX_BYTES // 65536))
        connection.request("PUT", PATH, chunks, {**tenant.headers, **JSON}, encode_chunked=True)
        status = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413
    finally:
        connection.close()
    assert status == 413
    assert untouched()


@pytest.mark.parametrize("length", ["content-length: 4", "transfer-encoding: chunked"])
def test_of_a_body_whose_client_leaves_before_its_end_nothing_is_written(
    api: Served, tenant: Tenant, untouched: Callable[[], bool], length: str
) -> None:
    host, _, port = urlsplit(api.url).netloc.partition(":")
    part = "12" if "length" in length else "2\r\n12\r\n"
    head = f"PUT {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {tenant.key}\r\ncontent-type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"{head}vanta-concurrency: last-write-wins\r\n{length}\r\n\r\n{part}".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert '"urn:vanta:problem:malformed-json"' in answer
    assert untouched()


def test_no_answer_and_no_log_line_repeats_a_body_or_a_key(
    api: Served, client: httpx.Client, tenant: Tenant
) -> None:
    path = "/v1/state/agents/someone@example.com"
    answers = [
        client.put(path, content=b'{"card": "4111111111111111", }', headers=JSON).text,
        client.put(
            path, content=b'{"card": "4111111111111111"}', headers={**JSON, "if-match": "4111111111111111"}
        ).text,
        client.put(path, content=b'{"card": "4111111111111111"}', headers=JSON).text,
        api.log.read_text(),
    ]
    for answer in answers:
        assert "4111111111111111" not in answer  # whole: a part of it may be part of a random id
        assert "someone@" not in answer
        assert tenant.key.split("_")[2] not in answer


def test_a_request_id_comes_back_if_it_is_sound_and_is_replaced_otherwise(client: httpx.Client) -> None:
    assert client.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert client.get("/healthz", headers={"x-request-id": 'a"b c'}).headers["x-request-id"] != 'a"b c'
