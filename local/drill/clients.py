"""Clients of the drill, who remember: every write that was acknowledged, every event that was read, sessions."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

COLLECTION = "drill"
_PATIENCE_SECONDS = 2.0
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError)


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """A write of ``key`` that was answered with success ``at`` a time of day, as ``revision`` of its tenant."""

    key: str
    revision: int
    at: float


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event: what a revision of the tenant changed. After a loss another event may have the same ``revision``."""

    revision: int
    subject: str


class Clients:
    """Writers, a reader of events and sessions at ``url``, with ``key``; nothing before revision ``after`` is theirs."""

    def __init__(self, url: str, key: str, after: int = 0) -> None:
        self._url, self._after = url, after
        self._headers = {"authorization": f"Bearer {key}"}
        self.acknowledged: list[Acknowledged] = []
        #: When a write failed.
        self.failed: list[float] = []
        #: In the order in which the watch told of them.
        self.events: list[Event] = []
        #: Where the watch is: the id to go on after.
        self.position = str(after)
        #: How often the watch said that what comes after the last event is of another past.
        self.turned_back = 0
        self._sessions: list[str] = []

    def http(self, url: str = "") -> aiohttp.ClientSession:
        """A client with connections of its own."""
        return aiohttp.ClientSession(
            url or self._url, headers=self._headers, timeout=aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
        )

    async def write(self, beginning: str, rate: float) -> None:
        """Write ``rate`` documents a second, each time another one, for ever and whatever comes."""
        number, due = 0, time.monotonic()
        while True:
            async with self.http() as http:
                # Who is refused or cut off asks the name again, by a connection of its own.
                while await self._written(http, f"{beginning}-{number:06}"):
                    number += 1
                    due = max(due + 1 / rate, time.monotonic() - 1)
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
            number += 1
            await asyncio.sleep(0.05)

    async def _written(self, http: aiohttp.ClientSession, key: str) -> bool:
        try:
            revision = await put(http, key)
        except _FAILURES:
            revision = None
        if revision is None:
            self.failed.append(time.time())
            return False
        self.acknowledged.append(Acknowledged(key=key, revision=revision, at=time.time()))
        return True

    async def watch(self) -> None:
        """Read events as they happen, for ever, going on after the last one that was read."""
        async with aiohttp.ClientSession(self._url, headers=self._headers) as http:
            while True:
                try:
                    await self._watched(http)
                except (aiohttp.ClientError, TimeoutError, OSError):
                    await asyncio.sleep(0.1)

    async def _watched(self, http: aiohttp.ClientSession) -> None:
        quiet = aiohttp.ClientTimeout(total=None, sock_connect=_PATIENCE_SECONDS, sock_read=20)
        async with http.get("/v1/watch", headers={"last-event-id": self.position}, timeout=quiet) as answer:
            if answer.status == 410:
                # The state is to be read again: here, from the feed, and passing over what is known.
                self.turned_back += 1
                known = set(self.events)
                kept = await self.feed()
                self.events += [one for one in kept if one not in known]
                self.position = str(kept[-1].revision if kept else self._after)
                return
            if answer.status != 200:
                await asyncio.sleep(0.1)
                return
            position, told = self.position, None
            try:
                async for line in answer.content:
                    if line.startswith(b"id: "):
                        position = line[4:].strip().decode()
                    elif line.startswith(b"data: "):
                        told = _event(msgspec.json.decode(line[6:]))
                    elif line == b"\n":
                        # Only what came whole counts: a connection can end between the lines of an event.
                        self.position = position
                        if told is not None:
                            self.events.append(told)
                        told = None
            except _FAILURES:
                pass

    async def told(self, position: str) -> bool:
        """Whether who was away since ``position`` is told that it read what is lost."""
        async with self.http() as http, http.get("/v1/events", params={"after": position}) as answer:
            return answer.status == 410

    async def head(self) -> int:
        """The newest revision."""
        kept = await self.feed()
        return kept[-1].revision if kept else 0

    async def feed(self) -> list[Event]:
        """Every event that the database has."""
        found: list[Event] = []
        async with self.http() as http:
            while True:
                after = str(found[-1].revision if found else self._after)
                async with http.get("/v1/events", params={"after": after, "limit": "1000"}) as answer:
                    answer.raise_for_status()
                    page = msgspec.json.decode(await answer.read())
                if not page:
                    return found
                found += [_event(one) for one in page]

    async def begin_sessions(self, count: int) -> None:
        """Let ``count`` users sign in."""
        async with self.http() as http:
            for number in range(count):
                body = {"subject": f"user-{number}", "ttl": 86400}
                async with http.post("/v1/sessions", json=body) as answer:
                    answer.raise_for_status()
                    self._sessions.append((await answer.json())["token"])

    async def invalid_sessions(self) -> int:
        """How many of them are no longer known."""
        async with self.http() as http:
            return sum([await self._unknown(http, token) for token in self._sessions])

    async def _unknown(self, http: aiohttp.ClientSession, token: str) -> bool:
        async with http.get("/v1/sessions/current", headers={"vanta-session": token}) as answer:
            return answer.status != 200


async def put(http: aiohttp.ClientSession, key: str) -> int | None:
    """Write document ``key``, which must be new: its revision, None where it was refused."""
    path = f"/v1/state/{COLLECTION}/{key}"
    async with http.put(path, headers={"if-none-match": "*"}, json={"key": key}) as answer:
        await answer.read()
        if answer.status != 201:
            return None
        return int(answer.headers["etag"].strip('"').partition("-")[0], 16)


def _event(event: Mapping[str, Any]) -> Event:
    return Event(revision=int(event["id"].partition("-")[0]), subject=event["subject"])
