"""What a served API lets be seen: spans at a collector, exemplars, pools and batches."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .conftest import Database, Served, Tenant, serving

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OPEN_METRICS = {"accept": "application/openmetrics-text"}


class Collector(HTTPServer):
    """Takes what an exporter of OTLP over HTTP sends."""

    def __init__(self) -> None:
        self.bodies: Queue[bytes] = Queue()
        super().__init__(("127.0.0.1", 0), _Taker)


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        self.server.bodies.put(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A running collector."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_request_reaches_the_collector_as_a_span_and_nothing_that_was_said_in_it(
    database: Database, tenant: Tenant, collector: Collector, tmp_path: Path
) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    headers = {**tenant.headers, "traceparent": f"00-{TRACE}-{SPAN}-01"}
    with serving(database, tmp_path, **environment) as api, httpx.Client(base_url=api.url) as client:
        assert client.put("/v1/state/agents/hush-key", json="hush-value", headers=headers).status_code == 201
        assert client.get("/v1/hush-nowhere", headers=headers).status_code == 404
        metrics = client.get("/metrics", headers=OPEN_METRICS).text
    # The end of the process sends what waits, so all is there now.
    bodies = [collector.bodies.get_nowait() for _ in range(collector.bodies.qsize())]
    exported = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    resources = [resource for one in exported for resource in one.resource_spans]
    spans = [
        span
        for resource in resources
        for scope in resource.scope_spans
        for span in scope.spans
        if span.trace_id.hex() == TRACE
    ]
    assert {span.name for span in spans} == {"PUT /v1/state/{collection}/{key}", "HTTP"}
    assert {span.parent_span_id.hex() for span in spans} == {SPAN}
    names = {attribute.value.string_value for one in resources for attribute in one.resource.attributes}
    assert "vanta-api" in names
    for said in (b"hush", tenant.key.encode(), tenant.key.rsplit("_", 1)[1].encode()):
        assert all(said not in body for body in bodies)
    exemplar = re.search(
        r'^vanta_http_request_seconds_bucket\{.*method="PUT".*# \{(.*)\}', metrics, re.MULTILINE
    )
    assert exemplar
    assert f'trace_id="{TRACE}"' in exemplar[1]


def test_a_collector_that_is_lost_holds_up_neither_requests_nor_the_end(
    database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    with serving(database, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1") as api:
        written = httpx.put(f"{api.url}/v1/state/agents/a", json=1, headers=tenant.headers)
        assert written.status_code == 201
        api.process.terminate()
        assert api.process.wait(15) == 0, api.log.read_text()


def test_pools_and_batches_can_be_seen(api: Served, tenant: Tenant) -> None:
    httpx.put(f"{api.url}/v1/state/agents/a", json=1, headers=tenant.headers).raise_for_status()
    answer = httpx.get(f"{api.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for kind in ("read", "write"):
        assert f'vanta_batch_waiting{{kind="{kind}"}} 0.0' in answer.text
    pools = dict(
        re.findall(
            r'^vanta_pool_connections\{pool="(\w+)",state="idle"\} ([0-9.]+)', answer.text, re.MULTILINE
        )
    )
    assert {*pools} == {"documents", "epoch", "events", "side", "exports", "guarded"}
    assert float(pools["documents"]) > 0


def test_whoever_accepts_openmetrics_gets_it(api: Served) -> None:
    answer = httpx.get(f"{api.url}/metrics", headers=OPEN_METRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
