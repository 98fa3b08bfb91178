"""The client and the OpenAPI document say the same: every route has a method, and no method says what the document does not know."""

import inspect
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import jsonschema
import msgspec
import pytest

import client.agents
import client.checkpoints
import client.collections
import client.document
import client.events
import client.keys
import client.problem
import client.secrets
import client.sessions
import client.tenants
import client.webhooks
from app.api import openapi
from app.api.routes import ROUTES
from client import Check, Delete, ETag, Expect, Put, Vanta
from client.call import Call
from client.flow import Pages
from client.room import iteration, operation

MODULES: tuple[ModuleType, ...] = (
    client.agents,
    client.checkpoints,
    client.collections,
    client.document,
    client.events,
    client.keys,
    client.problem,
    client.secrets,
    client.sessions,
    client.tenants,
    client.webhooks,
)
DOCUMENT = openapi.document(ROUTES, "1.0.0")
TAG = ETag('"1f-9ae0c2d1b7f33c05"')
UUID = "6f1c2a52-0f0e-4f5e-9d0c-3a5f1f7f6f10"

#: An argument for each parameter, by its name, or by its method and name: all are given, so that all is sent.
SAMPLES: dict[str, Any] = {
    "after": 7,
    "agent": "planner",
    "audience": "vanta-acme",
    "before": "0002",
    "changes": client.tenants.Changes(max_documents=None, max_bytes=5, suspended=True),
    "checkpoint": "0001",
    "collection": "agents",
    "content": client.checkpoints.PutCheckpoint(
        type="t",
        data=b"\x00d",
        metadata={"step": 1},
        namespace="n",
        parent="0000",
        root="0000",
        run="r",
        needs_parent=True,
        channels={
            "c": client.checkpoints.CheckpointChannel(
                version="1", is_list=True, parts=[client.checkpoints.CheckpointPart(type="t", data=b"x")]
            )
        },
    ),
    "data": {"theme": "dark"},
    "etag": TAG,
    "expires_at": datetime(2030, 1, 1, tzinfo=UTC),
    "idle_ttl": 60,
    "issuer": client.tenants.Issuer(
        issuer="https://login.example.com/",
        audience="a",
        jwks_uri="https://login.example.com/keys",
        role_claim="roles",
        roles={"team": "admin"},
    ),
    "distrust.issuer": "https://login.example.com/",
    "keep": 2,
    "key": "planner/7",
    "key_id": "0123456789abcdef",
    "keys_only": True,
    "max_versions": 3,
    "merge": {"a": None},
    "metadata": {"owner": "sales"},
    "name": "acme",
    "namespace": "n",
    "operations": [
        *(Put(collection="a", key="k", value=None, expect=expect, ttl=1) for expect in (TAG, *Expect, None)),
        *(
            Delete(collection="a", key="k", expect=expect)
            for expect in (TAG, Expect.PRESENT, Expect.ANYTHING)
        ),
        *(Check(collection="a", key="k", expect=expect) for expect in (TAG, Expect.ABSENT, Expect.PRESENT)),
    ],
    "overlap_seconds": 60,
    "page": 5,
    "path": "crm/login",
    "prefix": "planner/",
    "quotas": client.tenants.Quotas(
        max_documents=1, max_bytes=None, rate=client.tenants.Rate(per_second=1, burst=2)
    ),
    "retention": client.agents.AgentRetention(keep_checkpoints=5, keep_days=3),
    "revision": 4,
    "role": "writer",
    "runs": ["r"],
    "scopes": [client.keys.Scope(collection="agents.*", verbs=["read", "write"])],
    "session": UUID,
    "settings": client.collections.CollectionSettings(ttl=5),
    "state": {"goal": "book"},
    "subject": "ada@example.com",
    "subject_prefix": "state/",
    "subject_prefixes": ["state/"],
    "target": "trip-8",
    "tenant": UUID,
    "thread": "trip-7",
    "threads": ["trip-7"],
    "token": "vses_x",
    "ttl": 60,
    "types": ["vanta.state.document.created"],
    "url": "https://hooks.example.com/",
    "value": {"a": [1, "\u2028"]},
    "version": 2,
    "versions": [1, 2],
    "webhook": UUID,
    "writes": client.checkpoints.PutCheckpointWrites(
        task="t",
        path="p",
        namespace="n",
        replace=True,
        writes=[client.checkpoints.NewCheckpointWrite(index=0, channel="c", type="t", data=b"x")],
    ),
}


def methods() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Every method of the client that sends something."""
    with Vanta("http://nobody", "key") as vanta:
        for name, room in vars(vanta).items():
            for method, described in vars(type(room)).items():
                if isinstance(described, operation | iteration):
                    yield name, method, described.describe


def arguments(method: str, describe: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """All arguments at once, again with each thing that can be expected."""
    parameters = [name for name in inspect.signature(describe).parameters if name != "self"]
    given = {
        name: SAMPLES.get(f"{method}.{name}", SAMPLES.get(name)) for name in parameters if name != "expect"
    }
    assert None not in given.values(), f"a sample is missing for {method}: {given}"
    yield given
    if "expect" in parameters:
        for expect in (TAG, Expect.PRESENT, Expect.ANYTHING) + (
            () if "delete" in method else (Expect.ABSENT,)
        ):
            yield {**given, "expect": expect}


def calls(method: str, describe: Callable[..., Any]) -> Iterator[Call[Any]]:
    """What it asks for, and what it asks for to go on."""
    for given in arguments(method, describe):
        described = describe(None, **given)
        match described:
            case Call():
                yield described
            case Pages():
                yield described.first.also(**{described.cursor: "7"})
            case _:
                yield described.call


METHODS = [*methods()]


@pytest.mark.parametrize(("room", "method", "describe"), METHODS, ids=[f"{m[0]}.{m[1]}" for m in METHODS])
def test_a_method_sends_only_what_the_document_knows(
    room: str, method: str, describe: Callable[..., Any]
) -> None:
    for call in calls(method, describe):
        known = DOCUMENT["paths"][call.route][call.method.lower()]
        parameters = {kind: {} for kind in ("path", "query", "header")}
        for parameter in known["parameters"]:
            parameters[parameter["in"]][parameter["name"]] = parameter
        request = call.request()
        assert {*call.names} == {*parameters["path"]}
        assert {*request.query} <= {*parameters["query"]}
        assert {*request.headers} - {"Content-Type", "Last-Event-ID"} <= {*parameters["header"]}
        for name, parameter in parameters["query"].items():
            assert not parameter["required"] or name in request.query
        assert (request.body is None) == ("requestBody" not in known), f"{room}.{method}"
        if request.body is not None:
            ((media_type, content),) = known["requestBody"]["content"].items()
            assert request.headers["Content-Type"] == media_type
            schema = {**content["schema"], "components": DOCUMENT["components"]}
            jsonschema.Draft202012Validator(schema).validate(msgspec.json.decode(request.body))


@pytest.mark.parametrize(("room", "method", "describe"), METHODS, ids=[f"{m[0]}.{m[1]}" for m in METHODS])
def test_a_write_has_an_idempotency_key_where_the_route_takes_one(
    room: str, method: str, describe: Callable[..., Any]
) -> None:
    for call in calls(method, describe):
        known = DOCUMENT["paths"][call.route][call.method.lower()]
        takes = any(parameter["name"] == "Idempotency-Key" for parameter in known["parameters"])
        assert takes == ("Idempotency-Key" in call.request().headers), f"{room}.{method}"


def test_every_route_has_a_method() -> None:
    called = {
        (call.method, call.route) for _, method, describe in METHODS for call in calls(method, describe)
    }
    # What needs no key is for orchestrators and scrapers.
    routes = {
        (verb.upper(), path)
        for path, verbs in DOCUMENT["paths"].items()
        for verb, known in verbs.items()
        if "security" in known
    }
    assert called == routes


def test_answers_are_as_documented() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    compared = 0
    for module in MODULES:
        for name, struct in vars(module).items():
            if not (inspect.isclass(struct) and issubclass(struct, msgspec.Struct)) or name.startswith("_"):
                continue
            if struct is msgspec.Struct or struct.__module__ != module.__name__:
                continue
            own = msgspec.json.schema_components([struct])[1][name]
            assert {*own["properties"]} == {*schemas[name]["properties"]}, name
            assert {*own.get("required", ())} == {*schemas[name].get("required", ())}, name
            for member, schema in own["properties"].items():
                here, there = _types(schema), _types(schemas[name]["properties"][member])
                # What is absent there may be None here; what is null there must be.
                assert there == {"any"} or here | {"null"} == there | {"null"}, f"{name}.{member}"
                assert there <= here or there == {"any"}, f"{name}.{member}"
            compared += 1
    assert compared > 40


def _types(schema: dict[str, Any]) -> set[str]:
    """What JSON it may be; what is a class of its own is compared as that."""
    if "anyOf" in schema:
        return set().union(*map(_types, schema["anyOf"]))
    if "$ref" in schema:
        return {schema["$ref"].rpartition("/")[2]}
    if "enum" in schema:
        return {*map(str, schema["enum"])}
    return {schema.get("type", "any")}


def test_what_is_shown_once_is_in_no_repr() -> None:
    shown = (
        client.secrets.SecretValue(version=1, value="hush", created_at=datetime.now(UTC)),
        client.secrets.SecretWritten(version=1, value="hush"),
        client.keys.KeySecret(id="i", key="hush"),
        client.webhooks.CreatedWebhook(id="i", secret="hush"),
    )
    assert not re.search("hush", repr(shown))
