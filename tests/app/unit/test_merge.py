"""JSON Merge Patch."""

import json as standard_json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.state import json, merge

# RFC 7396, appendix A.
EXAMPLES = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_the_examples_of_the_rfc(target: str, patch: str, result: str) -> None:
    assert merge.apply(target.encode(), patch.encode()).decode() == result


def test_what_the_patch_does_not_name_stays_byte_for_byte() -> None:
    target = b'{ "n" : 1.10, "big": 12345678901234567890123, "deep": {"keep": [ 1.0 ], "text": "\\u00e9"}, "x": -0.0}'
    assert merge.apply(target, b'{"x": null, "deep": {"new": 2.50}}') == (
        b'{"n":1.10,"big":12345678901234567890123,"deep":{"keep":[ 1.0 ],"text":"\\u00e9","new":2.50}}'
    )


def test_nothing_is_patched_as_an_empty_object() -> None:
    assert merge.apply(None, b'{"a": {"b": null, "c": 1}}') == b'{"a":{"c":1}}'
    assert merge.apply(None, b" 1.0 ") == b"1.0"


_texts = st.text('ab:"\\é \n', max_size=3)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _texts,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_texts, below, max_size=4),
    max_leaves=12,
)


def _model(target: Any, patch: Any) -> Any:
    """The pseudo-code of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _model(result.get(name), value)
    return result


@given(target=_values, patch=_values, indent=st.sampled_from([None, 1]))
def test_any_patch_does_what_the_pseudo_code_does_and_leaves_a_document(
    target: Any, patch: Any, indent: int | None
) -> None:
    merged = merge.apply(
        standard_json.dumps(target, indent=indent, ensure_ascii=False).encode(),
        standard_json.dumps(patch, indent=indent).encode(),
    )
    assert standard_json.loads(json.check(merged)) == _model(target, patch)
