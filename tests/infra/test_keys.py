"""The keys: one per class of data, administered by whoever may not use it."""

import json
from typing import Any

import pytest

from infra.aws.keys import CLASSES


def statements(policy: Any) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(policy.inputs["policy"])["Statement"]}


def test_every_class_of_data_has_a_rotating_key_of_its_own_with_an_alias(dev: Any) -> None:
    classes = {key.name for key in dev.all("Key")}
    # Some classes have data only if the configuration asks for what makes it.
    assert set(CLASSES) <= classes <= {*CLASSES, "registry", "cluster", "backup"}
    assert all(key.inputs["enableKeyRotation"] for key in dev.all("Key"))
    assert {alias.inputs["name"] for alias in dev.all("Alias")} == {f"alias/vanta-dev-{c}" for c in classes}


def test_a_deleted_key_can_be_brought_back_for_the_configured_days(prod: Any) -> None:
    keys = [*prod.all("Key"), *prod.all("ReplicaKey")]
    assert {key.inputs["deletionWindowInDays"] for key in keys} == {30}


def test_an_administrator_of_a_key_cannot_use_it_nor_grant_its_use(dev: Any) -> None:
    using = (
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:CreateGrant",
        "kms:Sign",
    )
    for key in dev.all("Key"):
        for action in statements(key)["AdministeredThroughIam"]["Action"]:
            assert not [use for use in using if _matches(action, use)], action


def _matches(pattern: str, action: str) -> bool:
    return action.startswith(pattern[:-1]) if pattern.endswith("*") else action == pattern


@pytest.mark.parametrize(
    ("key", "services"),
    [
        ("state", {"rds", "elasticache"}),
        ("secrets", {"secretsmanager", "rds"}),
        ("archive", {"s3"}),
        ("audit", {"s3"}),
    ],
)
def test_a_key_serves_only_requests_through_its_services(dev: Any, key: str, services: set[str]) -> None:
    own = statements(dev.one("Key", key))
    via = sorted(f"{service}.eu-west-1.amazonaws.com" for service in services)
    for sid in ("UsedThroughServices", "GrantsForServices"):
        assert sorted(own[sid]["Condition"]["StringEquals"]["kms:ViaService"]) == via
    assert own["GrantsForServices"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert set(own) == {"AdministeredThroughIam", "UsedThroughServices", "GrantsForServices"}


def test_log_groups_of_this_account_alone_use_the_key_of_the_logs(dev: Any) -> None:
    condition = statements(dev.one("Key", "logs"))["UsedByCloudWatchLogs"]["Condition"]
    assert condition == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:111122223333:log-group:*"}
    }


def test_the_app_decrypts_nothing_without_naming_the_tenant(dev: Any) -> None:
    statement = statements(dev.one("Key", "application"))["UsedByTheApp"]
    assert statement["Condition"] == {"Null": {"kms:EncryptionContext:tenant": "false"}}
