"""Tenants: ``/v1/tenants``."""

from app.api import problems
from app.api.routes.always import ALWAYS, BODY
from app.api.routes.route import Answer, Header, Route
from app.api.tenants import ErasureQuery, NewTenant, Onboarded, TenantPage, TenantQuery
from app.tenancy.tenants import Changes, Tenant

_LOCATION = Header(
    name="Location",
    description="Path of the new tenant.",
    example="/v1/tenants/6f1c2a52-0f0e-4f5e-9d0c-3a5f1f7f6f10",
)
_TENANT = "/v1/tenants/{tenant}"

ROUTES = (
    Route(
        method="POST",
        path="/v1/tenants",
        handler="tenants.create",
        summary="Onboard a tenant",
        description="Makes the tenant, the key of its first admin, its quotas and a document to begin with, all or nothing.",
        answers={201: Answer(description="Made.", body=Onboarded, headers=(_LOCATION,))},
        problems=(problems.TENANT_EXISTS, *BODY, *ALWAYS),
        body=NewTenant,
        verb="operate",
    ),
    Route(
        method="GET",
        path="/v1/tenants",
        handler="tenants.list",
        summary="List tenants",
        description="In the order of their ids, with quotas and what is used of them.",
        answers={200: Answer(description="A page of tenants.", body=TenantPage)},
        problems=ALWAYS,
        query=TenantQuery,
        verb="operate",
    ),
    Route(
        method="GET",
        path="/v1/tenants/current",
        handler="tenants.current",
        summary="Read the own tenant",
        description="The tenant of the key: its name, its quotas, and what is used of them.",
        answers={200: Answer(description="The tenant.", body=Tenant)},
        problems=(problems.TENANT_NOT_FOUND, *ALWAYS),
        verb="metadata",
    ),
    Route(
        method="GET",
        path=_TENANT,
        handler="tenants.get",
        summary="Read a tenant",
        description="Its name, its quotas, and what is used of them; none of its data.",
        answers={200: Answer(description="The tenant.", body=Tenant)},
        problems=(problems.TENANT_NOT_FOUND, *ALWAYS),
        verb="operate",
    ),
    Route(
        method="PATCH",
        path=_TENANT,
        handler="tenants.change",
        summary="Change a tenant",
        description="Sets quotas, suspends and resumes; what is left out stays. Known everywhere within 5 seconds.",
        answers={200: Answer(description="The tenant as it is now.", body=Tenant)},
        problems=(problems.TENANT_NOT_FOUND, *BODY, *ALWAYS),
        body=Changes,
        verb="operate",
    ),
    Route(
        method="GET",
        path="/v1/tenants/{tenant}/export",
        handler="tenants.export",
        summary="Export a tenant",
        description=(
            "Everything of the tenant as it was at one moment, a line a row; values of secrets, hashes and keys stay here. "
            'Whole only if the last line is of the type "end".'
        ),
        answers={200: Answer(description="Lines of JSON.", body="lines")},
        problems=(problems.TENANT_NOT_FOUND, *ALWAYS),
        verb="operate",
    ),
    Route(
        method="DELETE",
        path=_TENANT,
        handler="tenants.erase",
        summary="Erase a tenant",
        description=(
            "Takes at least 5 seconds, and cannot be undone. Its keys stop working first; if this is interrupted, "
            "send it again. What stays is the id, when it was erased and by whose key."
        ),
        answers={204: Answer(description="Erased.")},
        problems=(problems.TENANT_NOT_FOUND, problems.NAME_MISMATCH, *ALWAYS),
        query=ErasureQuery,
        verb="operate",
    ),
)
