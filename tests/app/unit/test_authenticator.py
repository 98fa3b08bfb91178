"""What is sent as Authorization, whatever it is."""

import asyncio
import base64
import json
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from app.tenancy import keys
from app.tenancy.authenticator import Authenticator

CLAIMS = ["alg", "kid", "iss", "aud", "sub", "exp", "nbf", "iat", "crit", "b64", "typ", "jwk", "jku"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(CLAIMS) | st.text(), inner, max_size=6)
    ),
    max_leaves=10,
)


class Empty:
    """A database without keys and issuers; what it is asked can be encoded and holds no NUL."""

    async def fetchrow(self, _: str, key_id: str) -> None:
        assert len(key_id.encode()) == 16

    async def fetch(self, _: str, issuer: str, audiences: list[str]) -> list[Any]:
        for text in (issuer, *audiences):
            assert b"\0" not in text.encode()
        return []


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@given(st.none() | st.text() | st.text().map(lambda text: f"Bearer {text}"))
async def test_no_text_is_more_than_refused(text: str | None) -> None:
    assert await Authenticator(Empty()).principal(text) is None  # ty: ignore[invalid-argument-type] - what is used of a pool


@given(JSON, JSON, st.text(alphabet="AZaz09_-=+/"))
async def test_no_token_of_any_form_is_more_than_refused(
    header: object, body: object, signature: str
) -> None:
    text = f"Bearer {segment(header)}.{segment(body)}.{signature}"
    assert await Authenticator(Empty()).principal(text) is None  # ty: ignore[invalid-argument-type] - what is used of a pool


class Slow:
    """A database with one key, which it finds when told to."""

    def __init__(self, key: keys.ApiKey) -> None:
        self.asked = 0
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self._row: dict[str, Any] = {
            "tenant_id": uuid4(),
            "role": "writer",
            "scopes": "[]",
            "expires_at": None,
            "expires_seconds": None,
            "suspended": False,
            "rate_per_second": None,
            "burst": None,
            "secret_sha256": key.secret_sha256,
            "previous_sha256": None,
            "previous_seconds": None,
        }

    async def fetchrow(self, *_: object) -> dict[str, Any]:
        self.asked += 1
        self.begun.set()
        await self.gate.wait()
        return self._row


async def test_callers_with_one_key_wait_for_one_look_up_even_if_the_first_of_them_leaves() -> None:
    key = keys.generate()
    database = Slow(key)
    authenticator = Authenticator(database)  # ty: ignore[invalid-argument-type] - what is used of a pool
    callers = [asyncio.create_task(authenticator.principal(f"Bearer {key.text}")) for _ in range(8)]
    await asyncio.sleep(0)
    callers.pop(0).cancel()
    await asyncio.sleep(0)
    database.gate.set()
    assert [who.id for who in await asyncio.gather(*callers) if who] == [key.id] * 7
    assert database.asked == 1


async def test_nobody_waits_for_a_look_up_that_began_before_its_key_was_changed() -> None:
    key = keys.generate()
    database = Slow(key)
    authenticator = Authenticator(database)  # ty: ignore[invalid-argument-type] - what is used of a pool
    before = asyncio.create_task(authenticator.principal(f"Bearer {key.text}"))
    await database.begun.wait()
    authenticator.forget_key(key.id)
    after = asyncio.create_task(authenticator.principal(f"Bearer {key.text}"))
    database.gate.set()
    await asyncio.gather(before, after)
    assert database.asked == 2
