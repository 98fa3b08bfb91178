"""Isolation over HTTP: one tenant tries every route with the names of another's things."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.routes import ROUTES
from app.api.routes.route import Route

from .conftest import Database, Served, Tenant

SECRET = "only-the-owner-may-see-this"
STREAMS = {
    route.plain_path for route in ROUTES for answer in route.answers.values() if answer.body == "events"
}
TRIED = [route for route in ROUTES if route.verb and route.plain_path not in STREAMS]

CONDITIONS = st.sampled_from(
    [{}, {"if-match": "*"}, {"if-none-match": "*"}, {"vanta-concurrency": "last-write-wins"}]
)
NAMED = {
    "collection": "shared",
    "key": "k",
    "path": "p",
    "agent": "planner",
    "thread": "t",
    "checkpoint": "c",
    "revision": "1",
    "webhook": "6f1c2a52-0f0e-4f5e-9d0c-3a5f1f7f6f10",
}
OPERATION = {"op": "put", "collection": "shared", "key": "k", "value": 1, "concurrency": "last-write-wins"}
BODIES = st.sampled_from(
    [
        {},
        {"overlapSeconds": 0},
        {"restore": 1},
        {"value": 1},
        {"name": "x", "role": "admin"},
        {"subject": "s", "data": {}, "ttl": 60, "idleTtl": 60},
        {"operations": [OPERATION]},
        {"suspended": True},
        {"maxVersions": 1, "keepVersionsDays": 0},
    ]
)


@pytest.fixture
def owner(api: Served, new_tenant: Callable[[], Tenant]) -> Tenant:
    """A tenant whose every value is :data:`SECRET`."""
    made = new_tenant()
    with httpx.Client(base_url=api.url, headers=made.headers) as client:
        for path in ("/v1/state/shared/k", "/v1/agents/planner"):
            assert client.put(path, json=SECRET).is_success
        assert client.put("/v1/collections/shared", json={}).is_success
        assert client.post("/v1/keys", json={"name": SECRET, "role": "reader"}).is_success
    return made


def path_of(route: Route, owner: Tenant) -> str:
    path = route.plain_path
    for name in route.parameters:
        value = {**NAMED, "tenant": str(owner.id), "keyId": owner.key.split("_")[1]}[name]
        path = path.replace(f"{{{name}}}", value)
    return path


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(TRIED), headers=CONDITIONS, body=BODIES)
def test_no_route_shows_or_changes_anything_of_another_tenant(
    api: Served,
    owner: Tenant,
    tenant: Tenant,
    database: Database,
    route: Route,
    headers: dict[str, str],
    body: dict[str, Any],
) -> None:
    before = database.trace(owner.id)
    kind = "application/merge-patch+json" if route.body == "merge-patch" else "application/json"
    content = json.dumps(body) if route.body else None
    answer = httpx.request(
        route.method,
        api.url + path_of(route, owner),
        headers={**tenant.headers, **headers, "content-type": kind},
        content=content,
        timeout=20,
    )
    assert answer.status_code != 500, answer.text
    assert SECRET not in answer.text
    assert str(owner.id) not in answer.text
    assert database.trace(owner.id) == before
