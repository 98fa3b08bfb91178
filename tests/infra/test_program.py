"""The program as a whole: what holds for every resource and every stack."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws
import pytest

from infra.reference import PAGE, configuration_page, configuration_schema
from infra.refusal import SettingsError
from local.provider.aws.coverage import GAPS
from local.provider.aws.table import TABLE

ROOT = Path(__file__).resolve().parents[2]
TAGS = {"project", "stack", "layer", "owner", "data-classification", "managed-by"}
# Types whose deletion loses data that nothing else has, or the means to read it.
HOLDING_DATA = {
    "aws:backup/vault:Vault",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:ecr/repository:Repository",
    "aws:eks/cluster:Cluster",
    "aws:guardduty/detector:Detector",
    "aws:kms/key:Key",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:rds/cluster:Cluster",
    "aws:rds/globalCluster:GlobalCluster",
    "aws:route53/zone:Zone",
    "aws:s3/bucket:Bucket",
    "aws:secretsmanager/secret:Secret",
    "kubernetes:postgresql.cnpg.io/v1:Cluster",
}
SECRETS = {"ReplicationGroup": {"authToken"}, "SecretVersion": {"secretString"}}


def kind(resource: Any) -> str:
    return resource.type.split(":")[-1]


def taggable(resource: Any) -> bool:
    """Whether the provider's own SDK knows tags for the type."""
    package, module, name = resource.type.split(":")
    if package != "aws":
        return False
    sdk = getattr(getattr(pulumi_aws, module.split("/")[0]), name)
    return hasattr(sdk, "tags")


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_whatever_can_be_tagged_carries_the_six_tags(declare: Callable[..., Any], stack: str) -> None:
    resources = [r for r in declare(stack, zones=3).resources if taggable(r)]
    assert len(resources) > 30
    assert [r.name for r in resources if not set(r.inputs.get("tags", {})) >= TAGS] == []
    assert {r.inputs["tags"]["stack"] for r in resources} == {stack}


@pytest.mark.parametrize("stack", sorted(path.suffixes[0][1:] for path in ROOT.glob("Pulumi.*.yaml")))
def test_each_aws_type_is_tried_on_one_machine_or_a_listed_gap(
    declare: Callable[..., Any], stack: str
) -> None:
    types = {r.type for r in declare(stack, zones=3).resources if r.type.startswith("aws:")}
    assert len(types) > 20
    assert types - TABLE.keys() - GAPS.keys() == set()


def test_a_permanent_stack_protects_and_retains_exactly_what_holds_data(prod: Any) -> None:
    assert {r.type for r in prod.resources if r.protect} == HOLDING_DATA
    for resource in prod.resources:
        assert (resource.protect, resource.retain_on_delete) == (resource.type in HOLDING_DATA,) * 2


def test_a_retiring_stack_can_be_destroyed_but_not_lose_its_data_by_it(declare: Callable[..., Any]) -> None:
    retiring = declare("prod", {"lifetime": "retiring"})
    assert not [r.name for r in retiring.resources if r.protect or r.retain_on_delete]
    cluster = retiring.one("rds/cluster:Cluster").inputs
    assert not cluster["deletionProtection"]
    assert not cluster["skipFinalSnapshot"]
    assert not any(r.inputs["forceDestroy"] for r in retiring.all("Bucket"))
    assert {r.inputs["recoveryWindowInDays"] for r in retiring.all("Secret")} == {30}


def test_credentials_of_another_account_are_refused_before_anything_is_registered(
    declare: Callable[..., Any], recorded: Any
) -> None:
    with pytest.raises(SettingsError) as refused:
        declare("dev", {"account": "999988887777"}, into=recorded)
    assert str(refused.value) == (
        "vanta:account is 999988887777 but the credentials are of 111122223333. "
        "Use those of the stack's own account, or another stack."
    )
    assert not recorded.resources


def test_a_throw_away_stack_can_be_destroyed_whole(dev: Any) -> None:
    assert not [r.name for r in dev.resources if r.protect or r.retain_on_delete]
    assert not dev.one("rds/cluster:Cluster").inputs["deletionProtection"]
    assert dev.one("rds/cluster:Cluster").inputs["skipFinalSnapshot"]
    assert all(r.inputs["forceDestroy"] for r in dev.all("Bucket"))
    # A name that waits 30 days to be free would fail the next `pulumi up`.
    assert {r.inputs["recoveryWindowInDays"] for r in dev.all("Secret")} == {0}


def test_a_permanent_stack_cannot_lose_its_database_by_a_single_mistake(prod: Any) -> None:
    cluster = prod.one("rds/cluster:Cluster").inputs
    assert cluster["deletionProtection"]
    assert not cluster["skipFinalSnapshot"]
    assert cluster["finalSnapshotIdentifier"] == "vanta-prod-database-final"
    assert not cluster["deleteAutomatedBackups"]
    assert not any(r.inputs["forceDestroy"] for r in prod.all("Bucket"))


def test_nothing_that_holds_data_is_deleted_before_its_replacement_exists(prod: Any, dev: Any) -> None:
    early = {r.type for r in (*prod.resources, *dev.resources) if r.delete_before_replace}
    assert early.isdisjoint(HOLDING_DATA)


def test_no_policy_allows_every_action_of_a_service_on_everything(prod: Any, dev: Any) -> None:
    policies = [
        (resource.name, json.loads(resource.inputs[key]))
        for resource in (*prod.resources, *dev.resources)
        for key in ("policy", "assumeRolePolicy")
        # Of all policies this one alone allows nothing: it says how long images are kept.
        if key in resource.inputs and kind(resource) != "LifecyclePolicy"
    ]
    assert {name for name, _ in policies} >= {"flow-logs", "kms", "s3", "state", "notifications", "audit"}
    for name, policy in policies:
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if statement["Effect"] == "Allow" and statement.get("Resource") == "*":
                assert not [action for action in actions if action == "*" or action.endswith(":*")], name


def test_generated_credentials_travel_only_as_secrets(dev: Any) -> None:
    for resource in dev.resources:
        carrying = {key for key, value in resource.inputs.items() if "Generated1" in json.dumps(value)}
        assert carrying == SECRETS.get(kind(resource), set())
        assert carrying <= resource.secrets
    assert "Generated1" not in json.dumps(dev.outputs)


def test_the_app_gets_its_environment_and_the_places_of_its_secrets(dev: Any) -> None:
    assert dev.outputs["appEnvironment"] == {
        "VANTA_DATABASE_HOST": "database.writer.example",
        "VANTA_DATABASE_PORT": "4242",
        "VANTA_DATABASE_NAME": "vanta",
        "VANTA_DATABASE_READER_HOST": "database.reader.example",
        "VANTA_CACHE_HOST": "cache.primary.example",
        "VANTA_CACHE_PORT": "4242",
        "VANTA_ARCHIVE_BUCKET": "vanta-dev-archive-111122223333-eu-west-1",
        "VANTA_AUDIT_BUCKET": "vanta-dev-audit-111122223333-eu-west-1",
        "VANTA_KMS_KEY_ARN": "arn:aws:kms:eu-west-1:111122223333:application",
        "AWS_REGION": "eu-west-1",
    }
    assert set(dev.outputs["appSecrets"]) == {"database-master", "database-app", "cache"}
    assert all(arn.startswith("arn:aws:secretsmanager:") for arn in dev.outputs["appSecrets"].values())


def test_every_output_is_documented_and_no_other(prod: Any, dev: Any) -> None:
    page = (ROOT / "docs" / "reference" / "outputs.md").read_text()
    assert set(dev.outputs) == set(prod.outputs)
    assert set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)) == set(prod.outputs)
    maps = ("appEnvironment", "appSecrets", "keyArns", "recovery")
    entries = {(name, entry) for name in maps for entry in prod.outputs[name]}
    documented = re.findall(r"^\| `([\w-]+)` of `(\w+)` \|", page, flags=re.MULTILINE)
    assert {(name, entry) for entry, name in documented} == entries


def test_the_configuration_page_is_what_the_schema_says() -> None:
    assert PAGE.read_text() == configuration_page(configuration_schema())


@pytest.mark.parametrize(
    ("changes", "zones"),
    [
        ({"database": {"readers": 99}}, 3),
        ({"audit": {"lockMode": "COMPLIANCE"}}, 3),
        ({"databse": {}}, 3),
        ({"network": {"zones": 3}}, 2),
    ],
)
def test_a_refused_stack_registers_nothing(
    declare: Callable[..., Any], recorded: Any, changes: dict[str, Any], zones: int
) -> None:
    with pytest.raises(SettingsError):
        declare("dev", changes, zones=zones, into=recorded)
    assert recorded.resources == []


def test_a_refusal_is_shown_by_the_engine_without_a_traceback() -> None:
    assert issubclass(SettingsError, pulumi.RunError)


def test_a_region_with_too_few_zones_is_refused(declare: Callable[..., Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        declare("dev", zones=2)
    assert str(refused.value) == ("vanta:network.zones is 3 but eu-west-1 has 2. Use 2 or another region.")


def test_names_of_components_never_depend_on_the_stack(dev: Any, prod: Any) -> None:
    """A logical name is the identity of a resource; the stack is already in its URN."""
    assert {r.name for r in dev.resources} <= {r.name for r in prod.resources}
