"""What a span says of a request, what it never says, and that nothing is paid for where nobody asked."""

import subprocess
import sys
import time
from importlib.util import find_spec
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

from app import tracing
from app.settings import SettingsError

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


def record(**said: Any) -> tuple[ReadableSpan | None, Any]:
    """The span of a request, and its exemplar; sampled where its parent is."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    request: dict[str, Any] = {
        "method": "GET",
        "route": "/v1/state/{collection}/{key}",
        "status": 200,
        "seconds": 0.5,
        "request_id": "r-1",
        "traceparent": PARENT,
    }
    exemplar = tracing.Tracing(provider).request(**{**request, **said})
    spans = exporter.get_finished_spans()
    return (spans[0] if spans else None), exemplar


def test_a_request_is_a_span_under_its_callers() -> None:
    span, exemplar = record()
    assert span is not None
    assert span.context is not None
    assert span.parent is not None
    assert (span.name, span.kind.name) == ("GET /v1/state/{collection}/{key}", "SERVER")
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.parent.is_remote
    assert span.end_time is not None
    assert span.start_time is not None
    assert span.end_time - span.start_time == 500_000_000
    assert abs(span.end_time - time.time_ns()) < 60e9
    assert exemplar == {
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": f"{span.context.span_id:016x}",
    }


def test_a_span_has_these_attributes_and_no_others() -> None:
    span, _ = record()
    assert span is not None
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/state/{collection}/{key}",
        "http.response.status_code": 200,
        "vanta.request_id": "r-1",
    }


@pytest.mark.parametrize(("status", "error"), [(503, True), (404, False)])
def test_an_error_is_one_of_the_server(status: int, error: bool) -> None:
    span, _ = record(status=status)
    assert span is not None
    assert (span.status.status_code.name == "ERROR") == error
    assert ("error.type" in (span.attributes or {})) == error


def test_where_nothing_is_served_the_name_says_nothing_of_the_path() -> None:
    span, _ = record(method=None, route=None, status=404)
    assert span is not None
    assert span.name == "HTTP"
    assert (span.attributes or {})["http.request.method"] == "_OTHER"
    assert "http.route" not in (span.attributes or {})


@pytest.mark.parametrize("parent", [None, PARENT[:-2] + "00"])
def test_what_is_not_sampled_has_neither_span_nor_exemplar(parent: str | None) -> None:
    assert record(traceparent=parent) == (None, None)


def test_without_a_collector_nothing_is_traced_and_nothing_imported() -> None:
    assert tracing.make({}) is None
    assert tracing.make({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}) is None
    code = "import sys, app.api.worker, app.cli.commands; print([m for m in sys.modules if 'opentelemetry' in m])"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout == "[]\n"


def test_a_collector_without_the_extra_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "find_spec", lambda name: find_spec("vanta_" + name.replace(".", "_")))
    with pytest.raises(SettingsError, match=r"install the extra otel"):
        tracing.wanted(ENDPOINT)
