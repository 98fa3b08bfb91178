"""A TCP proxy that a test can cut, freeze or slow: the network between the application and an engine."""

import asyncio
import threading
from concurrent.futures import Future
from typing import Self


class Proxy:
    """Forwards ``127.0.0.1:port`` to ``target``; use as a context manager."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = True
        self._delay = 0.0
        self._asking: asyncio.Event
        self._answering: asyncio.Event
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start()).result()
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()
        self._call(self._stop()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Drop all connections and every new one."""
        self._call(self._cut()).result()

    def freeze(self) -> None:
        """Keep the connections, forward nothing."""

        def work() -> None:
            self._asking.clear()
            self._answering.clear()

        self._loop.call_soon_threadsafe(work)

    def mute(self) -> None:
        """Forward what is asked and hold back what is answered."""
        self._loop.call_soon_threadsafe(self._answering.clear)

    def slow(self, seconds: float) -> None:
        """Hold up each piece for so long."""
        self._delay = seconds

    def restore(self) -> None:
        """Work again; what was held back is forwarded now."""

        self._delay = 0.0

        def work() -> None:
            self._open = True
            self._asking.set()
            self._answering.set()

        self._loop.call_soon_threadsafe(work)

    def _call(self, work) -> Future[None]:  # noqa: ANN001 - a coroutine
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _start(self) -> None:
        self._asking, self._answering = asyncio.Event(), asyncio.Event()
        self._asking.set()
        self._answering.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        await self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cut(self) -> None:
        self._open = False
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer, self._asking))
                group.create_task(self._pump(far_reader, writer, self._answering))
        except* OSError:
            pass
        finally:
            for end in (writer, far_writer):
                self._writers.discard(end)
                end.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            await asyncio.sleep(self._delay)
            await flowing.wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError
