"""Which stacks stand for each other is read from their outputs, or refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.recovery.errors import RecoveryError
from app.recovery.stacks import Pair, Pulumi, Saved

PROD = {
    "region": "eu-west-1",
    "accountId": "111122223333",
    "globalClusterIdentifier": "vanta-prod-database",
    "databaseIdentifier": "vanta-prod-database",
    "archiveBucket": "archive",
    "auditBucket": "audit",
    "clusterName": "vanta-prod",
    "edge": {"host": "api.vanta.example", "ownHost": "prod.vanta.example", "zoneId": "Z1"},
}
STANDBY = PROD | {"region": "eu-central-1", "edge": {}}
DEV = PROD | {"globalClusterIdentifier": ""}


def saved(folder: Path, **outputs: dict[str, Any]) -> Saved:
    for name, values in outputs.items():
        (folder / f"{name.replace('_', '-')}.json").write_text(json.dumps(values))
    return Saved(folder)


def test_the_other_one_shares_the_global_cluster(tmp_path: Path) -> None:
    pair = Pair.find("prod-dr", saved(tmp_path, prod=PROD, prod_dr=STANDBY, dev=DEV))
    assert (pair.target.name, pair.other.name) == ("prod-dr", "prod")
    assert (pair.target.own_host, pair.other.own_host) == ("", "prod.vanta.example")


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"prod_dr": DEV}, "belongs to no global cluster"),
        ({"prod_dr": STANDBY}, "the known ones are: none"),
        ({"prod_dr": STANDBY, "a": PROD, "b": PROD}, "the known ones are: a, b"),
        ({"prod_dr": STANDBY, "prod": STANDBY}, "are both in eu-central-1"),
        ({"prod_dr": {"edge": {}}}, "has no output 'region'"),
        ({"prod": PROD}, "prod-dr.json cannot be read"),
    ],
)
def test_who_stands_by_for_nobody_is_refused(
    tmp_path: Path, outputs: dict[str, dict[str, Any]], said: str
) -> None:
    with pytest.raises(RecoveryError, match=said):
        Pair.find("prod-dr", saved(tmp_path, **outputs))


def test_a_file_that_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prod.json").write_text("[1]")
    with pytest.raises(RecoveryError, match="is no JSON object"):
        Saved(tmp_path).outputs("prod")


def test_pulumi_itself_is_asked(program: Any) -> None:
    program("pulumi", 'case "$2" in ls) echo \'[{"name": "prod"}]\';; *) echo "{\\"of\\": \\"$5\\"}";; esac')
    assert Pulumi().names() == ["prod"]
    assert Pulumi().outputs("prod") == {"of": "prod"}


def test_a_backend_that_does_not_answer_has_a_remedy(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    program("pulumi", "echo 'error: no such host' >&2; exit 255")
    with pytest.raises(RecoveryError, match=r"no such host\): mend it, or give saved outputs with --outputs"):
        Pulumi().names()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RecoveryError, match="no `pulumi` on PATH"):
        Pulumi().names()
