"""What is said of a body that does not fit."""

from typing import Annotated, Literal

import msgspec
import pytest

from app.api import body, query
from app.api.collections import CollectionSettings
from app.api.keys import NewKey
from app.api.problems import ProblemError
from app.api.routes import agents, issuers
from app.api.tenants import NewTenant
from app.api.threads import PruneThreads
from app.api.transaction import Transaction

Issuer = next(route.body for route in issuers.ROUTES if isinstance(route.body, type))


class Nested(msgspec.Struct):
    """What no route has yet, and may have."""

    either: Literal["a", "b"] | None = None
    code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}$(?!\n)")] = "0000"


@pytest.mark.parametrize(
    ("text", "schema", "detail"),
    [
        (
            '{"name": "x", "role": "boss"}',
            NewKey,
            "Expected one of admin, auditor, reader, writer - at `$.role`.",
        ),
        (
            '{"name": "x", "role": "reader", "scopes": [{"collection": "a", "verbs": ["boss"]}]}',
            NewKey,
            "Expected one of read, write - at `$.scopes[0].verbs[0]`.",
        ),
        (
            '{"concurrency": "boss"}',
            CollectionSettings,
            "Expected one of last-write-wins, precondition - at `$.concurrency`.",
        ),
        (
            '{"operations": [{"op": "check", "collection": "a", "key": "b"}, {"op": "boss"}]}',
            Transaction,
            "Expected one of check, delete, put - at `$.operations[1].op`.",
        ),
        ('{"either": "boss"}', Nested, "Expected one of a, b - at `$.either`."),
        ('{"code": "boss"}', Nested, "Expected text that matches ^[0-9]{4}$ - at `$.code`."),
        (
            '{"name": "the boss"}',
            NewTenant,
            'A tenant is named by 1 to 63 lower-case letters, digits and "-", a letter or digit first - at `$.name`.',
        ),
        ('{"limit": "boss"}', agents.AgentsQuery, "Expected `int`, got `str` - at `$.limit`."),
    ],
)
def test_the_sentence_says_what_may_stand_there_and_not_what_stands_there(
    text: str, schema: type[msgspec.Struct], detail: str
) -> None:
    with pytest.raises(ProblemError) as refused:
        body.decode(text, schema)
    assert refused.value.detail == detail


def test_any_member_of_an_object_is_a_place() -> None:
    text = '{"issuer": "https://a.example", "audience": "a", "jwksUri": "https://a.example/", "roles": {"x": "boss"}}'
    with pytest.raises(ProblemError, match=r"Expected one of admin, auditor, reader, writer - at `\$.roles"):
        body.decode(text, Issuer)


def test_the_name_of_a_member_is_not_repeated() -> None:
    text = '{"issuer": "https://a.example", "audience": "a", "jwksUri": "https://a.example/", "roles": {"\\u0001": "admin"}}'
    with pytest.raises(ProblemError, match=r"^This name is not allowed - at `key` in `\$.roles`.$"):
        body.decode(text, Issuer)


def test_a_name_in_a_list_is_explained() -> None:
    with pytest.raises(ProblemError, match=r"A thread is named by 1 to 512 .* - at `\$.threads\[0\]`.$"):
        body.decode('{"threads": ["the boss"]}', PruneThreads)


def test_a_query_is_explained_alike() -> None:
    with pytest.raises(ProblemError) as refused:
        query.parse("either=boss", Nested)
    assert refused.value.detail == "Expected one of a, b - at `$.either`."
