"""A small HTTP client that says exactly what it knows: an answer, nothing sent, or sent and no answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass


class NotSentError(Exception):
    """Nobody took the request."""


class NoAnswerError(Exception):
    """The request left, and what became of it is not known."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer; names of ``headers`` are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection to ``port``, made again when it is lost; ``headers`` go with each request."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._port = port
        self._headers = headers
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def close(self) -> None:
        """Drop the connection, whatever is under way on it."""
        if self._streams:
            self._streams[1].transport.abort()
            self._streams = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection, made if there is none; raises :class:`NotSentError`."""
        if self._streams is None:
            try:
                async with asyncio.timeout(2):
                    self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            except (OSError, TimeoutError) as error:
                raise NotSentError from error
        return self._streams

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, patience: float = 30
    ) -> Answer:
        """The answer, or :class:`NotSentError`, or :class:`NoAnswerError` after ``patience`` seconds or a lost connection."""
        reader, writer = await self.connect()
        fields = {**self._headers, **headers, "host": "vanta", "content-length": str(len(body))}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in fields.items()
        )
        try:
            async with asyncio.timeout(patience):
                writer.write(head.encode() + b"\r\n" + body)
                return await _answer(reader)
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise NoAnswerError from error
        except asyncio.CancelledError:
            self.close()
            raise


async def _answer(reader: asyncio.StreamReader) -> Answer:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(status=int(lines[0].split()[1]), headers=headers, body=body)
