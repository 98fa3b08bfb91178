"""One POST to a place that a tenant has named, which may be hostile: to no address but a public one, and for a limited time.

The addresses of a name are looked at, and one of those is connected to: between a look of ours and one of a library's the name
could point elsewhere. Redirects are answers like any other, and of an answer no more than its head is read.
"""

import asyncio
import re
import socket
import ssl
from urllib.parse import urlsplit

from app.events.webhook import address_error

SECONDS = 10.0
_HEAD_BYTES = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")


class DeliveryError(Exception):
    """It was not taken; the message says why and quotes nothing of the answer. ``gone``: no more is wanted there."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class Poster:
    """Sends requests; ``private`` allows any address, for one machine."""

    def __init__(self, *, private: bool) -> None:
        self.private = private
        self._tls = ssl.create_default_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> None:
        """Send ``body``; raises :class:`DeliveryError` unless the answer is 2xx."""
        try:
            async with asyncio.timeout(SECONDS):
                status = await self._exchange(url, headers, body)
        except TimeoutError:
            raise DeliveryError(f"There was no answer within {SECONDS:g} seconds.") from None
        except (OSError, EOFError, UnicodeError, asyncio.LimitOverrunError) as error:
            # Of the exception only its kind: its message may show what is behind a name.
            raise DeliveryError(f"The connection failed ({type(error).__name__}).") from None
        if not 200 <= status <= 299:
            raise DeliveryError(f"The answer was {status}.", gone=status == 410)

    async def _exchange(self, url: str, headers: dict[str, str], body: bytes) -> int:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        address = await self._resolve(host, parts.port or (443 if secure else 80))
        reader, writer = await asyncio.open_connection(
            *address,
            limit=_HEAD_BYTES,
            ssl=self._tls if secure else None,
            server_hostname=host if secure else None,
        )
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            lines = [
                f"POST {target} HTTP/1.1",
                f"host: {parts.netloc}",
                "connection: close",
                "user-agent: vanta",
                f"content-length: {len(body)}",
                *(f"{name}: {value}" for name, value in headers.items()),
            ]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            status = _STATUS.match(await reader.readuntil(b"\r\n"))
            if status is None:
                raise DeliveryError("The answer was not HTTP.")
            return int(status[1])
        finally:
            writer.transport.abort()

    async def _resolve(self, host: str, port: int) -> tuple[str, int]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror:
            raise DeliveryError("The name of the host could not be looked up.") from None
        addresses = [str(address[0]) for *_, address in found]
        if not self.private and (error := address_error(addresses)):
            raise DeliveryError(error)
        return addresses[0], port
