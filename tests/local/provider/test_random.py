"""Drawn values have the alphabet and length that were asked for, and never repeat."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.provider.protocol import State
from local.provider.random import RandomProvider
from local.provider.schema import UnknownTypeError

PASSWORD = "random:index/randomPassword:RandomPassword"


@given(length=st.integers(4, 128), special=st.booleans(), numeric=st.booleans())
def test_a_password_has_its_length_and_only_its_letters(length: int, special: bool, numeric: bool) -> None:
    inputs = {
        "length": length,
        "special": special,
        "numeric": numeric,
        "overrideSpecial": "-_",
        "minUpper": 2,
    }
    result = RandomProvider().create(PASSWORD, inputs).properties["result"]
    allowed = string.ascii_letters + ("-_" if special else "") + (string.digits if numeric else "")
    assert len(result) == length
    assert set(result) <= set(allowed)
    assert sum(letter.isupper() for letter in result) >= 2


def test_two_passwords_differ() -> None:
    provider = RandomProvider()
    drawn = {provider.create(PASSWORD, {"length": 32}).properties["result"] for _ in range(100)}
    assert len(drawn) == 100


def test_an_id_is_the_same_number_in_each_of_its_spellings() -> None:
    drawn = RandomProvider().create("random:index/randomId:RandomId", {"byteLength": 8}).properties
    assert int(drawn["hex"], 16) == int(drawn["dec"])


def test_a_refresh_keeps_the_value_for_it_exists_nowhere_else() -> None:
    state = State("none", {"result": "kept"})
    assert RandomProvider().read(PASSWORD, state, {}) is state


def test_a_changed_input_means_a_new_value() -> None:
    assert RandomProvider().replaces(PASSWORD, {"length"}, {}) == {"length"}


def test_an_unknown_type_and_an_unknown_argument_are_refused_by_name() -> None:
    with pytest.raises(UnknownTypeError, match="RandomPet"):
        RandomProvider().check("random:index/randomPet:RandomPet", {})
    assert [f.property for f in RandomProvider().check(PASSWORD, {"length": 8, "len": 8})] == ["len"]
