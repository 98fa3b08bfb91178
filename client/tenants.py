"""Tenants, and the issuers they trust: an operator's part of the API."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx
import msgspec

from client.call import Call, body, encode, nothing, reads
from client.flow import Page, Pages
from client.keys import Role
from client.room import Room, S, iteration, operation
from client.streams import Export

_TENANT = "/v1/tenants/{tenant}"
_ISSUERS = _TENANT + "/issuers"


class Rate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many requests."""

    per_second: int
    burst: int


class Quotas(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Limits; None is none."""

    max_documents: int | None = None
    max_bytes: int | None = None
    rate: Rate | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What to change; what is ``UNSET`` stays, None is no limit."""

    max_documents: int | msgspec.UnsetType | None = msgspec.UNSET
    max_bytes: int | msgspec.UnsetType | None = msgspec.UNSET
    rate: Rate | msgspec.UnsetType | None = msgspec.UNSET
    suspended: bool | msgspec.UnsetType = msgspec.UNSET


class Tenant(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tenant and what it uses."""

    tenant_id: str
    name: str
    created_at: datetime
    suspended: bool
    erasing: bool
    quotas: Quotas
    documents: int
    bytes: int
    revision: int


class TenantPage(msgspec.Struct, frozen=True, kw_only=True):
    """Tenants, by id."""

    tenants: list[Tenant]
    next: str | None


class Onboarded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new tenant, with the key of its first admin, which is shown this once."""

    tenant_id: str
    name: str
    key_id: str
    key: str
    quotas: Quotas
    welcome: str

    def __repr__(self) -> str:
        return f"Onboarded(tenant_id={self.tenant_id!r}, name={self.name!r})"


class Issuer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whose tokens open a tenant, and as what."""

    issuer: str
    audience: str
    jwks_uri: str
    role_claim: str
    roles: Mapping[str, Role]


class IssuerList(msgspec.Struct, frozen=True, kw_only=True):
    """All that a tenant trusts."""

    issuers: list[Issuer]


class Tenants(Room[S]):
    """``/v1/tenants``."""

    @operation
    def current(self) -> Call[Tenant]:
        """The tenant of this key."""
        return Call(method="GET", route="/v1/tenants/current", read=reads(Tenant))

    @operation
    def create(self, name: str, *, quotas: Quotas | None = None) -> Call[Onboarded]:
        """Onboard one."""
        return Call(
            method="POST", route="/v1/tenants", body=body(name=name, quotas=quotas), read=reads(Onboarded)
        )

    @iteration
    def list(self, *, page: int = 100) -> Pages[Tenant]:
        """All, by id."""

        def read(response: httpx.Response) -> Page[Tenant]:
            found = reads(TenantPage)(response)
            return Page(items=found.tenants, cursor=found.next)

        return Pages(
            first=Call(method="GET", route="/v1/tenants", query={"limit": page}, read=read), cursor="after"
        )

    @operation
    def get(self, tenant: str) -> Call[Tenant]:
        """One."""
        return Call(method="GET", route=_TENANT, names={"tenant": tenant}, read=reads(Tenant))

    @operation
    def change(self, tenant: str, changes: Changes) -> Call[Tenant]:
        """Set its quotas, suspend it, resume it."""
        return Call(
            method="PATCH", route=_TENANT, names={"tenant": tenant}, body=encode(changes), read=reads(Tenant)
        )

    @iteration
    def export(self, tenant: str) -> Export:
        """Everything of it; ``httpx.RemoteProtocolError`` at the end if that was not everything."""
        return Export(
            call=Call(method="GET", route=_TENANT + "/export", names={"tenant": tenant}, read=nothing)
        )

    @operation
    def erase(self, tenant: str, *, name: str) -> Call[None]:
        """Erase it; ``name`` is its name once more, against slips. It takes longer than 5 seconds."""
        return Call(
            method="DELETE", route=_TENANT, names={"tenant": tenant}, query={"name": name}, read=nothing
        )

    @operation
    def trust(self, tenant: str, issuer: Issuer) -> Call[Issuer]:
        """Have it trust an issuer of bearer tokens."""
        return Call(
            method="PUT", route=_ISSUERS, names={"tenant": tenant}, body=encode(issuer), read=reads(Issuer)
        )

    @operation
    def issuers(self, tenant: str) -> Call[Sequence[Issuer]]:
        """The issuers it trusts."""
        return Call(
            method="GET",
            route=_ISSUERS,
            names={"tenant": tenant},
            read=lambda response: reads(IssuerList)(response).issuers,
        )

    @operation
    def distrust(self, tenant: str, issuer: str, audience: str) -> Call[None]:
        """Have it trust one no longer."""
        return Call(
            method="DELETE",
            route=_ISSUERS,
            names={"tenant": tenant},
            query={"issuer": issuer, "audience": audience},
            read=nothing,
        )
