"""What speaks against going back, before anything is changed."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from app.recovery import aws
from app.recovery.errors import RecoveryError
from app.recovery.restore import Restore

from .test_exchange import STACK

WHEN = dt.datetime(2026, 1, 31, 13, 5, tzinfo=dt.UTC)


class Rds:
    """Knows clusters by name, of which those in ``together`` are members of global cluster ``vanta``."""

    def __init__(self, *names: str, together: tuple[str, ...] = ()) -> None:
        self._names, self._together = names, together

    def describe_db_clusters(self, *, DBClusterIdentifier: str) -> Any:  # noqa: N803 - the API's name
        if DBClusterIdentifier not in self._names:
            raise ClientError(
                {"Error": {"Code": "DBClusterNotFoundFault", "Message": "no"}}, "DescribeDBClusters"
            )
        return {"DBClusters": [{"DBClusterArn": DBClusterIdentifier}]}

    def describe_global_clusters(self) -> Any:
        members = [{"DBClusterArn": name} for name in self._together]
        return {"GlobalClusters": [{"GlobalClusterIdentifier": "vanta", "GlobalClusterMembers": members}]}


def judged(monkeypatch: pytest.MonkeyPatch, rds: Rds) -> None:
    monkeypatch.setattr(aws, "client", lambda *_, **__: rds)
    Restore(STACK, WHEN).judge()


OWN, RESTORED, REPLACED = (
    "vanta-here-database",
    "vanta-here-database-at-20260131t130500z",
    "vanta-here-database-until-20260131t130500z",
)


def test_a_member_of_a_global_cluster_is_not_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecoveryError, match=f"^{OWN} belongs to global cluster vanta, "):
        judged(monkeypatch, Rds(OWN, RESTORED, together=(OWN, "another")))
    judged(monkeypatch, Rds(OWN, RESTORED, together=("another",)))


@pytest.mark.parametrize("there", [(RESTORED, REPLACED), (OWN, REPLACED)])
def test_what_was_interrupted_or_is_done_may_be_repeated(
    monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...]
) -> None:
    judged(monkeypatch, Rds(*there))


def test_what_was_not_restored_is_not_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecoveryError, match=f"^{RESTORED} is not found: "):
        judged(monkeypatch, Rds(OWN))


def test_a_name_that_rds_would_refuse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "client", lambda *_, **__: Rds())
    with pytest.raises(RecoveryError, match="would be too long a name"):
        Restore(msgspec.structs.replace(STACK, database="vanta-" + "x" * 34), WHEN)
