"""The table of routes, a file a room."""

from app.api.routes import documents, operations

ROUTES = (*documents.ROUTES, *operations.ROUTES)
