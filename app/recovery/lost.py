"""What a fail-over lost: the events that an old leader had acknowledged and the new one never got.

Both know the same past, up to the last event that they share; whatever the old one has after that is lost. An event is of each
change, so none is missed.
"""

import datetime as dt
from uuid import UUID

import asyncpg
import msgspec

_PAGE = 500

_TENANTS = "select tenant_id, name from vanta.tenant"
# Row-level security shows the events of the tenant that is set, to the schema's owner too.
_TENANT = "select set_config('vanta.tenant', $1, true)"
_HEAD = "select revision from vanta.tenant_head where tenant_id = $1"
_COLUMNS = "select revision, type, subject, time, data::text as data from vanta.outbox where tenant_id = $1"
_BEFORE = f"{_COLUMNS} and revision < $2 order by revision desc limit $3"
_THESE = f"{_COLUMNS} and revision = any($2)"
_BEYOND = 2**62


class LostEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An acknowledged change that is gone."""

    revision: int
    type: str
    subject: str
    time: dt.datetime


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """What ``tenant`` has lost, the oldest first; ``complete`` unless events were dropped that could have been among it."""

    tenant: UUID
    name: str
    events: list[LostEvent]
    complete: bool


async def compare(old: asyncpg.Connection, new: asyncpg.Connection) -> list[Lost]:
    """What each tenant has lost between the ``old`` leader and the ``new``; both are asked as the schema's owner."""
    found = []
    for row in await old.fetch(_TENANTS):
        async with old.transaction(readonly=True), new.transaction(readonly=True):
            events, complete = await _of(row["tenant_id"], old, new)
        if events or not complete:
            lost = Lost(tenant=row["tenant_id"], name=row["name"], events=events[::-1], complete=complete)
            found.append(lost)
    return found


async def _of(tenant: UUID, old: asyncpg.Connection, new: asyncpg.Connection) -> tuple[list[LostEvent], bool]:
    """Its lost events, the newest first, and whether these are all."""
    for connection in (old, new):
        await connection.execute(_TENANT, str(tenant))
    head = await new.fetchval(_HEAD, tenant) or 0
    lost: list[LostEvent] = []
    position = _BEYOND
    while page := await old.fetch(_BEFORE, tenant, position, _PAGE):
        position = page[-1]["revision"]
        known = {
            row["revision"]: row for row in await new.fetch(_THESE, tenant, [row["revision"] for row in page])
        }
        for row in page:
            if row == known.get(row["revision"]):
                return lost, True
            if row["revision"] <= head and row["revision"] not in known:
                return lost, False
            lost.append(
                LostEvent(
                    revision=row["revision"], type=row["type"], subject=row["subject"], time=row["time"]
                )
            )
    if position == _BEYOND:
        return lost, await old.fetchval(_HEAD, tenant) in {None, 0, head}
    # Where its first event is lost nothing is shared, else what came before was dropped.
    return lost, position == 1
