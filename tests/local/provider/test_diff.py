"""What differs is named by its path."""

from local.provider.diff import differences


def test_each_difference_is_named_by_its_path_and_kind() -> None:
    old = {"same": 1, "gone": 2, "rules": [{"days": 30, "class": "A"}], "tags": {"a": "1"}}
    new = {
        "same": 1,
        "new": 3,
        "rules": [{"days": 31, "class": "A"}, {"days": 9}],
        "tags": {"a": "1", "b": "2"},
    }
    assert differences(old, new) == {
        "gone": "DELETE",
        "new": "ADD",
        "rules[0].days": "UPDATE",
        "rules[1]": "ADD",
        "tags.b": "ADD",
    }


def test_equal_properties_differ_nowhere() -> None:
    properties = {"a": [1, {"b": None}], "c": {"d": "e"}}
    assert differences(properties, properties) == {}
