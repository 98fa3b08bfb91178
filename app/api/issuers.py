"""``/v1/tenants/{tenant}/issuers``: whose bearer tokens open a tenant."""

from typing import Annotated

import asyncpg
import msgspec

from app.api import body, problems
from app.api.messages import Request, Response
from app.api.problems import ProblemError
from app.api.tenants import not_found, tenant_of
from app.tenancy import issuers, tenants
from app.tenancy.authenticator import Authenticator
from app.tenancy.issuers import Issuer

_JSON = ("content-type", "application/json")


class IssuerList(msgspec.Struct, frozen=True, kw_only=True):
    """The issuers that a tenant trusts."""

    issuers: list[Issuer]


class IssuerQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which issuer."""

    issuer: Annotated[str, msgspec.Meta(description="`iss` of its tokens.", max_length=500)]
    audience: Annotated[str, msgspec.Meta(description="`aud` of its tokens.", max_length=500)]


class IssuerHandlers:
    """The handlers of the routes of issuers."""

    def __init__(self, pool: asyncpg.Pool, authenticator: Authenticator) -> None:
        self._pool = pool
        self._authenticator = authenticator

    async def put(self, request: Request) -> Response:
        """Trust an issuer."""
        tenant = tenant_of(request)
        issuer = await body.read(request, Issuer)
        outcome = await issuers.put(
            self._pool, tenant, issuer, by=request.principal.id, traceparent=request.traceparent
        )
        self._authenticator.forget_tenant(tenant)
        if outcome == "not_found":
            raise not_found()
        if outcome == "taken":
            raise ProblemError(problems.ISSUER_TAKEN, "Have the issuer use another audience for each tenant.")
        return Response(status=200, headers=[_JSON], body=msgspec.json.encode(issuer))

    async def list(self, request: Request) -> Response:
        """Every issuer of a tenant."""
        tenant = tenant_of(request)
        if await tenants.read(self._pool, tenant) is None:
            raise not_found()
        listed = IssuerList(issuers=await issuers.listed(self._pool, tenant))
        return Response(status=200, headers=[_JSON], body=msgspec.json.encode(listed))

    async def remove(self, request: Request) -> Response:
        """Trust an issuer no longer (204)."""
        tenant = tenant_of(request)
        asked = request.query
        if "\0" in asked.issuer + asked.audience or not await issuers.remove(
            self._pool,
            tenant,
            asked.issuer,
            asked.audience,
            by=request.principal.id,
            traceparent=request.traceparent,
        ):
            raise ProblemError(problems.ISSUER_NOT_FOUND, "Its tokens for this audience open nothing here.")
        self._authenticator.forget_tenant(tenant)
        return Response(status=204)
