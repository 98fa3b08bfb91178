"""Documents in Redis. What makes them never stale is argued in docs/adr/0007-state-path.md.

An entry is one string under ``<epoch>:<tenant>:<collection>/<key>``; its first character says which kind:

- ``D`` a document: revision, digest, expiry (16 hex digits each), then the value;
- ``L`` a lease: a reader with this token is fetching the document and may put it here;
- ``P`` pending: writes are under way: the highest revision done so far (16 hex digits), then one token a write.

A pending entry has no expiry, so no ``volatile-*`` policy evicts it: while one is missing, a reader whom the write has
overtaken could put the old document in, after others have read the new one. ``vanta:writes`` has the batches under way by the
time at which they are given up, so that a writer's death leaves nothing behind.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import hiredis
import msgspec

from app.db.redis import LIFE_KEY, Redis, RedisLostError
from app.state.document import Document, Name

#: What Redis may do instead of answering; the caller goes on without it.
LOST = (RedisLostError, hiredis.ReplyError)

_ENTRY_MILLISECONDS = 300_000
_LEASE_MILLISECONDS = 5_000
#: Far longer than any write can take, or a late commit could find its mark gone.
MARK_MILLISECONDS = 60_000

_NO_REVISION = "0" * 16


class _Script:
    """A Lua script, named by its hash so that Redis need not parse it each time."""

    def __init__(self, text: str) -> None:
        self.text = text
        # What EVALSHA calls it; it guards nothing.
        self.sha1 = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


_WRITES_KEY = "vanta:writes"
_EMPTIED = "EMPTIED"

# What the scripts share. A batch is called by its token and its keys, none of which has a space in it.
_PRELUDE = f"""
local function without(entry, token)
    local others = ''
    for at = 18, #entry, 16 do
        local other = string.sub(entry, at, at + 15)
        if other ~= token then others = others .. other end
    end
    return others
end
local function pending(key) return redis.call('GETRANGE', key, 0, 0) == 'P' end
local writes = '{_WRITES_KEY}'
"""

# The last of ARGV is the life under which the caller has this server.
_UNLESS_EMPTIED = f"""
if redis.call('GET', '{LIFE_KEY}') ~= ARGV[#ARGV] then return redis.error_reply('{_EMPTIED} marks are gone') end
"""

# ARGV: token, milliseconds of a mark, life.
_MARK = _Script(
    _PRELUDE
    + _UNLESS_EMPTIED
    + """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Whoever comes next tidies up after one that never came back.
for _, batch in ipairs(redis.call('ZRANGEBYSCORE', writes, '-inf', now, 'LIMIT', 0, 1)) do
    redis.call('ZREM', writes, batch)
    local token = string.sub(batch, 1, 16)
    for key in string.gmatch(string.sub(batch, 18), '%S+') do
        if pending(key) then
            local entry = redis.call('GET', key)
            local others = without(entry, token)
            if others == '' then redis.call('DEL', key) else redis.call('SET', key, string.sub(entry, 1, 17) .. others) end
        end
    end
end
redis.call('ZADD', writes, now + ARGV[2], ARGV[1] .. ' ' .. table.concat(KEYS, ' '))
for _, key in ipairs(KEYS) do
    if pending(key) then
        redis.call('APPEND', key, ARGV[1])
    else
        redis.call('SET', key, 'P0000000000000000' .. ARGV[1])
    end
end
"""
)

# ARGV: token, then for each key its revision, the entry ('' for none) and its milliseconds.
_RELEASE = _Script(
    _PRELUDE
    + """
redis.call('ZREM', writes, ARGV[1] .. ' ' .. table.concat(KEYS, ' '))
for i, key in ipairs(KEYS) do
    local revision, entry, ttl = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
    if not pending(key) then
        -- The mark was lost, so what is here may be older than this write.
        redis.call('DEL', key)
    else
        local mark = redis.call('GET', key)
        local top = string.sub(mark, 2, 17)
        if revision > top then top = revision end
        local others = without(mark, ARGV[1])
        if others ~= '' then
            redis.call('SET', key, 'P' .. top .. others)
        elseif entry ~= '' and revision == top then
            redis.call('SET', key, entry, 'PX', ttl)
        else
            redis.call('DEL', key)
        end
    end
end
"""
)

# ARGV: token, milliseconds of a lease. Answers for each key whether there was nothing, so that it is leased now.
_LEASE = _Script(
    """
local leased = {}
for i, key in ipairs(KEYS) do
    leased[i] = redis.call('SET', key, ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
end
return leased
"""
)

# ARGV: token of the leases, then for each key its entry and its milliseconds, then life.
_FILL = _Script(
    _UNLESS_EMPTIED
    + """
for i, key in ipairs(KEYS) do
    if redis.call('GETRANGE', key, 0, 16) == ARGV[1] then
        redis.call('SET', key, ARGV[2 * i], 'PX', ARGV[2 * i + 1])
    end
end
"""
)


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """Marks set for one batch of writes, under ``epoch``."""

    epoch: UUID
    token: str
    keys: Sequence[str]


class Leases(msgspec.Struct, frozen=True, kw_only=True):
    """The right to put documents into the cache, each lost as soon as a write marks it; a key of None is not leased."""

    token: str
    keys: Sequence[str | None]


class Cache:
    """The operations of the protocol; each raises one of :data:`LOST` when Redis cannot be used."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def get(self, epoch: UUID, name: Name) -> Document | None:
        """The document, None where it is to be fetched."""
        entry = await self._redis.send("GET", _key(epoch, name))
        return _decode(entry) if entry is not None and entry[:1] == b"D" else None

    async def lease(self, epoch: UUID, names: Sequence[Name]) -> Leases:
        """Before ``names`` are fetched: leases on those of which nothing is here."""
        token = f"L{secrets.token_hex(8)}"
        keys = [_key(epoch, name) for name in names]
        leased = await self._run(_LEASE, keys, [token, _LEASE_MILLISECONDS])
        return Leases(token=token, keys=[key if one else None for key, one in zip(keys, leased, strict=True)])

    async def fill(self, leases: Leases, documents: Sequence[Document | None], now_ms: int) -> None:
        """Keep those of ``documents``, read after ``leases`` were got, of which no write has come in between."""
        keys: list[str] = []
        arguments: list[str | bytes | int] = [leases.token]
        for key, document in zip(leases.keys, documents, strict=True):
            if key is not None and document is not None and (ttl := _milliseconds(document, now_ms)) > 0:
                keys.append(key)
                arguments += (_encode(document), ttl)
        if keys:
            await self._run(_FILL, keys, [*arguments, self._redis.life])

    async def mark(self, epoch: UUID, names: Sequence[Name]) -> Marks:
        """Before the writes of ``names``: from here on nobody reads or fills these entries."""
        token = secrets.token_hex(8)
        keys = [_key(epoch, name) for name in names]
        await self._run(_MARK, keys, [token, MARK_MILLISECONDS, self._redis.life])
        return Marks(epoch=epoch, token=token, keys=keys)

    async def release(
        self, marks: Marks, documents: Sequence[Document | None], revisions: Sequence[int | None], now_ms: int
    ) -> None:
        """After the writes: put in what each wrote (None: nothing, or a deletion), unless a later write did or will."""
        arguments: list[str | bytes | int] = [marks.token]
        for document, revision in zip(documents, revisions, strict=True):
            ttl = 0 if document is None else _milliseconds(document, now_ms)
            entry = _encode(document) if document is not None and ttl > 0 else b""
            arguments += [_NO_REVISION if revision is None else f"{revision:016x}", entry, ttl]
        await self._run(_RELEASE, marks.keys, arguments)

    async def _run(self, script: _Script, keys: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        try:
            return await self._redis.send("EVALSHA", script.sha1, len(keys), *keys, *arguments)
        except hiredis.ReplyError as error:
            if str(error).startswith(_EMPTIED):
                self._redis.reconnect()
                raise
            # A server just started, or emptied of its scripts.
            if not str(error).startswith("NOSCRIPT"):
                raise
            return await self._redis.send("EVAL", script.text, len(keys), *keys, *arguments)


def _key(epoch: UUID, name: Name) -> str:
    return f"{epoch.hex}:{name.tenant.hex}:{name.collection}/{name.key}"


def _encode(document: Document) -> bytes:
    head = f"D{document.revision:016x}{document.digest}{document.expires_ms or 0:016x}"
    return head.encode() + document.value


def _decode(entry: bytes) -> Document:
    return Document(
        revision=int(entry[1:17], 16),
        digest=entry[17:33].decode(),
        value=entry[49:],
        expires_ms=int(entry[33:49], 16) or None,
    )


def _milliseconds(document: Document, now_ms: int) -> int:
    """How long to keep ``document``; not positive when its time has passed."""
    if document.expires_ms is None:
        return _ENTRY_MILLISECONDS
    return min(_ENTRY_MILLISECONDS, document.expires_ms - now_ms)
