"""The OpenAPI 3.1 document, from the table of routes and the schemas of the bodies."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.agents import names as agent_names
from app.api.problems import Problem, ProblemType
from app.api.routes.route import Answer, Header, Route
from app.events.event import CloudEvent
from app.state import names

_SCHEMAS = "#/components/schemas/{name}"
_TEXT = {"text": "text/plain", "events": "text/event-stream", "lines": "application/x-ndjson"}
_PARAMETERS = {
    "collection": {
        "description": "A group of documents.",
        "schema": {"type": "string", "pattern": names.COLLECTION_PATTERN},
        "example": "agents",
    },
    "key": {
        "description": (
            "The rest of the path: segments separated by slashes. A slash and %2F are the same. "
            'No segment is "." or "..".'
        ),
        "schema": {
            "type": "string",
            "pattern": names.KEY_PATTERN,
            "minLength": 1,
            "maxLength": names.MAX_KEY,
        },
        "example": "planner/7",
    },
}
_PARAMETERS["keyId"] = {
    "description": "The id of an API key.",
    "schema": {"type": "string"},
    "example": "0123456789abcdef",
}
_PARAMETERS["tenant"] = {
    "description": "The id of a tenant.",
    "schema": {"type": "string", "format": "uuid"},
    "example": "6f1c2a52-0f0e-4f5e-9d0c-3a5f1f7f6f10",
}
_PARAMETERS["agent"] = {
    "description": "An agent.",
    "schema": {"type": "string", "pattern": agent_names.AGENT_PATTERN},
    "example": "planner",
}
_PARAMETERS["thread"] = {
    "description": "A thread of the agent.",
    "schema": {"type": "string", "pattern": agent_names.THREAD_PATTERN},
    "example": "conversation-7",
}
_PARAMETERS["checkpoint"] = {
    "description": "A checkpoint; later ones have names that sort after it.",
    "schema": {"type": "string", "pattern": agent_names.CHECKPOINT_PATTERN},
    "example": "1f0c8a52-6d1e-6f00-8001-3c2f5a7b9d11",
}
_PARAMETERS["path"] = {**_PARAMETERS["key"], "example": "crm/token"}
_PARAMETERS["webhook"] = {
    "description": "The id of a webhook.",
    "schema": {"type": "string", "format": "uuid"},
    "example": "0b7a4e5e-8e0c-4a53-9a5c-3f0f3f7b8d21",
}
_PARAMETERS["revision"] = {
    "description": "The revision of an event.",
    "schema": {"type": "string", "pattern": r"^[0-9]{1,18}$(?!\n)"},
    "example": "4711",
}


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The whole document as JSON-like values."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.plain_path, {})[route.method.lower()] = _operation(route)
    _, schemas = msgspec.json.schema_components([*_bodies(routes), Problem], ref_template=_SCHEMAS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "VANTA state API",
            "version": version,
            "summary": "Documents of AI agents: versioned, tenant-isolated, never stale.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: vanta_<id>_<secret>.",
                }
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": route.description,
        "parameters": [
            {"name": name, "in": "path", "required": True, **_PARAMETERS[name]} for name in route.parameters
        ]
        + _query(route)
        + [_request_header(header) for header in route.headers],
        "responses": {str(status): _answer(answer) for status, answer in route.answers.items()},
    }
    for status in sorted({problem.status for problem in route.refusals}):
        same = [problem for problem in route.refusals if problem.status == status]
        operation["responses"][str(status)] = _refusal(same, bodiless=route.method == "HEAD")
    if route.verb:
        operation["security"] = [{"apiKey": []}]
    if route.body:
        schema = {} if isinstance(route.body, str) else _reference(route.body)
        media_type = "application/merge-patch+json" if route.body == "merge-patch" else "application/json"
        operation["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    return operation


def _bodies(routes: Sequence[Route]) -> list[type[msgspec.Struct]]:
    """The schemas of all bodies, each once, in the order of their names."""
    bodies = [route.body for route in routes] + [
        answer.body for route in routes for answer in route.answers.values()
    ]
    if "events-batch" in bodies:
        bodies.append(CloudEvent)
    return sorted({body for body in bodies if isinstance(body, type)}, key=lambda body: body.__name__)


def _query(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = msgspec.json.schema_components([route.query])[1][route.query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "description": described.pop("description"),
            "schema": described,
        }
        for name, described in schema["properties"].items()
    ]


def _reference(schema: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _SCHEMAS.format(name=schema.__name__)}


def _operation_id(route: Route) -> str:
    room, _, verb = route.handler.partition(".")
    return f"{room}-{'head' if route.method == 'HEAD' else verb}"


def _request_header(header: Header) -> dict[str, Any]:
    return {
        "name": header.name,
        "in": "header",
        "description": header.description,
        "schema": dict(header.schema),
        "example": header.example,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        described["headers"] = {
            header.name: {
                "description": header.description,
                "schema": dict(header.schema),
                "example": header.example,
            }
            for header in answer.headers
        }
    if isinstance(answer.body, type):
        described["content"] = {"application/json": {"schema": _reference(answer.body)}}
    elif answer.body == "events-batch":
        schema = {"type": "array", "items": _reference(CloudEvent)}
        described["content"] = {"application/cloudevents-batch+json": {"schema": schema}}
    elif answer.body == "document":
        described["content"] = {"application/json": {"schema": {}}}
    elif answer.body:
        described["content"] = {_TEXT[answer.body]: {"schema": {"type": "string"}}}
    return described


def _refusal(kinds: Sequence[ProblemType], *, bodiless: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": "; ".join(f"{kind.title} (`{kind.name}`)" for kind in kinds) + "."
    }
    if not bodiless:
        described["content"] = {"application/problem+json": {"schema": _reference(Problem)}}
    return described
