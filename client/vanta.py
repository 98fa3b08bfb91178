"""The client: :class:`Vanta` waits, :class:`AsyncVanta` is awaited."""

from typing import Generic

import httpx

from client.agents import Agents
from client.call import header
from client.checkpoints import Checkpoints
from client.collections import Collections
from client.documents import Documents
from client.events import Events
from client.keys import Keys
from client.room import S
from client.secrets import Secrets
from client.sender import AsyncSender, Sender
from client.sessions import Sessions
from client.tenants import Tenants
from client.webhooks import Webhooks

#: Seconds without progress after which a request is given up.
SECONDS = 10.0
#: How many times a request is sent again where that does nothing twice: for 8 to 16 seconds, which a restart may take.
RETRIES = 8


class _Rooms(Generic[S]):
    """The parts of the API."""

    def __init__(self, sender: S) -> None:
        self.documents = Documents(sender)
        self.collections = Collections(sender)
        self.secrets = Secrets(sender)
        self.sessions = Sessions(sender)
        self.agents = Agents(sender)
        self.checkpoints = Checkpoints(sender)
        self.events = Events(sender)
        self.webhooks = Webhooks(sender)
        self.keys = Keys(sender)
        self.tenants = Tenants(sender)


class Vanta(_Rooms[Sender]):
    """The API at ``url`` with an API key or a bearer token; use it in a ``with`` block, or :meth:`close` it.

    Safe to share between threads.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = SECONDS,
        retries: int = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=url, headers=authorization(key), timeout=timeout, transport=transport
        )
        super().__init__(Sender(self._http, retries))

    def __enter__(self) -> "Vanta":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()


class AsyncVanta(_Rooms[AsyncSender]):
    """As :class:`Vanta`, with ``async with`` and ``await``; iterators with ``async for``."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = SECONDS,
        retries: int = RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers=authorization(key), timeout=timeout, transport=transport
        )
        super().__init__(AsyncSender(self._http, retries))

    async def __aenter__(self) -> "AsyncVanta":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()


def authorization(key: str) -> dict[str, str]:
    """The header that says who asks; :class:`ValueError`, without the key, for what can be none."""
    return {"Authorization": header("The key", f"Bearer {key}")}
