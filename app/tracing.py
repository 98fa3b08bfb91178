"""Traces: a span for each request, to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names.

Nothing of OpenTelemetry is imported unless it is set; everything else is said by OpenTelemetry's own variables.

Source: OpenTelemetry, "Semantic conventions for HTTP spans" and "OpenTelemetry Environment Variable Specification".
"""

import time
from collections.abc import Mapping
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING

from app.settings import SettingsError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

_SWITCH = "OTEL_EXPORTER_OTLP_ENDPOINT"
_SERVICE = "OTEL_SERVICE_NAME"
_FLUSH_SECONDS = 2.0
# What the convention calls a method that is none of a route.
_OTHER = "_OTHER"


class Tracing:
    """Records requests in spans of ``provider``; a span never holds a path, a query string, a body or a key."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import trace  # noqa: PLC0415 - only where it is used

        self._trace = trace
        self._provider = provider
        self._tracer = provider.get_tracer("vanta")

    def request(
        self,
        *,
        method: str | None,
        route: str | None,
        status: int,
        seconds: float,
        request_id: str,
        traceparent: str | None,
    ) -> Mapping[str, str] | None:
        """Record a request that was just answered, under the span that ``traceparent`` names; its exemplar if it is sampled.

        ``method`` and ``route`` (its template) are None where nothing is served.
        """
        ended = time.time_ns()
        attributes: dict[str, str | int] = {
            "http.request.method": method or _OTHER,
            "http.response.status_code": status,
            "vanta.request_id": request_id,
        }
        if route is not None:
            attributes["http.route"] = route
        if status >= 500:
            attributes["error.type"] = str(status)
        span = self._tracer.start_span(
            f"{method} {route}" if route else "HTTP",
            context=self._parent(traceparent),
            kind=self._trace.SpanKind.SERVER,
            attributes=attributes,
            start_time=ended - int(seconds * 1e9),
        )
        if status >= 500:
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(ended)
        context = span.get_span_context()
        if not context.trace_flags.sampled:
            return None
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}

    def close(self) -> None:
        """Send what waits, for two seconds at most: a lost collector must not hold up the end."""
        flush = Thread(target=self._provider.force_flush, daemon=True)
        flush.start()
        flush.join(_FLUSH_SECONDS)

    def _parent(self, traceparent: str | None) -> "Context | None":
        if traceparent is None:
            return None
        _, trace_id, span_id, flags = traceparent.split("-")
        parent = self._trace.SpanContext(
            int(trace_id, 16),
            int(span_id, 16),
            is_remote=True,
            trace_flags=self._trace.TraceFlags(int(flags, 16)),
        )
        return self._trace.set_span_in_context(self._trace.NonRecordingSpan(parent))


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether ``environment`` names a collector; raises :class:`SettingsError` where nothing could send to it."""
    if not environment.get(_SWITCH):
        return False
    try:
        missing = find_spec("opentelemetry.exporter.otlp.proto.http") is None
    except ModuleNotFoundError:
        missing = True
    if missing:
        raise SettingsError(
            f"{_SWITCH} is set, but OpenTelemetry is not installed: install the extra otel from a checkout, or leave it unset."
        )
    return True


def make(environment: Mapping[str, str]) -> Tracing | None:
    """Tracing to the collector that ``environment`` names, if it does."""
    if not wanted(environment):
        return None
    # Only where it is asked for: it costs a tenth of a second and some MiB.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    named = {} if environment.get(_SERVICE) else {"service.name": "vanta-api"}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)
