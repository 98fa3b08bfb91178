"""What may not be merged: lost data without an allowance, and allowances that are expired or not needed."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.review import allowances, cost, data
from infra.review.__main__ import main
from infra.review.allowances import Allowance, AllowanceError
from infra.review.preview import Preview, read

SAMPLES = Path(__file__).with_name("samples")
TODAY = dt.datetime.now(dt.UTC).date()
CLUSTER = "aws:rds/cluster:Cluster database"
URN = "urn:pulumi:dev::vanta::vanta:aws:Database$aws:rds/cluster:Cluster::database"

Review = Callable[..., tuple[int, dict[str, Any]]]


def preview(*steps: tuple[str, str, dict[str, Any], dict[str, Any]]) -> Preview:
    """A preview of stack dev from (operation, type, old inputs, new inputs)."""
    document = {
        "steps": [
            {
                "op": op,
                "urn": f"urn:pulumi:dev::vanta::vanta:aws:Room${kind}::name{number}",
                "oldState": {"inputs": old, "protect": old.get("protect", False)},
                "newState": {"inputs": new},
            }
            for number, (op, kind, old, new) in enumerate(steps)
        ]
    }
    return read(document, stack="dev", project="vanta")


@pytest.fixture
def review(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Review:
    """``review(sample, entry, ...)``: exit code and findings of the command with these allowances."""

    def run(sample: str, *entries: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        file = tmp_path / "allowances.yaml"
        file.write_text(json.dumps({"allowances": [{**e, "expires": None} for e in entries]}))
        text = file.read_text()
        for entry in entries:
            text = text.replace('"expires": null', f'"expires": {entry["expires"]}', 1)
        file.write_text(text)
        path = SAMPLES / f"{sample}.json"
        code = main(
            [str(path), "--stack", sample.split("-", maxsplit=1)[0], "--allowances", str(file), "--json"]
        )
        return code, json.loads(capsys.readouterr().out)

    return run


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "stack": "dev",
        "resource": CLUSTER,
        "reason": "The content was exported.",
        "owner": "platform",
        "expires": TODAY + dt.timedelta(days=7),
        **changes,
    }


def test_every_resource_that_the_program_protects_is_in_the_list(prod: Any) -> None:
    protected = {resource.type for resource in prod.resources if resource.protect}
    assert protected
    assert protected <= set(data.HOLDING), (
        "add the type to infra/review/data.py, with what is lost when one is deleted"
    )


@pytest.mark.parametrize("kind", data.HOLDING)
@pytest.mark.parametrize("op", ["delete", "replace", "delete-replaced", "create-replacement"])
def test_deleting_or_replacing_what_holds_data_is_a_loss(kind: str, op: str) -> None:
    assert len(data.losses(preview((op, kind, {}, {})))) == 1


@pytest.mark.parametrize("op", ["create", "update", "same", "read", "refresh"])
def test_nothing_else_is_a_loss(op: str) -> None:
    assert not data.losses(preview((op, "aws:rds/cluster:Cluster", {}, {})))


def test_whatever_the_state_protects_holds_data_too() -> None:
    assert data.losses(preview(("delete", "aws:new/thing:Thing", {"protect": True}, {})))


def test_losing_data_fails_and_names_it(review: Review) -> None:
    code, findings = review("dev-loss")
    assert code == 1
    assert findings["losses"] == [{"action": "replace", "urn": URN, "allowed": False}]


@pytest.mark.parametrize("resource", [CLUSTER, URN])
def test_an_allowance_lets_that_one_loss_pass(review: Review, resource: str) -> None:
    code, findings = review("dev-loss", entry(resource=resource))
    assert (code, findings["passes"]) == (0, True)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"expires": TODAY - dt.timedelta(days=1)}, "expired on"),
        ({"expires": TODAY + dt.timedelta(days=31)}, "at most 30 days"),
        ({"resource": "aws:s3/bucket:Bucket archive"}, "is not needed"),
    ],
)
def test_an_allowance_that_does_not_hold_is_an_error_itself(
    review: Review, changes: dict[str, Any], problem: str
) -> None:
    code, findings = review("dev-loss", entry(**changes))
    assert code == 1
    assert problem in findings["allowances"][0]
    assert not findings["losses"][0]["allowed"]


def test_an_allowance_that_nothing_needs_fails_a_harmless_preview(review: Review) -> None:
    code, findings = review("dev-unchanged", entry())
    assert code == 1
    assert "is not needed" in findings["allowances"][0]


def test_an_allowance_holds_on_its_last_day(review: Review) -> None:
    assert review("dev-loss", entry(expires=TODAY))[0] == 0


def test_an_allowance_of_another_stack_allows_nothing_here(review: Review) -> None:
    code, findings = review("dev-loss", entry(stack="prod"))
    assert (code, findings["allowances"]) == (1, [])


def test_a_failed_preview_fails_the_review(review: Review) -> None:
    code, findings = review("prod-protected")
    assert code == 1
    assert "marked for protection" in findings["errors"][0]


def test_drift_fails_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(SAMPLES / "dev-drift.json"), "--stack", "dev", "--drift"]) == 1
    told = capsys.readouterr().out
    assert "Gone: 1 resource that holds data" in told
    assert "- backupRetentionPeriod: 1\n+ backupRetentionPeriod: 9" in told


def test_no_drift_passes(tmp_path: Path) -> None:
    document = json.loads((SAMPLES / "dev-drift.json").read_text())
    document["steps"] = [step for step in document["steps"] if step["op"] == "refresh"]
    file = tmp_path / "drift.json"
    file.write_text(json.dumps(document))
    assert main([str(file), "--stack", "dev", "--drift"]) == 0


def test_growth_passes(review: Review) -> None:
    code, findings = review("dev-growth")
    assert (code, findings["cost"]) == (0, "up")


def test_the_committed_allowances_can_be_read() -> None:
    assert isinstance(allowances.load(allowances.FILE), list)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "must have the one key allowances"),
        ("allowances: [{stack: dev}]", "must have exactly the keys"),
        (
            "allowances: [{stack: dev, resource: a, reason: b, owner: c, expires: never}]",
            "must be a date",
        ),
        (
            "allowances: [{stack: dev, resource: a, reason: '', owner: c, expires: 2030-01-01}]",
            "reason must be text",
        ),
        ("allowances: [", "cannot be read"),
    ],
)
def test_allowances_that_cannot_be_read_are_refused_in_a_sentence(
    text: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "allowances.yaml"
    file.write_text(text)
    with pytest.raises(AllowanceError, match=problem):
        allowances.load(file)
    sample = str(SAMPLES / "dev-growth.json")
    assert main([sample, "--stack", "dev", "--allowances", str(file)]) == 2
    assert problem in capsys.readouterr().err


def test_a_file_that_is_no_preview_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "preview.json"
    empty.write_text("")
    assert main([str(empty), "--stack", "dev"]) == 2
    assert "pulumi preview --json" in capsys.readouterr().err


def test_an_allowance_names_its_resource_exactly() -> None:
    allowance = Allowance(
        stack="dev", resource="aws:rds/cluster:Cluster name", reason="r", owner="o", expires=TODAY
    )
    (change,) = data.losses(preview(("delete", "aws:rds/cluster:Cluster", {}, {})))
    assert not allowance.names(change)


NODES = "aws:elasticache/replicationGroup:ReplicationGroup"
INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"


@pytest.mark.parametrize(
    ("op", "kind", "old", "new", "expected"),
    [
        ("create", INSTANCE, {}, {}, "up"),
        ("delete", INSTANCE, {}, {}, "down"),
        ("update", INSTANCE, {"instanceClass": "db.r8g.large"}, {"instanceClass": "db.r8g.2xlarge"}, "up"),
        (
            "update",
            INSTANCE,
            {"instanceClass": "db.r8g.12xlarge"},
            {"instanceClass": "db.r8g.8xlarge"},
            "down",
        ),
        ("update", INSTANCE, {"instanceClass": "db.t4g.medium"}, {"instanceClass": "db.r8g.large"}, "up"),
        ("update", INSTANCE, {"instanceClass": "db.r7g.large"}, {"instanceClass": "db.r8g.large"}, "unclear"),
        (
            "update",
            INSTANCE,
            {"instanceClass": "db.t4g.large"},
            {"instanceClass": "db.r8g.medium"},
            "unclear",
        ),
        (
            "update",
            INSTANCE,
            {"instanceClass": "db.serverless"},
            {"instanceClass": "db.r8g.large"},
            "unclear",
        ),
        ("update", NODES, {"numCacheClusters": 3}, {"numCacheClusters": 2}, "down"),
        ("replace", NODES, {"numCacheClusters": 2}, {"numCacheClusters": 2}, "same"),
        ("update", NODES, {"snapshotRetentionLimit": 1}, {}, "down"),
        ("create", ENDPOINT, {}, {"vpcEndpointType": "Gateway"}, "same"),
        ("create", ENDPOINT, {}, {"vpcEndpointType": "Interface"}, "up"),
        ("create", "aws:ec2/subnet:Subnet", {}, {}, "same"),
    ],
)
def test_the_bill_moves_in_the_expected_direction(
    op: str, kind: str, old: dict[str, Any], new: dict[str, Any], expected: str
) -> None:
    assert cost.direction(cost.reasons(preview((op, kind, old, new)))) == expected


def test_what_grows_in_one_place_and_shrinks_in_another_is_unclear() -> None:
    both = preview(("create", INSTANCE, {}, {}), ("delete", NODES, {}, {}))
    assert cost.direction(cost.reasons(both)) == "unclear"
