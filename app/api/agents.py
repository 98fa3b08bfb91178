"""``/v1/agents``: the state of agents, a document each, and how much is kept of their threads."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.agents.checkpoints import UnknownTenantError
from app.agents.threads import Retention, Threads
from app.api import body, preconditions, writing
from app.api.lists import Cursor, Limit, answer, position
from app.api.messages import Request, Response
from app.api.threads import agent_of
from app.state import cursor
from app.state.document import Name, Write, digest, etag
from app.state.documents import Documents

#: Where the states of agents are documents; clients cannot name it.
COLLECTION = "_agents"
_MAX_KEPT = 10_000
_MAX_DAYS = 3650


class AgentsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of the agents."""

    limit: Limit = 100
    cursor: Cursor = None


class ListedAgent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An agent, and what there is of it."""

    agent: str
    has_state: bool
    has_threads: bool


class AgentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Agents by name."""

    agents: list[ListedAgent]
    cursor: str | msgspec.UnsetType = msgspec.UNSET


class AgentRetention(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How much is kept of an agent's threads; what is left out has its default."""

    keep_checkpoints: Annotated[
        int,
        Meta(
            description="How many checkpoints of each namespace of a thread are kept, the newest.",
            ge=1,
            le=_MAX_KEPT,
        ),
    ] = 100
    keep_days: Annotated[
        Annotated[int, Meta(ge=1, le=_MAX_DAYS)] | None,
        Meta(description="For how many days a thread is kept that nobody writes to. Default: for ever."),
    ] = None


class AgentHandlers:
    """The handlers of the routes of agents."""

    def __init__(self, documents: Documents, threads: Threads) -> None:
        self._documents = documents
        self._threads = threads

    async def page(self, request: Request) -> Response:
        """A page of the agents."""
        assert request.tenant is not None  # noqa: S101 - the route requires a tenant
        listing = (request.tenant.hex, "agents")
        limit = request.query.limit
        found = await self._threads.agents(
            request.tenant, after=position(listing, request.query.cursor) or "", limit=limit + 1
        )
        return answer(
            AgentPage(
                agents=[
                    ListedAgent(agent=one.agent, has_state=one.has_state, has_threads=one.has_threads)
                    for one in found[:limit]
                ],
                cursor=cursor.encode(listing, found[limit - 1].agent)
                if len(found) > limit
                else msgspec.UNSET,
            )
        )

    async def get(self, request: Request) -> Response:
        """The state's exact bytes, or 304."""
        document = await self._documents.get(_name(request))
        if document is None:
            raise writing.not_found()
        if preconditions.not_modified(request.headers, document.etag):
            return Response(status=304, headers=[("etag", document.etag)])
        headers = [("content-type", "application/json"), ("etag", document.etag)]
        if document.expires_ms is not None:
            headers.append(("vanta-expires-at", writing.rfc3339(document.expires_ms)))
        return Response(status=200, headers=headers, body=document.value)

    async def put(self, request: Request) -> Response:
        """Create (201) or replace (200) the state."""
        name = _name(request)
        condition, etags = preconditions.of_write(request.headers)
        ttl = writing.ttl_of(request)
        value = await body.document(request)
        checksum = digest(value.encode())
        write = Write(
            name=name,
            value=value,
            digest=checksum,
            ttl=ttl,
            condition=condition,
            etags=etags,
            traceparent=request.traceparent,
        )
        written, replayed = await writing.write(self._documents, write, writing.once_of(request, value))
        headers = [("etag", etag(writing.revision_of(written), checksum))]
        if written.expires_ms is not None:
            headers.append(("vanta-expires-at", writing.rfc3339(written.expires_ms)))
        if replayed:
            headers.append(writing.REPLAYED)
        return Response(status=201 if written.outcome == "created" else 200, headers=headers)

    async def delete(self, request: Request) -> Response:
        """Delete the state (204); the agent's threads stay."""
        condition, etags = preconditions.of_write(request.headers)
        write = Write(name=_name(request), condition=condition, etags=etags, traceparent=request.traceparent)
        written, replayed = await writing.write(self._documents, write, writing.once_of(request, ""))
        writing.revision_of(written)
        return Response(status=204, headers=[writing.REPLAYED] if replayed else [])

    async def retention(self, request: Request) -> Response:
        """How much is kept."""
        kept = await self._threads.retention(*agent_of(request))
        return answer(AgentRetention(keep_checkpoints=kept.keep_checkpoints, keep_days=kept.keep_days))

    async def put_retention(self, request: Request) -> Response:
        """Set how much is kept, all of it at once."""
        tenant, agent = agent_of(request)
        wanted = await body.read(request, AgentRetention)
        kept = Retention(keep_checkpoints=wanted.keep_checkpoints, keep_days=wanted.keep_days)
        try:
            await self._threads.put_retention(tenant, agent, kept, request.traceparent)
        except UnknownTenantError:
            raise writing.problem_of("unknown_tenant") from None
        return answer(wanted)


def _name(request: Request) -> Name:
    tenant, agent = agent_of(request)
    return Name(tenant, COLLECTION, agent)
