"""Who takes the steps of a flow: one sender that waits, one that awaits."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import TypeVar

import httpx

from client.call import Call, Request
from client.flow import Chunk, Flow, Step, Wait, Walk, answer

T = TypeVar("T")

#: Without a word for so long a stream is taken for lost; the server says something every 15 seconds.
STREAM_SECONDS = 45.0


class Sender:
    """Sends through an ``httpx.Client``."""

    def __init__(self, http: httpx.Client, retries: int) -> None:
        self._http = http
        self.retries = retries

    def run(self, call: Call[T]) -> T:
        """The answer to ``call``."""
        return self.finish(answer(call, self.retries))

    def finish(self, flow: Flow[T]) -> T:
        """What ``flow`` ends with."""
        wire = _Wire(self._http)
        try:
            step = next(flow)
            while True:
                step = flow.send(wire.take(step))
        except StopIteration as end:
            return end.value

    def walk(self, walk: Walk[T]) -> Generator[T]:
        """What ``walk`` finds."""
        wire = _Wire(self._http)
        try:
            came = None
            while True:
                step = walk.send(came)
                came = None
                if isinstance(step, Request | Wait | Chunk):
                    came = wire.take(step)
                else:
                    yield step.item
        except StopIteration:
            return
        finally:
            wire.close()


class AsyncSender:
    """Sends through an ``httpx.AsyncClient``."""

    def __init__(self, http: httpx.AsyncClient, retries: int) -> None:
        self._http = http
        self.retries = retries

    async def run(self, call: Call[T]) -> T:
        """The answer to ``call``."""
        return await self.finish(answer(call, self.retries))

    async def finish(self, flow: Flow[T]) -> T:
        """What ``flow`` ends with."""
        wire = _AsyncWire(self._http)
        try:
            step = next(flow)
            while True:
                step = flow.send(await wire.take(step))
        except StopIteration as end:
            return end.value

    async def walk(self, walk: Walk[T]) -> AsyncGenerator[T]:
        """What ``walk`` finds."""
        wire = _AsyncWire(self._http)
        try:
            came = None
            while True:
                step = walk.send(came)
                came = None
                if isinstance(step, Request | Wait | Chunk):
                    came = await wire.take(step)
                else:
                    yield step.item
        except StopIteration:
            return
        finally:
            await wire.close()


class _Wire:
    """Takes steps for one flow; at most one answer is streamed at a time."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())

    def take(self, step: Step) -> httpx.Response | httpx.TransportError | bytes | None:
        """Take ``step``; what came of it."""
        match step:
            case Wait(seconds):
                return time.sleep(seconds)
            case Chunk():
                try:
                    return next(self._chunks, None)
                except httpx.TransportError:
                    return None
            case Request():
                self.close()
                try:
                    response = self._http.send(_built(self._http, step), stream=step.stream)
                    if step.stream and response.is_success:
                        self._response, self._chunks = response, response.iter_bytes()
                    else:
                        response.read()
                        response.close()
                except httpx.TransportError as error:
                    return error
                return response

    def close(self) -> None:
        """Let go of what is streamed."""
        if self._response is not None:
            self._response.close()
            self._response = None


class _AsyncWire:
    """As :class:`_Wire`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def take(self, step: Step) -> httpx.Response | httpx.TransportError | bytes | None:
        """Take ``step``; what came of it."""
        match step:
            case Wait(seconds):
                return await asyncio.sleep(seconds)
            case Chunk():
                try:
                    return await anext(self._chunks, None) if self._chunks else None
                except httpx.TransportError:
                    return None
            case Request():
                await self.close()
                try:
                    response = await self._http.send(_built(self._http, step), stream=step.stream)
                    if step.stream and response.is_success:
                        self._response, self._chunks = response, response.aiter_bytes()
                    else:
                        await response.aread()
                        await response.aclose()
                except httpx.TransportError as error:
                    return error
                return response

    async def close(self) -> None:
        """Let go of what is streamed."""
        if self._response is not None:
            await self._response.aclose()
            self._response = None


def _built(http: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    built = http.build_request(
        request.method,
        request.path,
        params=request.query or None,
        headers=dict(request.headers),
        content=request.body,
    )
    if request.stream:
        built.extensions["timeout"] = {**built.extensions["timeout"], "read": STREAM_SECONDS}
    return built
