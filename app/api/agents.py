"""``/v1/agents``: the state of agents, a document each, and how much is kept of their threads."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.agents.errors import UnknownTenantError
from app.agents.threads import Retention, Threads
from app.api import body, documents, writing
from app.api.lists import Cursor, Limit, answer, position
from app.api.messages import Request, Response, callers_tenant
from app.api.threads import agent_of
from app.state import cursor
from app.state.document import Name
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
        tenant = callers_tenant(request)
        listing = (tenant.hex, "agents")
        limit = request.query.limit
        found = await self._threads.agents(
            tenant, after=position(listing, request.query.cursor) or "", limit=limit + 1
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
        return documents.shown(request, await self._documents.get(_name(request)))

    async def put(self, request: Request) -> Response:
        """Create (201) or replace (200) the state."""
        return await documents.put(request, self._documents, _name(request), located=False)

    async def delete(self, request: Request) -> Response:
        """Delete the state (204); the agent's threads stay."""
        return await documents.delete(request, self._documents, _name(request))

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
