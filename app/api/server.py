"""granian with our settings, and an end without a refused request."""

import contextlib
import os
import signal
import socket
import threading
import time
from types import FrameType
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from app import logs
from app.api.worker import DRAIN_SIGNAL
from app.settings import Settings

#: Seconds a request may still take once the server has stopped listening.
_LAST_REQUESTS_SECONDS = 20
_HEADER_MILLISECONDS = 10_000
# The workers of a server that was killed take a moment to notice.
_PORT_SECONDS = 2.0


class ListenError(Exception):
    """The address cannot be listened on."""


class Server(MPServer):
    """On SIGTERM each worker first turns unready, and goes on serving while load balancers take notice.

    SIGINT (a person at a keyboard) and a second SIGTERM end at once; requests under way are answered in any case.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            "app.api.worker:make",
            factory=True,
            address=settings.listen_host,
            port=settings.listen_port,
            workers=settings.workers,
            interface=Interfaces.RSGI,
            loop=Loops.uvloop,
            http=HTTPModes.auto,
            # What reads the whole head of a request in this time is no slow-loris.
            http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
            websockets=False,
            backlog=1024,
            workers_kill_timeout=_LAST_REQUESTS_SECONDS,
            log_level=LogLevels(settings.log_level),
            log_dictconfig=dict(logs.configuration(settings.log_level)),
        )
        self._drain_seconds = settings.drain_seconds
        self._draining = False

    def signal_handler_interrupt(
        self, signum: int = signal.SIGINT, frame: FrameType | None = None, **_: Any
    ) -> None:
        """Called on SIGTERM and SIGINT."""
        first, self._draining = not self._draining, True
        if first:
            # In any case, for watches end by nothing else. A worker that has just died is about to be noticed.
            for worker in self.wrks:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.inner.pid, DRAIN_SIGNAL)
        if signum != signal.SIGTERM or not first or not self._drain_seconds:
            super().signal_handler_interrupt(signum, frame)
            return
        timer = threading.Timer(self._drain_seconds, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()


def serve(settings: Settings) -> None:
    """Serve until told to end; raises :class:`ListenError` if the port is taken."""
    _check_free(settings.listen_host, settings.listen_port)
    Server(settings).serve()


def _check_free(host: str, port: int) -> None:
    """Workers share the port with SO_REUSEPORT, which would let a second server join silently."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + _PORT_SECONDS
    while error := _bind_error(family, host, port):
        if time.monotonic() > deadline:
            raise ListenError(
                f"Cannot listen on {host}:{port} ({error.strerror}): stop what does, or set VANTA_LISTEN_PORT to another."
            )
        time.sleep(0.1)


def _bind_error(family: socket.AddressFamily, host: str, port: int) -> OSError | None:
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            return error
    return None
