"""The roles that the program makes are those that its deployment may make, and reach no further than its boundary."""

import json
from collections.abc import Callable, Generator
from typing import Any

import pulumi
import pytest

from infra.bootstrap import rights
from infra.bootstrap.plan import Plan, Stack
from infra.bootstrap.services import SERVICES
from infra.refusal import SettingsError
from infra.settings.roles import RolesSettings, check_roles

ACCOUNT = "111122223333"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/vanta-prod-boundary"


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


def test_every_role_has_a_name_that_the_deployment_may_make(everything: Any) -> None:
    assert all(role.inputs["name"].startswith("vanta-prod-") for role in everything.all("Role"))


def test_no_role_is_promised_what_its_boundary_refuses(
    everything: Any, plan: Plan, allowed: Callable[..., bool]
) -> None:
    limit = rights.boundary(plan, _stack(plan, "prod"))
    policies = [json.loads(policy.inputs["policy"]) for policy in everything.all("RolePolicy")]
    promised = [statement for policy in policies for statement in policy["Statement"]]
    assert promised
    refused = [
        (statement["Sid"], action)
        for statement in promised
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if not allowed(
            limit,
            action.replace("*", "X"),
            resource.replace("*", "X"),
            statement.get("Condition", {}).get("StringEquals"),
        )
    ]
    assert refused == []


def _stack(plan: Plan, name: str) -> Stack:
    (found,) = [each for each in plan.stacks if each.name == name]
    return found


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_a_role_within_the_boundary_reaches_neither_identities_nor_the_state(
    plan: Plan, allowed: Callable[..., bool]
) -> None:
    said = rights.boundary(plan, _stack(plan, "dev"))
    assert allowed(said, "logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:x")
    assert not allowed(said, "logs:PutLogEvents", "*", {"aws:ResourceAccount": "999999999999"})
    assert not allowed(said, "iam:CreateRole")
    assert not allowed(said, "sts:AssumeRole")
    assert not allowed(
        said, "s3:GetObject", f"{plan.bucket_arn(plan.replica_region)}/.pulumi/stacks/vanta/dev.json"
    )
    assert not allowed(said, "kms:Decrypt", "*", {"kms:ResourceAliases": "alias/vanta-state"})


def test_a_role_within_the_boundary_hands_the_role_of_backup_to_backup_and_no_other_role_to_anybody(
    plan: Plan, allowed: Callable[..., bool]
) -> None:
    said, roles = rights.boundary(plan, _stack(plan, "dev")), f"arn:aws:iam::{ACCOUNT}:role"
    backup = {"iam:PassedToService": "backup.amazonaws.com"}
    assert allowed(said, "iam:PassRole", f"{roles}/vanta-dev-backup", backup)
    assert not allowed(
        said, "iam:PassRole", f"{roles}/vanta-dev-backup", {"iam:PassedToService": "ec2.amazonaws.com"}
    )
    for theirs in ("vanta-prod-backup", "vanta-dev-deploy", "administrator"):
        assert not allowed(said, "iam:PassRole", f"{roles}/{theirs}", backup), theirs


def test_a_node_may_pull_the_images_of_kubernetes_from_accounts_of_aws(
    plan: Plan, allowed: Callable[..., bool]
) -> None:
    said, theirs = rights.boundary(plan, _stack(plan, "dev")), {"aws:ResourceAccount": "602401143452"}
    images = "arn:aws:ecr:eu-west-1:602401143452:repository/eks/coredns"
    assert allowed(said, "ecr:BatchGetImage", images, theirs)
    assert not allowed(said, "ecr:PutImage", images, theirs)


def test_a_deployment_may_pass_every_role_to_the_service_that_takes_it(everything: Any) -> None:
    trusts = [json.loads(role.inputs["assumeRolePolicy"]) for role in everything.all("Role")]
    services = {statement["Principal"]["Service"] for trust in trusts for statement in trust["Statement"]}
    assert services
    assert services <= {principal for service in SERVICES.values() for principal in service.passed_to}


def test_what_is_no_policy_is_refused_as_a_boundary() -> None:
    with pytest.raises(
        SettingsError, match=r"vanta:roles\.boundary is vanta-prod-boundary which is no policy's ARN"
    ):
        check_roles(RolesSettings(boundary="vanta-prod-boundary"))
