"""Whoever takes a role finds it able to do its work."""

import json
import re
from typing import Any

import pytest

GRANTS = ("RolePolicy", "RolePolicyAttachment")


@pytest.mark.parametrize("stack", ["dev", "standby", "everything"])
def test_whatever_is_given_a_role_waits_for_all_that_the_role_may_do(
    request: pytest.FixtureRequest, stack: str
) -> None:
    recorded = request.getfixturevalue(stack)
    roles = recorded.all("Role")
    assert roles
    for role in roles:
        granted = {
            f"{kind} {grant.name}"
            for kind in GRANTS
            for grant in recorded.all(kind)
            if grant.inputs["role"] == role.inputs["name"]
        }
        assert granted, f"{role.name} may do nothing"
        takers = [resource for resource in recorded.resources if _is_given(resource, role.inputs["name"])]
        assert takers, f"nothing is given {role.name}"
        for taker in takers:
            assert granted <= taker.dependencies, f"{taker.type} {taker.name}"


def _is_given(resource: Any, role: str) -> bool:
    """Whether an input names the role, itself or inside a document; a policy that does lets somebody hand it over."""
    given = json.dumps(resource.inputs, default=str)
    return not resource.type.endswith(GRANTS) and bool(re.search(rf":role/{role}\\*\"", given))


def test_a_role_is_made_in_one_place_alone(everything: Any) -> None:
    assert {role.parent.split("$")[-1].split("::")[0] for role in everything.all("Role")} == {
        "vanta:aws:ServiceRole"
    }
