"""The way into a place from outside, which can be cut: what is behind it runs on and knows nothing of it."""

import asyncio
from contextlib import suppress

_HOST = "127.0.0.1"
_PIECE = 1 << 16


class Door:
    """Passes on connections to ``host:port``, from a port of its own that :attr:`port` names once it is entered.

    While it is cut nothing passes, in either direction, of a connection whose first words contain ``whose``: as on a network that
    loses every packet, nobody is refused and nobody is answered.
    """

    def __init__(self, host: str, port: int, *, whose: bytes = b"") -> None:
        self._there, self._whose = (host, port), whose
        self._whole = asyncio.Event()
        self._whole.set()
        self._held: set[asyncio.Task[None]] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> "Door":
        self._server = await asyncio.start_server(self._serve, _HOST, 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def cut(self) -> None:
        """Let nothing through."""
        self._whole.clear()

    def mend(self) -> None:
        """Let everything through again; connections of before are gone."""
        if not self._whole.is_set():
            for task in self._held:
                task.cancel()
        self._whole.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs each connection in one
        self._carrying.add(task)
        try:
            # asyncio's streams report one that was cancelled as an error.
            with suppress(OSError, asyncio.CancelledError):
                await self._carry(task, reader, writer)
        finally:
            self._carrying.discard(task)
            self._held.discard(task)
            writer.close()

    async def _carry(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first = await reader.read(_PIECE)
        held = self._whose in first
        if held:
            self._held.add(task)
            await self._whole.wait()
        there, back = await asyncio.open_connection(*self._there)
        try:
            back.write(first)
            await asyncio.gather(self._pump(reader, back, held=held), self._pump(there, writer, held=held))
        finally:
            back.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, held: bool) -> None:
        """Pass on until one side ends, then end the other."""
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                if held:
                    await self._whole.wait()
                writer.write(piece)
                await writer.drain()
        with suppress(OSError):
            writer.close()
