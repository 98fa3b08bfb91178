"""What a plan for another region says, and when there can be none."""

import datetime as dt
from typing import Any

import pytest
import yaml

from app.recovery import aws
from app.recovery.errors import RecoveryError
from app.recovery.plan import plan

OUTPUTS: dict[str, Any] = {
    "region": "eu-west-1",
    "databaseIdentifier": "vanta-prod-database",
    "networkCidr": "10.22.0.0/16",
    "recovery": {"region": "eu-central-1"},
}


def snapshot(name: str, hour: int, **changes: Any) -> dict[str, Any]:
    return {
        "DBClusterIdentifier": "vanta-prod-database",
        "DBClusterSnapshotArn": name,
        "SnapshotCreateTime": dt.datetime(2026, 1, 31, hour, tzinfo=dt.UTC),
        "Status": "available",
    } | changes


class Rds:
    """Lists snapshots as RDS does: those of AWS Backup only if they are asked for."""

    def __init__(self, *own: dict[str, Any], backup: tuple[dict[str, Any], ...] = ()) -> None:
        self._own, self._backup = own, backup

    def get_paginator(self, _: str) -> "Rds":
        return self

    def paginate(self, **kind: str) -> list[dict[str, Any]]:
        return [{"DBClusterSnapshots": [found]} for found in (self._backup if kind else self._own)]


@pytest.fixture
def rds(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``rds(...)`` is what RDS has from now on."""

    def has(*own: dict[str, Any], backup: tuple[dict[str, Any], ...] = ()) -> None:
        monkeypatch.setattr(aws, "client", lambda *_: Rds(*own, backup=backup))

    return has


def test_the_newest_whole_snapshot_of_the_database_is_taken(rds: Any) -> None:
    rds(
        snapshot("older", 1),
        snapshot("unfinished", 5, Status="copying"),
        snapshot("foreign", 6, DBClusterIdentifier="vanta-dev-database"),
        backup=(snapshot("by-backup", 3),),
    )
    made = plan("prod", OUTPUTS, name="prod-anew", region="eu-central-1")
    assert (made.snapshot, made.taken.hour) == ("by-backup", 3)
    config = yaml.safe_load(made.file)["config"]
    assert config["vanta:database"]["restoreSnapshot"] == "by-backup"
    assert config["vanta:recovery"] == {"role": "standby", "primaryStack": "prod"}
    # Beside the network of the other, with which it may have to be connected.
    assert config["vanta:network"]["cidr"] == "10.23.0.0/16"


@pytest.mark.parametrize(
    ("name", "region", "changes", "said"),
    [
        ("prod", "eu-central-1", {}, '"prod" is no name for a new stack'),
        ("../etc", "eu-central-1", {}, '"../etc" is no name for a new stack'),
        ("anew", "eu-west-1", {}, "prod is in eu-west-1 itself"),
        ("anew", "us-east-1", {}, "The copies of prod are in eu-central-1, and none in us-east-1"),
        ("anew", "us-east-1", {"recovery": {}}, "The copies of prod do not exist, and none in us-east-1"),
        ("anew", "eu-central-1", {}, "There is no snapshot of vanta-prod-database in eu-central-1"),
    ],
)
def test_where_nothing_could_begin_is_refused(
    rds: Any, name: str, region: str, changes: dict[str, Any], said: str
) -> None:
    rds()
    with pytest.raises(RecoveryError) as refused:
        plan("prod", OUTPUTS | changes, name=name, region=region)
    assert str(refused.value).startswith(said)
