"""Everything the OpenAPI document allows, and much that it does not, sent by every kind of caller.

    make test-fuzz EXAMPLES=1000

What is sent is the same in each run, unless EXAMPLES asks for a longer one.
"""

import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import settings
from schemathesis.config import SchemathesisConfig

from app.api import openapi
from app.api.problems import TYPE_PREFIX
from app.api.routes import ROUTES
from app.api.routes.route import Header
from app.tenancy.principal import VERBS
from local.aws.emulator import Aws
from tests.conftest import PostgresServer, RedisServer

from . import keys
from .conftest import command, create_database, make_operator_key, serving

EXAMPLES = os.environ.get("EXAMPLES")

Case = schemathesis.Case[Any]
SCHEMA = schemathesis.openapi.from_dict(
    openapi.document(ROUTES, "0"),
    config=SchemathesisConfig.from_dict(
        {
            "generation": {"with-security-parameters": False},
            "request-timeout": 60,
            # Which refusals are right is said below, by their types.
            "checks": {
                "positive_data_acceptance": {"enabled": False},
                "negative_data_rejection": {"expected-statuses": ["4xx"]},
            },
        }
    ),
)
OPERATIONS = {(route.method, route.plain_path): route for route in ROUTES}
STREAMS = {
    route.plain_path for route in ROUTES for answer in route.answers.values() if answer.body == "events"
}

#: Names that some requests share, so that they find what others have left.
NAMES = {
    "collection": "c",
    "key": "k",
    "path": "k",
    "agent": "planner",
    "thread": "t",
    "checkpoint": "c1",
    "revision": "7",
}

#: What any request may meet, however well formed: the state of things, or what a schema cannot say of a cursor, a filter, a version.
BY_STATE = {
    *("precondition-failed", "precondition-required", "transaction-failed", "idempotency-key-reused"),
    *("not-found", "collection-not-found", "secret-not-found", "session-not-found", "thread-not-found"),
    *("checkpoint-not-found", "webhook-not-found", "dead-letter-not-found", "api-key-not-found"),
    *("tenant-not-found", "issuer-not-found", "tenant-exists", "issuer-taken", "name-mismatch"),
    *("thread-exists", "channel-missing", "revision-gone", "too-many-keys", "too-many-webhooks"),
    *("invalid-cursor", "delivery-failed"),
}
#: What schemas of one value at a time cannot say, by the words of the refusal.
BY_MEANING = (
    "Send only one of If-Match, If-None-Match and Vanta-Concurrency",
    "Numbered versions never change",
    "got `float`",  # 1.0 is an integer to JSON Schema, and none here
    "The filter: ",
    "A value that is no list has one part",
    "Two writes have one index",
    "expiresAt has passed",
    "Vanta-TTL is a whole number of seconds from 1",
    "Invalid base64",
    "A string contains NUL",
    "a put has a value, and nothing else has",
    "only a put has a ttl",
    "a check has ifMatch or ifNoneMatch",
    "is of the same document",
    'cannot be "." or ".."',
    'but not "." or ".."',
    "Send either a value, or how to generate one",
)


@dataclass(frozen=True, kw_only=True)
class World:
    """A served API with a tenant of its own; ``ids`` are of things that there are when a test begins."""

    url: str
    session: requests.Session
    callers: dict[str, str]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def world(
    postgres: PostgresServer, redis_server: RedisServer, aws: Aws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """An API that can seal, with a caller of each kind."""
    folder = tmp_path_factory.mktemp("fuzz")
    database = create_database(postgres, folder, redis_server)
    assert command(database, "migrate").returncode == 0
    operator = make_operator_key(database)
    sealing = keys.environment(aws.endpoint, keys.make_key(aws))
    with serving(database, folder, **sealing) as api, requests.Session() as session:
        with httpx.Client(base_url=api.url, timeout=60) as client:

            def made(key: str, path: str, **body: Any) -> dict[str, Any]:
                answer = client.post(path, json=body, headers={"authorization": f"Bearer {key}"})
                assert answer.is_success, answer.text
                return answer.json()

            own = made(operator, "/v1/tenants", name="own")
            other = made(operator, "/v1/tenants", name="other")
            scope = {"collection": "c", "verbs": ["read", "write"]}
            world = World(
                url=api.url,
                session=session,
                callers={
                    "admin": own["key"],
                    "operator": operator,
                    "nobody": "vanta_0123456789abcdef_none",
                    "scoped": made(own["key"], "/v1/keys", name="k", role="writer", scopes=[scope])["key"],
                    **{
                        role: made(own["key"], "/v1/keys", name="k", role=role)["key"]
                        for role in ("reader", "writer", "auditor")
                    },
                },
                ids={
                    "tenant": other["tenantId"],
                    "keyId": made(own["key"], "/v1/keys", name="k", role="reader")["id"],
                    "webhook": made(own["key"], "/v1/webhooks", url="https://hooks.invalid/")["id"],
                },
            )
        yield world


@SCHEMA.parametrize()  # ty: ignore[dynamic-function-decorator-return] - schemathesis does not say what it returns
@settings(
    max_examples=int(EXAMPLES or 10),
    database=None,
    derandomize=EXAMPLES is None,
    print_blob=EXAMPLES is not None,
)
def test_every_operation_answers_as_it_is_documented(case: Case, world: World) -> None:
    route = OPERATIONS[case.operation.method.upper(), case.operation.path]
    assert case.meta
    wellformed = case.meta.generation.mode.is_positive and _fitting(route.headers, case.headers)
    chance = zlib.crc32(repr((case.path_parameters, case.query, case.headers, case.body)).encode())
    if wellformed:
        _name(case, world, chance)
    able = "operator" if route.verb == "operate" else "admin"
    caller = able if chance % 4 else sorted(world.callers)[chance // 4 % len(world.callers)]
    headers = {"Authorization": f"Bearer {world.callers[caller]}"}
    if route.plain_path in STREAMS:
        response = _begun(case, world, headers)
    else:
        response = case.call(base_url=world.url, session=world.session, headers=headers)
    case.validate_response(response, headers=headers)
    allowed = route.verb is None or route.verb in {"scoped": VERBS["writer"], **VERBS}[caller]
    if not allowed:
        assert response.status_code >= 400
    if wellformed and response.status_code >= 400 and route.method != "HEAD":
        _justified(response, allowed=allowed)


def _name(case: Case, world: World, chance: int) -> None:
    """Let a request of the right form name what others name, most of the time; a webhook never names somebody's host."""
    known = {**NAMES, **world.ids}
    if chance % 8:
        for name in case.path_parameters:
            case.path_parameters[name] = known.get(name, case.path_parameters[name])
    body: Any = case.body
    if isinstance(body, dict) and "url" in body:
        body["url"] = "https://hooks.invalid/"
    if isinstance(body, dict) and chance % 8:
        for operation in body.get("operations", []):
            operation["collection"] = "c"


def _fitting(headers: Iterable[Header], values: Mapping[str, Any]) -> bool:
    """Whether the values are what the headers' schemas ask for, which those of schemathesis' coverage phase are not always."""
    return all(
        re.search(header.schema.get("pattern", ""), str(values.get(header.name, header.example)))
        for header in headers
    )


def _begun(case: Case, world: World, headers: dict[str, str]) -> schemathesis.Response:
    """The answer to a request whose answer never ends, without what it goes on with."""
    sent = case.as_transport_kwargs(base_url=world.url, headers=headers)
    with world.session.request(**sent, stream=True, timeout=60) as answer:
        if answer.ok:
            # Who asks for the content waits for its end, and who does not leaves it to the next request of the connection.
            answer._content = b""  # noqa: SLF001
            answer.raw.close()
        return schemathesis.Response.from_requests(answer, verify=True)


def _justified(response: schemathesis.Response, *, allowed: bool) -> None:
    """A request of the right form is refused for what there is, or because of who sends it."""
    problem = response.json()
    kind = problem["type"].removeprefix(TYPE_PREFIX)
    if not allowed:
        assert kind in {"unauthenticated", "forbidden"}, problem
    elif kind != "forbidden" and not any(words in problem["detail"] for words in BY_MEANING):
        assert kind in BY_STATE, problem
