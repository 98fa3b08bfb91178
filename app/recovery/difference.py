"""What became of a database since the moment that another one, restored beside it, stands for.

Documents are compared themselves, however long ago their events were dropped; sessions, secrets and agents show by their events.
"""

from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import msgspec

from app.recovery import lost
from app.recovery.lost import LostEvent

_PAGE = 1000
_START = ("", "")

_TENANTS = "select tenant_id, name from vanta.tenant"
# Row-level security shows what is of the tenant that is set, to the schema's owner too.
_TENANT = "select set_config('vanta.tenant', $1, true)"
# An index scan of document_pkey, in the order of its columns.
_DOCUMENTS = """
    select collection, key, revision, digest from vanta.document
    where tenant_id = $1 and (collection, key) > ($2, $3) order by collection, key limit $4
"""


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    collection: str
    key: str
    revision: int
    digest: str

    @property
    def name(self) -> tuple[str, str]:
        return self.collection, self.key


class DifferingDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document and its revision ``then`` and ``now``; None where there is none."""

    collection: str
    key: str
    then: int | None
    now: int | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What differs for ``tenant``: documents by name, and the ``events`` that going back gives up, the oldest first.

    ``complete`` unless events were dropped that could be among them.
    """

    tenant: UUID
    name: str
    documents: list[DifferingDocument]
    events: list[LostEvent]
    complete: bool


async def compare(now: asyncpg.Connection, then: asyncpg.Connection) -> list[Difference]:
    """What differs for each tenant of either; both are asked as the schema's owner."""
    names = {row["tenant_id"]: row["name"] for side in (then, now) for row in await side.fetch(_TENANTS)}
    given_up = {one.tenant: one for one in await lost.compare(now, then)}
    found = []
    for tenant, name in sorted(names.items(), key=lambda item: item[1]):
        async with now.transaction(readonly=True), then.transaction(readonly=True):
            for side in (now, then):
                await side.execute(_TENANT, str(tenant))
            documents = [one async for one in _differing(_walk(then, tenant), _walk(now, tenant))]
        events = given_up.get(tenant)
        if documents or events:
            found.append(
                Difference(
                    tenant=tenant,
                    name=name,
                    documents=documents,
                    events=events.events if events else [],
                    complete=events.complete if events else True,
                )
            )
    return found


async def _walk(side: asyncpg.Connection, tenant: UUID) -> AsyncGenerator[_Head]:
    """Its documents by name, a page at a time."""
    position = _START
    while page := [_Head(**row) for row in await side.fetch(_DOCUMENTS, tenant, *position, _PAGE)]:
        for head in page:
            yield head
        position = page[-1].name


async def _differing(
    then: AsyncGenerator[_Head], now: AsyncGenerator[_Head]
) -> AsyncGenerator[DifferingDocument]:
    """Those of two walks in the same order that are not the same in both."""
    before, after = await anext(then, None), await anext(now, None)
    while before or after:
        name = min(head.name for head in (before, after) if head)
        old = before if before and before.name == name else None
        new = after if after and after.name == name else None
        if old != new:
            yield DifferingDocument(
                collection=name[0],
                key=name[1],
                then=old.revision if old else None,
                now=new.revision if new else None,
            )
        if old:
            before = await anext(then, None)
        if new:
            after = await anext(now, None)
