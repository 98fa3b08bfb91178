"""The table of routes, a file a room."""

from app.api.routes import (
    agents,
    collections,
    documents,
    events,
    issuers,
    keys,
    operations,
    secrets,
    sessions,
    tenants,
    transactions,
    versions,
    webhooks,
)

ROUTES = (
    *documents.ROUTES,
    *versions.ROUTES,
    *transactions.ROUTES,
    *collections.ROUTES,
    *agents.ROUTES,
    *events.ROUTES,
    *webhooks.ROUTES,
    *secrets.ROUTES,
    *sessions.ROUTES,
    *keys.ROUTES,
    *issuers.ROUTES,
    *tenants.ROUTES,
    *operations.ROUTES,
)
