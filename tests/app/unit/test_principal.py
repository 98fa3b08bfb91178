"""What a caller may do."""

from typing import get_args

import pytest

from app.api import access
from app.api.problems import ProblemError
from app.api.routes import ROUTES
from app.api.routes.route import Answer, Route
from app.tenancy.principal import NOBODY, VERBS, Principal, Role, Scope, Verb

READ, WRITE, BOTH = ("read",), ("write",), ("read", "write")


def principal(role: Role, *scopes: Scope, suspended: bool = False) -> Principal:
    return Principal(tenant=None, id="0" * 16, role=role, scopes=scopes, suspended=suspended)


def route(verb: Verb | None, path: str = "/v1/x", scope: str | None = None) -> Route:
    answers = {200: Answer(description="")}
    return Route(
        method="GET",
        path=path,
        handler="a.b",
        summary="",
        description="",
        answers=answers,
        verb=verb,
        scope=scope,
    )


def refusal(who: Principal, asked: Route, *parameters: str) -> str | None:
    try:
        access.check(who, asked, parameters)
    except ProblemError as error:
        return error.kind.name
    return None


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("reader", {"read", "metadata"}),
        ("writer", {"read", "write", "metadata"}),
        ("admin", {"read", "write", "metadata", "audit", "admin"}),
        ("auditor", {"metadata", "audit"}),
        ("operator", {"operate"}),
        ("nobody", set()),
    ],
)
def test_a_role_may_do_this_and_no_more(role: Role, allowed: set[Verb]) -> None:
    for verb in get_args(Verb):
        assert (refusal(principal(role), route(verb)) is None) == (verb in allowed)
        assert principal(role).may("agents", verb) == (verb in allowed)


def test_an_operator_reads_nothing_of_a_tenant_and_a_tenant_operates_nothing() -> None:
    for served in ROUTES:
        tenants = [
            role for role in VERBS if role not in {"operator", "nobody"} and served.verb in VERBS[role]
        ]
        operators = served.verb in VERBS["operator"]
        assert not (tenants and operators)
        assert served.verb is None or tenants or operators


def test_every_route_under_v1_asks_who_it_is() -> None:
    assert all(served.verb for served in ROUTES if served.path.startswith("/v1"))


def test_a_refusal_names_what_is_missing() -> None:
    with pytest.raises(ProblemError, match=r"right to write.*role reader"):
        access.check(principal("reader"), route("write"), ())


def test_a_suspended_tenant_may_do_nothing() -> None:
    assert refusal(principal("admin", suspended=True), route("read")) == "suspended"


@pytest.mark.parametrize(
    ("scopes", "collection", "verb", "allowed"),
    [
        ((), "agents", "write", True),
        ((Scope(collection="agents", verbs=BOTH),), "agents", "write", True),
        ((Scope(collection="agents", verbs=READ),), "agents", "write", False),
        ((Scope(collection="agents", verbs=READ),), "agents", "metadata", True),
        ((Scope(collection="agents", verbs=WRITE),), "agents", "read", False),
        ((Scope(collection="agents", verbs=WRITE),), "agents", "metadata", False),
        ((Scope(collection="agents", verbs=BOTH),), "agents2", "read", False),
        ((Scope(collection="agents.*", verbs=BOTH),), "agents.a", "read", True),
        ((Scope(collection="agents.*", verbs=BOTH),), "agents", "read", False),
        ((Scope(collection="*", verbs=READ),), "anything", "read", True),
        ((Scope(collection="*", verbs=READ),), "_secrets", "read", False),
        ((Scope(collection="_*", verbs=READ),), "_secrets", "read", True),
        ((Scope(collection="_secrets", verbs=READ),), "_secrets", "read", True),
        ((Scope(collection="a", verbs=READ), Scope(collection="b", verbs=WRITE)), "b", "read", False),
        ((Scope(collection="a", verbs=READ), Scope(collection="b", verbs=WRITE)), "b", "write", True),
        ((Scope(collection="*", verbs=BOTH),), "agents", "admin", False),
    ],
)
def test_scopes_narrow_what_a_key_may(
    scopes: tuple[Scope, ...], collection: str, verb: Verb, allowed: bool
) -> None:
    who = principal("admin", *scopes)
    assert who.may(collection, verb) == allowed
    assert (refusal(who, route(verb, "/v1/state/{collection}/{+key}"), collection, "k") is None) == allowed
    assert (refusal(who, route(verb, "/v1/x", scope=collection)) is None) == allowed


def test_scopes_give_nothing_that_the_role_lacks() -> None:
    assert not principal("reader", Scope(collection="*", verbs=BOTH)).may("agents", "write")


def test_a_key_with_scopes_is_refused_where_no_collection_is_named() -> None:
    scoped = principal("admin", Scope(collection="*", verbs=BOTH))
    for verb in ("read", "write", "metadata", "audit", "admin"):
        assert refusal(scoped, route(verb)) == "forbidden"
        assert refusal(scoped, route(verb, scope="handler")) is None


def test_the_right_collection_of_a_path_is_compared() -> None:
    scoped = principal("reader", Scope(collection="agents", verbs=READ))
    asked = route("read", "/v1/{other}/{collection}")
    assert refusal(scoped, asked, "x", "agents") is None
    assert refusal(scoped, asked, "agents", "x") == "forbidden"


def test_nobody_may_do_nothing() -> None:
    assert not any(NOBODY.may("agents", verb) for verb in get_args(Verb))
