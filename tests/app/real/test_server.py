"""The served process: health, reference, and its end."""

import json
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from .conftest import Database, Served, Tenant, command, eventually, serving

PATH = "/v1/state/agents/planner/7"


def test_readiness_names_each_dependency(api: Served) -> None:
    ready = httpx.get(f"{api.url}/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "dependencies": {
            "database": {"status": "up", "required": True},
            "cache": {"status": "up", "required": False},
        },
    }
    assert httpx.get(f"{api.url}/healthz").json() == {"status": "ok"}


def test_the_openapi_document_is_served(api: Served) -> None:
    document = httpx.get(f"{api.url}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert "put" in document["paths"]["/v1/state/{collection}/{key}"]


def test_requests_are_counted_by_route_and_never_by_key(api: Served, client: httpx.Client) -> None:
    def count() -> float:
        families = text_string_to_metric_families(httpx.get(f"{api.url}/metrics").text)
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "vanta_http_requests_total"
            and sample.labels == {"method": "GET", "route": "/v1/state/{collection}/{key}", "status": "404"}
        )

    before = count()
    client.get("/v1/state/agents/never-written")
    assert count() == before + 1
    assert "never-written" not in httpx.get(f"{api.url}/metrics").text


def test_each_request_is_one_json_line(api: Served, client: httpx.Client, tenant: Tenant) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.get(PATH, headers={"x-request-id": "find-me", "traceparent": trace})
    eventually(lambda: "find-me" in api.log.read_text())
    (line,) = [line for line in api.log.read_text().splitlines() if "find-me" in line]
    logged = json.loads(line)
    assert logged["event"] == "request"
    assert (logged["method"], logged["route"], logged["status"]) == (
        "GET",
        "/v1/state/{collection}/{key}",
        404,
    )
    assert (logged["tenant"], logged["traceparent"]) == (str(tenant.id), trace)
    assert logged["milliseconds"] > 0


def test_every_line_of_the_log_is_json(api: Served) -> None:
    for line in api.log.read_text().splitlines():
        json.loads(line)


def _slow_put(served: Served, tenant: Tenant) -> socket.socket:
    """A PUT whose body is not all there yet."""
    host, port = served.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    head = f"PUT {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {tenant.key}\r\ncontent-type: application/json\r\n"
    connection.sendall(f"{head}content-length: 4\r\n\r\n12".encode())
    return connection


def test_sigterm_turns_unready_first_and_answers_what_is_under_way(
    database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    with serving(database, tmp_path, VANTA_DRAIN_SECONDS="2") as served:
        connection = _slow_put(served, tenant)
        # The server has the head once it has counted an earlier request; a round trip on another connection is later.
        assert served.status() in {"ready", "degraded"}
        served.process.send_signal(signal.SIGTERM)
        eventually(lambda: served.status() == "draining")
        assert httpx.get(f"{served.url}/readyz").status_code == 503
        late = httpx.put(f"{served.url}{PATH}/late", json=1, headers=tenant.headers)
        # The next request of this client goes to somebody who stays.
        assert (late.status_code, late.headers.get("connection")) == (201, "close")
        eventually(lambda: served.status() is None)
        assert served.process.poll() is None
        connection.sendall(b"34")
        answer = connection.recv(65536)
        connection.close()
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert served.process.wait(30) == 0
    assert (
        database.query(
            "select value from vanta.current_document where tenant_id = $1 and key = 'planner/7'", tenant.id
        )[0][0]
        == "1234"
    )


def test_under_load_a_drain_refuses_no_acknowledged_write(
    database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    written: list[int] = []
    with serving(database, tmp_path, VANTA_DRAIN_SECONDS="1") as served:

        def write(worker: int) -> None:
            with httpx.Client(base_url=served.url, headers=tenant.headers) as client:
                number = worker
                while True:
                    try:
                        status = client.put(f"/v1/state/load/{number}", json=number).status_code
                    except httpx.TransportError:
                        # The listener is closed: clients went elsewhere long ago.
                        return
                    assert status == 201
                    written.append(number)
                    number += 4

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(written) > 20)
        served.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(30)
        assert served.process.wait(30) == 0
    stored = {
        int(row[0])
        for row in database.query("select key from vanta.document where tenant_id = $1", tenant.id)
    }
    assert stored >= set(written)


def test_sigint_ends_at_once(database: Database, tmp_path: Path) -> None:
    with serving(database, tmp_path, VANTA_DRAIN_SECONDS="300") as served:
        started = time.monotonic()
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(30) == 0
        assert time.monotonic() - started < 30


def test_a_restarted_api_has_all_that_was_acknowledged(
    database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    with serving(database, tmp_path) as served:
        etag = httpx.put(served.url + PATH, json=1, headers=tenant.headers).headers["etag"]
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
        # Its worker does not go on without it.
        eventually(lambda: served.status() is None)
    with serving(database, tmp_path) as served:
        read = httpx.get(served.url + PATH, headers=tenant.headers)
        assert (read.json(), read.headers["etag"]) == (1, etag)


def test_a_taken_port_is_refused_with_a_remedy(api: Served, database: Database) -> None:
    port = api.url.rsplit(":", 1)[1]
    taken = Database(
        environment={**database.environment, "VANTA_LISTEN_PORT": port}, settings=database.settings
    )
    refused = command(taken, "serve")
    assert refused.returncode == 1
    assert f"127.0.0.1:{port}" in refused.stderr
    assert "VANTA_LISTEN_PORT" in refused.stderr


def test_several_workers_serve_one_truth(database: Database, tenant: Tenant, tmp_path: Path) -> None:
    with serving(database, tmp_path, VANTA_WORKERS="2") as served:
        headers = {**tenant.headers, "vanta-concurrency": "last-write-wins", "connection": "close"}
        with httpx.Client(base_url=served.url, headers=headers) as client:
            for value in range(30):
                assert client.put(PATH, json=value).status_code in {200, 201}
                assert client.get(PATH).json() == value
