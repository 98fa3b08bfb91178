"""Which bodies are documents."""

import json as stdlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.state import json

_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda below: st.lists(below) | st.dictionaries(_text, below),
    max_leaves=30,
)


@given(_values, st.booleans())
def test_every_i_json_value_passes_unchanged(value: object, ascii_only: bool) -> None:
    body = stdlib.dumps(value, ensure_ascii=ascii_only).encode()
    assert json.check(body) == body.decode()


@given(st.binary(max_size=60))
def test_whatever_passes_means_the_same_to_another_parser(body: bytes) -> None:
    try:
        text = json.check(body)
    except (json.MalformedError, json.UnacceptableError):
        return
    stdlib.loads(text, parse_constant=pytest.fail)


@given(_text, _values, _values)
def test_a_member_given_twice_is_refused(name: str, one: object, other: object) -> None:
    first, second = (f"{stdlib.dumps(name)}: {stdlib.dumps(value)}" for value in (one, other))
    with pytest.raises(json.UnacceptableError, match="same name"):
        json.check(f'[{{"outer": {{{first}, {second}}}}}]'.encode())


def test_a_member_given_twice_in_two_spellings_is_refused() -> None:
    with pytest.raises(json.UnacceptableError, match="same name"):
        json.check(b'{"a": 1, "\\u0061": 2}')


def test_colons_in_strings_are_no_members() -> None:
    assert json.check(b'{"a:b": "c:d::", "t": "12:30"}')


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"[1,]", b"{'a':1}", b"01", b"1 2", b"nul", b"NaN", b"Infinity", b"-Infinity", b'"\xff"',
        b'"\xed\xa0\x80"', b'"a\x00b"', b'"a\nb"', b"\xef\xbb\xbf1", b"\xff\xfe1\x00",
    ],
)  # fmt: skip
def test_what_is_not_json_in_utf8_is_malformed(body: bytes) -> None:
    with pytest.raises(json.MalformedError):
        json.check(body)


@pytest.mark.parametrize(
    "body",
    [b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud800x"', b'{"\\udfff": 1}', b'["\\u0041", ["\\ud83d "]]'],
)
def test_half_of_a_surrogate_pair_is_json_but_no_document(body: bytes) -> None:
    with pytest.raises(json.UnacceptableError, match="surrogate"):
        json.check(body)


@pytest.mark.parametrize("body", [b'["\\ud800", NaN]', b'["\\ud800"', b'["\\u0041"', b'"\\ud83d\\ude00" 1'])
def test_what_is_no_json_besides_is_malformed(body: bytes) -> None:
    with pytest.raises(json.MalformedError):
        json.check(body)


def test_nesting_is_limited_at_the_same_depth_for_all_containers() -> None:
    depth = json.MAX_DEPTH
    assert json.check(b"[" * depth + b"1" + b"]" * depth)
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        for levels in (depth + 1, 10_000):
            with pytest.raises(json.UnacceptableError, match="nested deeper"):
                json.check(opening * levels + b"1" + closing * levels)


@pytest.mark.parametrize(
    "body", [b'"\\u0000"', b'["a\\u0000b"]', b'{"\\u0000": 1}', b'{"a": {"b": "\\u0000"}}']
)
def test_nul_is_refused_wherever_it_hides(body: bytes) -> None:
    with pytest.raises(json.UnacceptableError, match="NUL"):
        json.check(body)


def test_a_backslash_before_u0000_is_no_nul() -> None:
    assert json.check(b'"\\\\u0000"')


def test_numbers_beyond_a_float_are_refused_and_long_integers_kept() -> None:
    with pytest.raises(json.UnacceptableError, match="range"):
        json.check(b"1e400")
    assert json.check(b"123456789012345678901234567890") == "123456789012345678901234567890"


def test_no_message_quotes_the_body() -> None:
    for body in (
        b'{"secret-word": }',
        b'{"secret-word": 1, "secret-word": 2}',
        b'"secret-word\xff"',
        b'["secret-word\\u0000"]',
    ):
        with pytest.raises((json.MalformedError, json.UnacceptableError)) as refused:
            json.check(body)
        assert "secret-word" not in str(refused.value)
