"""Connections to an agent's part of the API."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx

from client.call import quoted
from client.sender import AsyncSender, Sender
from client.vanta import authorization

_SECONDS = 30.0
# As a watch: a run outlives a server that is being replaced, up to half a minute of trying.
_RETRIES = 10


class Connections:
    """Of ``agent`` at ``url``, with ``key``: those that wait, and those of each loop, to which they belong."""

    def __init__(self, url: str, key: str, agent: str) -> None:
        self._options: dict[str, Any] = {
            "base_url": f"{url.rstrip('/')}/v1/agents/{quoted('agent', agent)}",
            "headers": authorization(key),
            "timeout": _SECONDS,
            # Made once: it takes longer than a request does.
            "verify": httpx.create_ssl_context(),
        }
        self._http = httpx.Client(**self._options)
        self.sender = Sender(self._http, _RETRIES)
        self._loops: dict[asyncio.AbstractEventLoop, tuple[AsyncSender, AsyncGenerator[None]]] = {}

    async def async_sender(self) -> AsyncSender:
        """That of the running loop, until it ends."""
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            http = httpx.AsyncClient(**self._options)
            open_ = self._open(loop, http)
            self._loops[loop] = AsyncSender(http, _RETRIES), open_
            await anext(open_)
        sender, _ = self._loops[loop]
        return sender

    async def _open(self, loop: asyncio.AbstractEventLoop, http: httpx.AsyncClient) -> AsyncGenerator[None]:
        # A loop ends its generators before itself, and that is the last moment at which its connections can be closed.
        try:
            yield
        finally:
            del self._loops[loop]
            await http.aclose()

    def close(self) -> None:
        """Close those that wait."""
        self._http.close()

    async def aclose(self) -> None:
        """Close them, and those of the running loop."""
        self._http.close()
        if here := self._loops.get(asyncio.get_running_loop()):
            _, open_ = here
            await open_.aclose()
