"""``/v1/tenants``: tenants over HTTP, for operators, and for each tenant itself."""

from typing import Annotated
from uuid import UUID

import asyncpg
import hiredis
import msgspec

from app.api import body, problems
from app.api.keys import SECRET_HEADERS
from app.api.messages import Outgoing, Request, Response, callers_tenant
from app.api.problems import ProblemError
from app.db.redis import RedisLostError
from app.tenancy import export, tenants
from app.tenancy.authenticator import Authenticator
from app.tenancy.erasure import Eraser, NotErasedError
from app.tenancy.tenants import Changes, Quotas, Tenant

# Lines of an export leave together once there is as much as this (bytes).
_PIECE = 65_536

_JSON = ("content-type", "application/json")


class NewTenant(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A tenant to make."""

    name: Annotated[str, msgspec.Meta(description="No other tenant has it.", pattern=tenants.NAME_PATTERN)]
    quotas: Annotated[Quotas, msgspec.Meta(description="How much it may use.")] = Quotas()


class Onboarded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tenant just made, with the key of its first admin, which is never shown again."""

    tenant_id: UUID
    name: str
    key_id: str
    key: Annotated[str, msgspec.Meta(description="What goes after `Authorization: Bearer`.")]
    quotas: Quotas
    welcome: Annotated[str, msgspec.Meta(description="The path of a document to begin with.")]


class TenantPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Tenants in the order of their ids."""

    tenants: list[Tenant]
    next: Annotated[
        UUID | None, msgspec.Meta(description="What to send as `after` for more; null: that is all.")
    ]


class TenantQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which tenants."""

    after: Annotated[UUID | None, msgspec.Meta(description="The last tenant of the page before.")] = None
    limit: Annotated[int, msgspec.Meta(description="At most so many.", ge=1, le=200)] = 100


class ErasureQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The name once more, so that nobody erases another tenant by a slip."""

    name: Annotated[
        str, msgspec.Meta(description="The name of the tenant that is to be erased.", max_length=63)
    ]


class TenantHandlers:
    """The handlers of the routes of tenants; ``exports`` is a pool of its own, for exports take long."""

    def __init__(
        self, pool: asyncpg.Pool, exports: asyncpg.Pool, authenticator: Authenticator, eraser: Eraser
    ) -> None:
        self._pool = pool
        self._exports = exports
        self._authenticator = authenticator
        self._eraser = eraser

    async def create(self, request: Request) -> Response:
        """Make a tenant that can begin at once (201)."""
        new = await body.read(request, NewTenant)
        try:
            made = await tenants.create(
                self._pool,
                new.name,
                quotas=new.quotas,
                welcome=True,
                by=request.principal.id,
                traceparent=request.traceparent,
            )
        except tenants.NameTakenError as error:
            raise ProblemError(problems.TENANT_EXISTS, str(error)) from None
        onboarded = Onboarded(
            tenant_id=made.tenant_id,
            name=made.name,
            key_id=made.key.id,
            key=made.key.text,
            quotas=new.quotas,
            welcome=tenants.WELCOME_PATH,
        )
        location = ("location", f"/v1/tenants/{made.tenant_id}")
        return Response(status=201, headers=[*SECRET_HEADERS, location], body=msgspec.json.encode(onboarded))

    async def list(self, request: Request) -> Response:
        """A page of tenants."""
        asked = request.query
        found = await tenants.page(self._pool, asked.after, asked.limit)
        more = found[-1].tenant_id if len(found) == asked.limit else None
        page = TenantPage(tenants=found, next=more)
        return Response(status=200, headers=[_JSON], body=msgspec.json.encode(page))

    async def current(self, request: Request) -> Response:
        """The tenant of the caller."""
        return await self._shown(callers_tenant(request))

    async def get(self, request: Request) -> Response:
        """Any tenant."""
        return await self._shown(tenant_of(request))

    async def change(self, request: Request) -> Response:
        """Set quotas, suspend, resume."""
        tenant = tenant_of(request)
        changes = await body.read(request, Changes)
        done = await tenants.change(
            self._pool, tenant, changes, by=request.principal.id, traceparent=request.traceparent
        )
        self._authenticator.forget_tenant(tenant)
        if not done:
            raise not_found()
        return await self._shown(tenant)

    async def export(self, request: Request) -> Response:
        """Everything of a tenant, line by line."""
        tenant = await self._read(tenant_of(request))

        async def send(outgoing: Outgoing) -> None:
            piece = bytearray()
            async for line in export.lines(self._exports, tenant):
                piece += line
                if len(piece) >= _PIECE:
                    await outgoing.send_bytes(bytes(piece))
                    piece.clear()
            await outgoing.send_bytes(bytes(piece))

        headers = [("content-type", "application/x-ndjson"), ("cache-control", "no-store")]
        return Response(status=200, headers=headers, stream=send)

    async def erase(self, request: Request) -> Response:
        """Erase a tenant (204)."""
        asked = request.query
        try:
            await self._eraser.erase(
                tenant_of(request), asked.name, by=request.principal.id or "", traceparent=request.traceparent
            )
        except NotErasedError as error:
            if error.mismatch:
                detail = "The tenant has another name: nothing was erased."
                raise ProblemError(problems.NAME_MISMATCH, detail) from None
            raise not_found() from None
        except (RedisLostError, hiredis.ReplyError):
            raise ProblemError(
                problems.UNAVAILABLE,
                "The cache cannot be reached, and may still have something of the tenant: send this again.",
                (("retry-after", "5"),),
            ) from None
        return Response(status=204)

    async def _shown(self, tenant: UUID) -> Response:
        shown = await self._read(tenant)
        return Response(status=200, headers=[_JSON], body=msgspec.json.encode(shown))

    async def _read(self, tenant: UUID) -> Tenant:
        found = await tenants.read(self._pool, tenant)
        if found is None:
            raise not_found()
        return found


def tenant_of(request: Request) -> UUID:
    """The tenant that the path names; raises :class:`ProblemError` if it can be none."""
    try:
        return UUID(request.parameters[0])
    except ValueError:
        raise not_found() from None


def not_found() -> ProblemError:
    """There is no such tenant."""
    return ProblemError(problems.TENANT_NOT_FOUND, "There is no tenant of this id.")
