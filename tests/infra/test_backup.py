"""Backups that outlive the database: locked, in both regions, and often enough where nothing else is."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.backup import Backup, BackupArgs
from infra.aws.place import Place
from infra.names import Names
from infra.refusal import SettingsError
from infra.settings import parse
from infra.settings.backup import BackupSettings, check_backup
from infra.settings.lifetime import Lifetime

HERE, THERE, ACCOUNT = "eu-west-1", "eu-central-1", "111122223333"
CLUSTER = f"arn:aws:rds:{HERE}:{ACCOUNT}:cluster:vanta-part-database"
KEY = f"arn:aws:kms:{HERE}:{ACCOUNT}:key/"
COPY_KEY = f"arn:aws:kms:{THERE}:{ACCOUNT}:key/backup"


@pytest.fixture(scope="module")
def backup(alone: Callable[..., Any]) -> Callable[..., Any]:
    """``backup(replicated, copied)``: what a backup alone registers."""

    def declare(
        *,
        replicated: bool,
        copied: bool = True,
        lifetime: Lifetime = Lifetime.THROWAWAY,
        lock_after_days: int = 0,
    ) -> Any:
        settings = BackupSettings(
            enabled=True, retention_days=35, lock_after_days=lock_after_days, copy_minutes=20
        )
        return alone(
            lambda: Backup(
                "backup",
                BackupArgs(
                    names=Names(stack="part", owner="us", account_id=ACCOUNT, region=HERE),
                    place=Place(account_id=ACCOUNT, partition="aws", region=HERE, zones=()),
                    settings=settings,
                    lifetime=lifetime,
                    cluster_arn=CLUSTER,
                    state_key_arn=f"{KEY}state",
                    backup_key_arn=f"{KEY}backup",
                    copy_key_arns={THERE: COPY_KEY} if copied else {},
                    replicated=replicated,
                    topic_arn="arn:topic",
                ),
            )
        )

    return declare


@pytest.fixture(scope="module")
def replicated(backup: Callable[..., Any]) -> Any:
    """Beside a global cluster."""
    return backup(replicated=True)


@pytest.fixture(scope="module")
def alone_in_its_region(backup: Callable[..., Any]) -> Any:
    """Of a database that nothing replicates."""
    return backup(replicated=False)


def statements(recorded: Any, policy: str) -> dict[str, Any]:
    document = json.loads(recorded.one("RolePolicy", policy).inputs["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_every_region_has_a_vault_with_its_own_key_and_a_lock(replicated: Any) -> None:
    assert {v.inputs["region"]: v.inputs["kmsKeyArn"] for v in replicated.all("Vault")} == {
        HERE: f"{KEY}backup",
        THERE: COPY_KEY,
    }
    for lock in replicated.all("VaultLockConfiguration"):
        assert (lock.inputs["minRetentionDays"], lock.inputs["maxRetentionDays"]) == (1, 35)
        assert "changeableForDays" not in lock.inputs


def test_a_lock_that_nobody_lifts_can_be_asked_for(backup: Callable[..., Any]) -> None:
    locked = backup(replicated=True, lifetime=Lifetime.PERMANENT, lock_after_days=30)
    assert {lock.inputs["changeableForDays"] for lock in locked.all("VaultLockConfiguration")} == {30}
    assert all(vault.protect and vault.retain_on_delete for vault in locked.all("Vault"))


def test_the_database_is_backed_up_daily_and_copied(replicated: Any) -> None:
    (rule,) = replicated.one("Plan").inputs["rules"]
    assert rule["schedule"].startswith("cron(")
    assert rule["lifecycle"] == {"deleteAfter": 35}
    assert [copy["lifecycle"] for copy in rule["copyActions"]] == [{"deleteAfter": 35}]
    assert replicated.one("Selection").inputs["resources"] == [CLUSTER]


def test_without_a_recovery_region_nothing_is_copied(backup: Callable[..., Any]) -> None:
    recorded = backup(replicated=False, copied=False)
    assert len(recorded.all("Vault")) == 1
    assert not recorded.one("Plan").inputs["rules"][0].get("copyActions")
    assert not recorded.all("Schedule")


def test_what_a_global_cluster_replicates_is_not_copied_every_few_minutes(replicated: Any) -> None:
    assert not [*replicated.all("Schedule"), *replicated.all("StateMachine")]


def test_what_nothing_replicates_is_copied_every_few_minutes(alone_in_its_region: Any) -> None:
    schedule = alone_in_its_region.one("Schedule").inputs
    assert schedule["scheduleExpression"] == "rate(20 minutes)"
    assert schedule["target"]["arn"].endswith(":database-copies")


def test_each_snapshot_is_copied_once_it_is_there_and_its_failure_is_told(alone_in_its_region: Any) -> None:
    definition = json.loads(alone_in_its_region.one("StateMachine").inputs["definition"])
    steps = definition["States"]
    assert steps["Snapshot"]["Parameters"]["ResourceArn"] == CLUSTER
    chosen = {
        test["StringEquals"]: choice["Next"] for choice in steps["Judge"]["Choices"] for test in choice["Or"]
    }
    assert chosen == {"COMPLETED": "Copy"} | dict.fromkeys(
        ("ABORTED", "EXPIRED", "FAILED", "PARTIAL"), "Failed"
    )
    assert steps["Copy"]["Parameters"]["DestinationBackupVaultArn"].endswith(":backup-copy")
    # Every step that is named exists.
    named = {
        definition["StartAt"],
        *(step["Next"] for step in steps.values() if "Next" in step),
        *chosen.values(),
    }
    assert named | {steps["Judge"]["Default"]} <= steps.keys()
    # The next run finds no other under way.
    assert definition["TimeoutSeconds"] == 20 * 60


def test_backup_makes_snapshots_of_this_cluster_alone(replicated: Any) -> None:
    statement = statements(replicated, "backup")["SnapshotsOfTheCluster"]
    assert "rds:CreateDBClusterSnapshot" in statement["Action"]
    assert statement["Resource"] == [CLUSTER, f"arn:aws:rds:*:{ACCOUNT}:cluster-snapshot:awsbackup:*"]


def test_backup_deletes_nothing_but_its_own_snapshots(replicated: Any) -> None:
    deleting = [
        statement
        for statement in statements(replicated, "backup").values()
        if "Delete" in json.dumps(statement["Action"])
    ]
    assert [statement["Resource"] for statement in deleting] == [
        f"arn:aws:rds:*:{ACCOUNT}:cluster-snapshot:awsbackup:*"
    ]


def test_backup_copies_into_the_vaults_of_this_stack(replicated: Any) -> None:
    assert len(statements(replicated, "backup")["IntoTheVaults"]["Resource"]) == 2


def test_backup_copies_no_snapshots_but_its_own(replicated: Any) -> None:
    statement = statements(replicated, "backup")["OutOfTheVault"]
    assert statement["Action"] == "backup:CopyFromBackupVault"
    assert statement["Resource"] == f"arn:aws:rds:*:{ACCOUNT}:cluster-snapshot:awsbackup:*"


def test_backup_uses_keys_only_through_the_services_that_it_works_with(replicated: Any) -> None:
    own = statements(replicated, "backup")
    for sid in ("EncryptedSnapshots", "GrantsForSnapshots"):
        assert own[sid]["Resource"] == [f"{KEY}state", f"{KEY}backup", COPY_KEY]
        assert f"rds.{THERE}.amazonaws.com" in own[sid]["Condition"]["StringEquals"]["kms:ViaService"]
    assert own["GrantsForSnapshots"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_the_copying_starts_jobs_and_hands_over_the_role_of_backup_to_backup_alone(
    alone_in_its_region: Any,
) -> None:
    own = statements(alone_in_its_region, "database-copies")
    assert set(own) == {"StartsSnapshots", "StartsCopies", "AsksForJobs", "HandsOverTheRoleOfBackup"}
    assert own["HandsOverTheRoleOfBackup"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}
    }
    assert set(statements(alone_in_its_region, "database-copies-schedule")) == {"StartsTheCopies"}


def test_roles_are_assumed_by_their_services_for_this_account_alone(alone_in_its_region: Any) -> None:
    for role in alone_in_its_region.all("Role"):
        (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_failures_are_told(alone_in_its_region: Any) -> None:
    patterns = [json.loads(rule.inputs["eventPattern"]) for rule in alone_in_its_region.all("EventRule")]
    assert {tuple(pattern["source"]) for pattern in patterns} == {("aws.backup",), ("aws.states",)}
    (jobs,) = [pattern for pattern in patterns if pattern["source"] == ["aws.backup"]]
    assert "FAILED" in jobs["detail"]["state"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("retentionDays", 6, "vanta:backup.retentionDays is 6 which is out of range. Use 7 to 3650 days."),
        ("copyMinutes", 31, "vanta:backup.copyMinutes is 31 which is out of range. Use 10 to 30 minutes."),
        ("lockAfterDays", 2, "vanta:backup.lockAfterDays is 2 which is out of range. Use 3 to 36500 days, or 0."),
        ("lockAfterDays", 3, "vanta:backup.lockAfterDays is 3 but vanta:lifetime is throwaway: nobody could delete the vault with what is in it. Use 0, or set vanta:lifetime to permanent."),
    ],
)  # fmt: skip
def test_a_backup_that_aws_refuses_or_nobody_could_remove_is_refused(
    configuration: Callable[..., dict[str, Any]], key: str, value: int, message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("dev", {"backup": {key: value}}), "dev")
    assert str(refused.value) == message


def test_a_stack_that_stays_may_lock_its_vaults_for_good() -> None:
    check_backup(
        BackupSettings(enabled=True, retention_days=35, lock_after_days=30, copy_minutes=30),
        lifetime=Lifetime.PERMANENT,
    )
