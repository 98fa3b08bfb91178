"""A load balancer of connections in front of API processes: new ones go to those that are ready, in turns.

As a Service of Kubernetes or a network load balancer does it, a process that is not ready any more keeps the connections
that it has: it ends them itself once it has answered what is under way.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

#: Seconds from one question for readiness to the next, and those after which no answer is a no.
CHECK_SECONDS, ANSWER_SECONDS = 0.2, 1.0
_HOST = "127.0.0.1"
_PIECE = 1 << 16


class Balancer:
    """Listens at ``port`` of this machine once started, for TLS if there is a context; 0 lets the system choose one."""

    def __init__(self, port: int = 0, *, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self._tls = tls
        self._backends: dict[int, bool] = {}
        self._turn = count()
        self._checking: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Balancer":
        self._server = await asyncio.start_server(self._serve, _HOST, self.port, backlog=1024, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._checking = asyncio.create_task(self._check())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._checking and self._server:
            self._checking.cancel()
            self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://{_HOST}:{self.port}"

    @property
    def ready(self) -> Sequence[int]:
        """The ports that new connections go to."""
        return [port for port, ready in self._backends.items() if ready]

    def point_to(self, *ports: int) -> None:
        """Let these be the backends from now on; one that is new has to show that it is ready first."""
        self._backends = {port: self._backends.get(port, False) for port in ports}

    async def _check(self) -> None:
        while True:
            ports = list(self._backends)
            answers = await asyncio.gather(*(_ready(port) for port in ports))
            for port, ready in zip(ports, answers, strict=True):
                if port in self._backends:
                    self._backends[port] = ready
            await asyncio.sleep(CHECK_SECONDS)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs each connection in one
        self._carrying.add(task)
        try:
            # Who ends the balancer waits for this task; asyncio's streams report one that was cancelled as an error.
            with suppress(asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._carrying.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect to the next that is ready and lets itself be connected to, and pass on what both sides say."""
        for _ in range(len(self.ready)):
            port = self.ready[next(self._turn) % len(self.ready)]
            try:
                there, back = await asyncio.open_connection(_HOST, port)
            except OSError:
                self._backends[port] = False
                continue
            try:
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
            finally:
                back.close()
            return


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on until one side ends, then end the other."""
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    with suppress(OSError):
        writer.close()


async def _ready(port: int) -> bool:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(_HOST, port)
            try:
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
