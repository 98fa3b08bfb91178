"""Logs: one JSON object a line on standard output; no bodies, no keys, no secrets."""

import logging
import logging.config
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import msgspec
import structlog

_encode = msgspec.json.Encoder(enc_hook=repr).encode

_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


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
        "loggers": {"_granian": {"handlers": ["stdout"], "level": level.upper(), "propagate": False}},
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
