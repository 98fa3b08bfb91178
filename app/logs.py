"""Logs: one JSON object a line on standard output; no bodies, no keys, no secrets."""

import asyncio
import logging
import logging.config
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
import structlog

_encoder = msgspec.json.Encoder(enc_hook=repr)
_encode = _encoder.encode

_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]

# How long a request's line may wait for others to leave with it.
_FLUSH_SECONDS = 0.1


class RequestLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is logged of a request."""

    event: str = "request"
    level: str = "info"
    timestamp: datetime
    method: str
    route: str
    status: int
    milliseconds: float
    tenant: UUID | None
    principal: str | None
    request_id: str
    traceparent: str | None


class RequestLog:
    """Logs each request where the level says so; lines leave together, for a write each costs more than the request."""

    def __init__(self, output: BinaryIO, *, enabled: bool) -> None:
        self._output = output
        self._enabled = enabled
        self._lines: list[RequestLine] = []

    def add(
        self,
        *,
        method: str,
        route: str,
        status: int,
        seconds: float,
        tenant: UUID | None,
        principal: str | None,
        request_id: str,
        traceparent: str | None,
    ) -> None:
        """One answered request; ``seconds`` it took."""
        if not self._enabled:
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)
        self._lines.append(
            RequestLine(
                timestamp=datetime.now(UTC),
                method=method,
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 3),
                tenant=tenant,
                principal=principal,
                request_id=request_id,
                traceparent=traceparent,
            )
        )

    def flush(self) -> None:
        """Write what waits."""
        if self._lines:
            self._output.write(_encoder.encode_lines(self._lines))
            self._output.flush()
            self._lines.clear()


def _render(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    return _encode(event)


class _JsonFormatter(logging.Formatter):
    """The server's own messages in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        event: MutableMapping[str, Any] = {"event": record.getMessage(), "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        for processor in _PROCESSORS:
            shaped = processor(None, record.levelname.lower(), event)
            assert isinstance(shaped, MutableMapping)  # noqa: S101 - what these three return
            event = shaped
        return _encode(event).decode()


def configuration(level: str) -> Mapping[str, Any]:
    """What ``logging.config.dictConfig`` takes, for the server and every library."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": _JsonFormatter}},
        "handlers": {
            "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}
        },
        "root": {"handlers": ["stdout"], "level": level.upper()},
        "loggers": {
            "_granian": {"handlers": ["stdout"], "level": level.upper(), "propagate": False},
            # Below that they log what AWS is asked and answers: data keys, in the clear.
            **{name: {"level": "WARNING"} for name in ("boto3", "botocore", "urllib3")},
        },
    }


def configure(level: str) -> None:
    """From here on the process logs as this module says."""
    logging.config.dictConfig(dict(configuration(level)))
    structlog.configure(
        processors=[*_PROCESSORS, _render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
