"""What is kept may not be kept for less long, or less firmly, without an allowance."""

import datetime as dt
import fnmatch
import json
from pathlib import Path
from typing import Any

import pytest

from infra.review import comment, data
from infra.review.__main__ import main
from infra.review.keeping import KEEPING, shortenings
from infra.review.preview import Change, Preview, read

SAMPLE = Path(__file__).with_name("samples") / "prod-shorter.json"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
CLUSTER = "aws:rds/cluster:Cluster"
GLOBAL = "aws:rds/globalCluster:GlobalCluster"
CONTROL_PLANE = "aws:eks/cluster:Cluster"
PLAN = "aws:backup/plan:Plan"
VAULT_LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
# What the engine writes for a value that only exists after the update.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Inputs = dict[str, Any]


def lock(mode: str = "COMPLIANCE", **period: int | None) -> Inputs:
    return {"rule": {"defaultRetention": {"mode": mode, **(period or {"years": 7})}}}


def expiry(days: int | None, *, kind: str = "expiration", key: str = "days", **rule: Any) -> Inputs:
    given = {kind: {key: days}} if days else {}
    left_over = {"id": "left-overs", "status": "Enabled", "expiration": {"expiredObjectDeleteMarker": True}}
    return {"rules": [left_over, {"id": "tiers", "status": "Enabled", **given, **rule}]}


def overwritten(days: int) -> Inputs:
    return expiry(days, kind="noncurrentVersionExpiration", key="noncurrentDays")


def daily(days: int) -> Inputs:
    return {"rules": [{"ruleName": "daily", "lifecycle": {"deleteAfter": days}}]}


# type, what keeps more, what keeps less, the one property by which it does
LESS: list[tuple[str, Inputs, Inputs, str]] = [
    (LOCK, lock(), lock("GOVERNANCE"), "rule.defaultRetention.mode"),
    (LOCK, lock(), lock(days=1), "rule.defaultRetention"),
    (LOCK, lock(), lock(years=6), "rule.defaultRetention"),
    (LOCK, lock(days=2), lock(days=1), "rule.defaultRetention"),
    (LIFECYCLE, expiry(400), expiry(1), "rules.tiers.expiration.days"),
    (LIFECYCLE, expiry(None), expiry(400), "rules.tiers.expiration.days"),
    (LIFECYCLE, {"rules": []}, expiry(400), "rules.tiers.expiration.days"),
    (LIFECYCLE, expiry(1, status="Disabled"), expiry(1), "rules.tiers.expiration.days"),
    (LIFECYCLE, overwritten(30), overwritten(1), "rules.tiers.noncurrentVersionExpiration.noncurrentDays"),
    (LOGS, {"retentionInDays": 400}, {"retentionInDays": 1}, "retentionInDays"),
    (LOGS, {}, {"retentionInDays": 400}, "retentionInDays"),
    (LOGS, {"retentionInDays": 400}, {"retentionInDays": UNKNOWN}, "retentionInDays"),
    (CLUSTER, {"backupRetentionPeriod": 35}, {"backupRetentionPeriod": 1}, "backupRetentionPeriod"),
    (CLUSTER, {"backupRetentionPeriod": 35}, {}, "backupRetentionPeriod"),
    (CLUSTER, {"deletionProtection": True}, {"deletionProtection": False}, "deletionProtection"),
    (GLOBAL, {"deletionProtection": True}, {}, "deletionProtection"),
    (CONTROL_PLANE, {"deletionProtection": True}, {"deletionProtection": False}, "deletionProtection"),
    (PLAN, daily(35), daily(7), "rules.daily.lifecycle.deleteAfter"),
    (PLAN, daily(35), {"rules": []}, "rules.daily.lifecycle.deleteAfter"),
    (VAULT_LOCK, {"changeableForDays": 30}, {}, "changeableForDays"),
    (VAULT_LOCK, {"minRetentionDays": 7}, {"minRetentionDays": 1}, "minRetentionDays"),
]


def preview(op: str, kind: str, old: Inputs, new: Inputs) -> Preview:
    urn = f"urn:pulumi:prod::vanta::vanta:aws:Room${kind}::name"
    step = {"op": op, "urn": urn, "oldState": {"inputs": old}, "newState": {"inputs": new}}
    return read({"steps": [step]}, stack="prod", project="vanta")


def only(found: Preview) -> Change:
    (change,) = found.changes
    return change


@pytest.mark.parametrize(("kind", "more", "less", "path"), LESS)
def test_keeping_less_is_a_loss_and_is_named(kind: str, more: Inputs, less: Inputs, path: str) -> None:
    found = preview("update", kind, more, less)
    assert [shortening.path for shortening in shortenings(only(found))] == [path]
    assert data.losses(found) == data.shortened(found) == [only(found)]
    told = comment.render(found, allowed={}, wrong=[])
    assert "**This would shorten or loosen what 1 resource keeps**, without an allowance: refused." in told
    assert f"> - **UPDATE** `name` (`{kind}`): `{path}` `" in told


@pytest.mark.parametrize(
    ("kind", "more", "less", "path"), [case for case in LESS if UNKNOWN not in str(case)]
)
def test_keeping_more_or_as_much_is_no_loss(kind: str, more: Inputs, less: Inputs, path: str) -> None:
    assert not data.losses(preview("update", kind, less, more)), path
    assert not data.losses(preview("update", kind, more, more | {"tags": {"a": "b"}}))


def test_a_period_that_is_as_long_in_another_unit_is_no_loss() -> None:
    assert not data.losses(preview("update", LOCK, lock(years=7), lock(days=7 * 365)))
    assert not data.losses(preview("update", LOCK, lock(days=364, years=None), lock(days=None, years=1)))


@pytest.mark.parametrize(("kind", "more", "less", "path"), LESS)
def test_what_is_new_keeps_no_less_than_before(kind: str, more: Inputs, less: Inputs, path: str) -> None:
    for inputs in (more, less):
        assert not data.losses(preview("create", kind, {}, inputs)), path


@pytest.mark.parametrize(("kind", "inputs"), [(LOCK, lock()), (VAULT_LOCK, {"minRetentionDays": 1})])
def test_taking_a_lock_off_is_a_loss(kind: str, inputs: Inputs) -> None:
    assert data.shortened(preview("delete", kind, inputs, {}))


def test_rules_that_nobody_knows_yet_may_be_shorter() -> None:
    found = preview("update", LIFECYCLE, expiry(400), {"rules": UNKNOWN})
    assert "rules.tiers.expiration.days" in [less.path for less in shortenings(only(found))]


def test_no_longer_expiring_is_no_loss() -> None:
    assert not data.losses(preview("delete", LIFECYCLE, expiry(400), {}))


def test_what_is_deleted_is_told_once() -> None:
    found = preview("replace", CLUSTER, {"backupRetentionPeriod": 35}, {"backupRetentionPeriod": 1})
    assert data.losses(found) == data.gone(found) == [only(found)]


def test_each_property_in_the_table_is_one_that_the_program_sets(prod: Any) -> None:
    for kind, paths in KEEPING.items():
        found = [
            less.path
            for resource in prod.resources
            if resource.type == kind
            for less in shortenings(
                only(preview("update", kind, resource.inputs, dict.fromkeys(resource.inputs, UNKNOWN)))
            )
        ]
        for path in paths:
            assert fnmatch.filter(found, path), (kind, path)


def test_a_pull_request_that_cuts_evidence_and_backups_needs_an_allowance_for_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "allowances.yaml"
    file.write_text("allowances: []")
    review = [str(SAMPLE), "--stack", "prod", "--allowances", str(file), "--json"]
    assert main(review) == 1
    findings = json.loads(capsys.readouterr().out)
    assert {loss["action"] for loss in findings["losses"]} == {"update"}
    changed = {change.type for change in data.losses(read_sample())}
    assert changed == {LOCK, LIFECYCLE, LOGS, CLUSTER, PLAN}
    expires = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=7)).isoformat()
    entries = [
        f"{{stack: prod, resource: {json.dumps(loss['urn'])}, reason: r, owner: o, expires: {expires}}}"
        for loss in findings["losses"]
    ]
    file.write_text(f"allowances: [{', '.join(entries[1:])}]")
    assert main(review) == 1
    file.write_text(f"allowances: [{', '.join(entries)}]")
    assert main(review) == 0


def read_sample() -> Preview:
    return read(json.loads(SAMPLE.read_text()), stack="prod", project="vanta")
