"""Issuers of bearer tokens: ``/v1/tenants/{tenant}/issuers``."""

from app.api import problems
from app.api.issuers import IssuerList, IssuerQuery
from app.api.routes.always import ALWAYS, BODY
from app.api.routes.route import Answer, Route
from app.tenancy.issuers import Issuer

_ISSUERS = "/v1/tenants/{tenant}/issuers"

ROUTES = (
    Route(
        method="PUT",
        path=_ISSUERS,
        handler="issuers.put",
        summary="Trust an issuer",
        description="Its tokens (JWT of RS256, ES256 or EdDSA) for the audience open the tenant; replaces what was there for both.",
        answers={200: Answer(description="Trusted.", body=Issuer)},
        problems=(problems.TENANT_NOT_FOUND, problems.ISSUER_TAKEN, *BODY, *ALWAYS),
        body=Issuer,
        verb="operate",
    ),
    Route(
        method="GET",
        path=_ISSUERS,
        handler="issuers.list",
        summary="List the issuers of a tenant",
        description="Whose tokens open the tenant, and with which roles.",
        answers={200: Answer(description="The issuers.", body=IssuerList)},
        problems=(problems.TENANT_NOT_FOUND, *ALWAYS),
        verb="operate",
    ),
    Route(
        method="DELETE",
        path=_ISSUERS,
        handler="issuers.remove",
        summary="Trust an issuer no longer",
        description="Its tokens are refused from now on by the process that answers, within 5 seconds by every other.",
        answers={204: Answer(description="Trusted no longer.")},
        problems=(problems.TENANT_NOT_FOUND, problems.ISSUER_NOT_FOUND, *ALWAYS),
        query=IssuerQuery,
        verb="operate",
    ),
)
