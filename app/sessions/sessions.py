"""The sessions of all tenants: PostgreSQL holds them, Redis makes reading them quick, and neither is ever behind.

They go through the cache protocol of documents (docs/adr/0007-state-path.md), so a revoked session is accepted by no
process once its revocation is acknowledged, whatever happens to Redis.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import structlog

from app.db.postgres import UNREACHABLE
from app.sessions import token
from app.sessions.session import COLLECTION, LiveSession, Session, SessionWrite
from app.sessions.store import SessionStore
from app.state.document import Condition, Name, Outcome, Written
from app.state.document import digest as checksum
from app.state.documents import Documents

_REVOKED_AT_ONCE = 100

_decode = msgspec.json.Decoder(Session).decode
log = structlog.get_logger()


class Sessions:
    """Begins, finds and revokes; ``now_ms`` is PostgreSQL's clock. Raises what the database raises."""

    def __init__(self, documents: Documents, store: SessionStore, now_ms: Callable[[], int]) -> None:
        self._documents = documents
        self._store = store
        self._now_ms = now_ms
        # Sessions this process is extending now: a read that finds one here leaves it to that.
        self._extending: dict[Name, asyncio.Task[None]] = {}

    async def begin(
        self,
        tenant: UUID,
        subject: str,
        data: bytes,
        *,
        ttl: int,
        idle_ttl: int | None,
        by: str,
        traceparent: str | None,
    ) -> tuple[str, LiveSession] | None:
        """A new session and its token, which exists nowhere else; None if the tenant is no more."""
        text = token.generate()
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        session = Session(
            id=uuid4(),
            subject=subject,
            data=msgspec.Raw(data),
            created_at=now,
            ends_at=now + timedelta(seconds=ttl),
            idle_ttl=idle_ttl,
        )
        name = _name(tenant, token.digest(text) or "")
        value = msgspec.json.encode(session)
        written = await self._write(name, value, condition="absent", by=by, traceparent=traceparent)
        if written.expires_ms is None:
            return None
        return text, LiveSession(session=session, expires_ms=written.expires_ms)

    async def find(self, tenant: UUID, text: str) -> LiveSession | None:
        """The session of the token ``text``; being found in the second half of its idle time extends it, afterwards."""
        digest = token.digest(text)
        if digest is None:
            return None
        name = _name(tenant, digest)
        document = await self._documents.get(name)
        if document is None or document.expires_ms is None:
            return None
        found = LiveSession(session=_decode(document.value), expires_ms=document.expires_ms)
        if name not in self._extending and self._is_due(found):
            task = asyncio.create_task(self._extend(name, document.value))
            self._extending[name] = task
            task.add_done_callback(lambda _: self._extending.pop(name, None))
        return found

    async def revoke(self, tenant: UUID, text: str, *, by: str, traceparent: str | None) -> bool:
        """End the session of the token ``text``; whether there was one."""
        digest = token.digest(text)
        return digest is not None and await self._end(_name(tenant, digest), by, traceparent) == "deleted"

    async def of_subject(self, tenant: UUID, subject: str, limit: int) -> list[LiveSession]:
        """At most ``limit`` live sessions of ``subject``, the newest first."""
        return [
            LiveSession(session=_decode(value), expires_ms=expires_ms)
            for _, value, expires_ms in await self._store.of_subject(tenant, subject, None, limit)
        ]

    async def revoke_subject(
        self, tenant: UUID, subject: str, session: UUID | None, *, by: str, traceparent: str | None
    ) -> int:
        """End all sessions that ``subject`` had when this was called, or only ``session``; how many that were."""
        ended = 0
        while rows := await self._store.of_subject(tenant, subject, session, _REVOKED_AT_ONCE):
            ends = (self._end(_name(tenant, digest), by, traceparent) for digest, _, _ in rows)
            outcomes = await asyncio.gather(*ends)
            ended += outcomes.count("deleted")
            if "unknown_tenant" in outcomes:
                # Being erased, and they with it.
                break
        return ended

    def _is_due(self, live: LiveSession) -> bool:
        idle = live.session.idle_ttl
        if idle is None:
            return False
        left = live.expires_ms - self._now_ms()
        return left < idle * 500 and live.expires_ms < live.session.ends_at.timestamp() * 1000 - 1

    async def _extend(self, name: Name, value: bytes) -> None:
        try:
            await self._write(name, value, condition="exists", by=None, traceparent=None)
        except UNREACHABLE as error:
            # The next use tries again; the session is as long as it was.
            log.warning("session.not_extended", error=type(error).__name__)

    async def _write(
        self, name: Name, value: bytes, *, condition: Condition, by: str | None, traceparent: str | None
    ) -> Written:
        return await self._documents.write(
            SessionWrite(
                name=name,
                value=value.decode(),
                digest=checksum(value),
                condition=condition,
                by=by,
                traceparent=traceparent,
            )
        )

    async def _end(self, name: Name, by: str, traceparent: str | None) -> Outcome:
        write = SessionWrite(name=name, condition="unconditional", by=by, traceparent=traceparent)
        return (await self._documents.write(write)).outcome


def _name(tenant: UUID, digest: str) -> Name:
    return Name(tenant, COLLECTION, digest)
