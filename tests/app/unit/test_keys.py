"""API keys."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from app.tenancy import keys


def test_a_generated_key_is_read_back() -> None:
    key = keys.generate()
    assert keys.parse(key.text) == key


def test_two_keys_share_nothing() -> None:
    one, other = keys.generate(), keys.generate()
    assert one.id != other.id
    assert one.secret != other.secret


def test_only_the_hash_of_the_secret_is_stored_and_the_secret_never_shown() -> None:
    key = keys.generate()
    assert key.secret_sha256 == hashlib.sha256(key.secret.encode()).digest()
    assert key.secret not in repr(key)


@given(st.text())
def test_what_has_not_the_form_of_a_key_is_none(text: str) -> None:
    assert keys.parse(text) is None
    assert keys.parse(keys.generate().text + text[:1] + "x") is None
