"""The roles that the program makes are those that its deployment may make."""

import json
from collections.abc import Callable, Generator
from typing import Any

import pulumi
import pytest

from infra.bootstrap import rights
from infra.bootstrap.plan import Plan
from infra.bootstrap.services import SERVICES
from infra.refusal import SettingsError
from infra.settings.roles import RolesSettings, check_roles

BOUNDARY = "arn:aws:iam::111122223333:policy/vanta-prod-boundary"


@pytest.fixture
def one_stack() -> Generator[None]:
    """The mock engine has one stack a process, which would give the boundary to what other tests declare."""
    yield
    root = pulumi.runtime.get_root_resource()
    assert root is not None
    root._transformations = []  # noqa: SLF001  # there is no other way to take one back


def test_every_role_has_the_boundary(declare: Callable[..., Any], one_stack: None) -> None:  # noqa: ARG001  # it comes after
    roles = declare("dev", {"roles": {"boundary": BOUNDARY}}).all("Role")
    assert roles
    assert {role.inputs.get("permissionsBoundary") for role in roles} == {BOUNDARY}


def test_every_role_has_a_name_that_the_deployment_may_make(prod: Any) -> None:
    assert all(role.inputs["name"].startswith("vanta-prod-") for role in prod.all("Role"))


def test_no_role_is_promised_what_its_boundary_refuses(
    declare: Callable[..., Any], prod: Any, plan: Plan, allowed: Callable[..., bool]
) -> None:
    limit = rights.boundary(plan)
    rotating = declare(
        "dev", {"secrets": {"rotationDays": 30}, "database": {"instanceClass": "db.r8g.large"}}
    )
    declared = (*prod.all("RolePolicy"), *rotating.all("RolePolicy"))
    policies = [json.loads(policy.inputs["policy"]) for policy in declared]
    actions = {
        action
        for policy in policies
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert actions
    assert {action for action in actions if not allowed(limit, action.replace("*", "X"))} == set()


def test_a_deployment_may_pass_every_role_to_the_service_that_takes_it(prod: Any) -> None:
    trusts = [json.loads(role.inputs["assumeRolePolicy"]) for role in prod.all("Role")]
    services = {statement["Principal"]["Service"] for trust in trusts for statement in trust["Statement"]}
    assert services
    assert services <= {principal for service in SERVICES.values() for principal in service.passed_to}


def test_what_is_no_policy_is_refused_as_a_boundary() -> None:
    with pytest.raises(
        SettingsError, match=r"vanta:roles\.boundary is vanta-prod-boundary which is no policy's ARN"
    ):
        check_roles(RolesSettings(boundary="vanta-prod-boundary"))
