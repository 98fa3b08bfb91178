"""What is sent as Authorization, whatever it is."""

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

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
