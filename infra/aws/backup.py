"""The backup: snapshots of the database that survive its deletion, its account's mistakes and its region."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from infra.aws.backup_vault import BackupVault, VaultArgs
from infra.aws.database_copies import DatabaseCopies, DatabaseCopiesArgs
from infra.aws.event_notice import EventNotice, EventNoticeArgs
from infra.aws.place import Place
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names
from infra.settings.backup import BackupSettings
from infra.settings.lifetime import Lifetime

# Before Europe wakes up, and not in the maintenance window; AWS Backup Developer Guide, "Backup plan options and
# configuration": a job has to be able to wait an hour, and snapshots of Aurora fail within an hour of maintenance.
DAILY = "cron(0 1 * * ? *)"
START_MINUTES, COMPLETION_MINUTES = 60, 240
# AWS Backup Developer Guide, "Monitoring AWS Backup events using Amazon EventBridge".
FAILURES = ["FAILED", "ABORTED", "EXPIRED", "PARTIAL"]


@dataclass(frozen=True, kw_only=True)
class BackupArgs:
    """Inputs of :class:`Backup`; ``copy_key_arns`` are the recovery region's key by its name, or nothing.

    ``replicated``: whether a global cluster has the database in the other region already.
    """

    names: Names
    place: Place
    settings: BackupSettings
    lifetime: Lifetime
    cluster_arn: pulumi.Input[str]
    state_key_arn: pulumi.Input[str]
    backup_key_arn: pulumi.Input[str]
    copy_key_arns: Mapping[str, pulumi.Input[str]]
    replicated: bool
    topic_arn: pulumi.Input[str]


class Backup(pulumi.ComponentResource):
    """Daily snapshots of the database in a locked vault, and copies of them in a vault of the recovery region.

    Aurora's own continuous backup goes with the cluster, and is not managed here: two owners of one retention would undo
    each other's. Where no global cluster does it, :class:`DatabaseCopies` brings the database to the other region.

    Produces a :class:`BackupVault` in each region, ``Plan``, ``Selection``, the :class:`ServiceRole` of AWS Backup
    and an :class:`EventNotice` of what fails.

    Source: AWS Backup Developer Guide, "Amazon Aurora backups" and "Creating backup copies across AWS Regions".
    """

    vault_name: pulumi.Output[str]

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Backup", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        self._tags = args.names.tags(layer="state", classification="restricted")

        vault = self._vault(name, args.names.region, args.backup_key_arn)
        copies = {
            region: self._vault(f"{name}-copy", region, key) for region, key in args.copy_key_arns.items()
        }
        role = self._role(name, [vault, *copies.values()])
        lifecycle: aws.backup.PlanRuleLifecycleArgsDict = {"delete_after": args.settings.retention_days}
        plan = aws.backup.Plan(
            name,
            name=args.names.of(name),
            rules=[
                {
                    "rule_name": "daily",
                    "target_vault_name": vault.name,
                    "schedule": DAILY,
                    "start_window": START_MINUTES,
                    "completion_window": COMPLETION_MINUTES,
                    "lifecycle": lifecycle,
                    "copy_actions": [
                        {
                            "destination_vault_arn": copy.arn,
                            "lifecycle": {"delete_after": args.settings.retention_days},
                        }
                        for copy in copies.values()
                    ],
                }
            ],
            tags=self._tags,
            opts=self._child,
        )
        aws.backup.Selection(
            name,
            name=args.names.of("database"),
            plan_id=plan.id,
            iam_role_arn=role.arn,
            resources=[args.cluster_arn],
            opts=pulumi.ResourceOptions(parent=self, depends_on=role.ready),
        )
        if not args.replicated:
            for copy in copies.values():
                DatabaseCopies(
                    "database-copies",
                    DatabaseCopiesArgs(
                        names=args.names,
                        place=args.place,
                        minutes=args.settings.copy_minutes,
                        cluster_arn=args.cluster_arn,
                        vault=vault,
                        copy=copy,
                        role=role,
                        topic_arn=args.topic_arn,
                    ),
                    opts=self._child,
                )
        EventNotice(
            name,
            EventNoticeArgs(
                names=args.names,
                description="Backups and copies that failed",
                pattern={
                    "source": ["aws.backup"],
                    "detail-type": ["Backup Job State Change", "Copy Job State Change"],
                    "detail": {"state": FAILURES},
                },
                topic_arn=args.topic_arn,
            ),
            opts=self._child,
        )
        self.vault_name = vault.name
        self.register_outputs({"vaultName": self.vault_name})

    def _vault(self, name: str, region: str, key_arn: pulumi.Input[str]) -> BackupVault:
        args = self._args
        return BackupVault(
            name,
            VaultArgs(
                names=replace(args.names, region=region),
                settings=args.settings,
                lifetime=args.lifetime,
                kms_key_arn=key_arn,
            ),
            opts=self._child,
        )

    def _role(self, name: str, vaults: list[BackupVault]) -> ServiceRole:
        return ServiceRole(
            name,
            ServiceRoleArgs(
                names=self._args.names,
                description="Makes and copies snapshots of the database",
                trust=_trust(self._args.place.account_id),
                statements=self._statements(vaults),
            ),
            opts=self._child,
        )

    def _statements(self, vaults: list[BackupVault]) -> list[Statement]:
        """What AWS Backup does for Aurora, of its managed role's policy, for this cluster, its keys and its vaults alone.

        Source: AWS Managed Policy Reference, "AWSBackupServiceRolePolicyForBackup".
        """
        args = self._args
        account = args.place.account_id
        snapshots = f"arn:{args.place.partition}:rds:*:{account}:cluster-snapshot:awsbackup:*"
        regions = [args.names.region, *args.copy_key_arns]
        services = [
            f"{service}.{region}.amazonaws.com" for service in ("rds", "backup") for region in regions
        ]
        keys = [args.state_key_arn, args.backup_key_arn, *args.copy_key_arns.values()]
        return [
            {
                "Sid": "SnapshotsOfTheCluster",
                "Effect": "Allow",
                "Action": [
                    "rds:CreateDBClusterSnapshot",
                    "rds:DescribeDBClusterSnapshots",
                    "rds:DescribeDBClusters",
                    "rds:ListTagsForResource",
                ],
                "Resource": [args.cluster_arn, snapshots],
            },
            {
                "Sid": "CareForItsSnapshots",
                "Effect": "Allow",
                "Action": [
                    "rds:AddTagsToResource",
                    "rds:CopyDBClusterSnapshot",
                    "rds:DeleteDBClusterSnapshot",
                ],
                "Resource": snapshots,
            },
            {
                "Sid": "IntoTheVaults",
                "Effect": "Allow",
                "Action": ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
                "Resource": [vault.arn for vault in vaults],
            },
            {
                # A recovery point of Aurora has the ARN of its snapshot.
                "Sid": "OutOfTheVault",
                "Effect": "Allow",
                "Action": "backup:CopyFromBackupVault",
                "Resource": snapshots,
            },
            {
                "Sid": "EncryptedSnapshots",
                "Effect": "Allow",
                "Action": [
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                "Resource": keys,
                "Condition": {"StringEquals": {"kms:ViaService": services}},
            },
            {
                "Sid": "GrantsForSnapshots",
                "Effect": "Allow",
                "Action": "kms:CreateGrant",
                "Resource": keys,
                "Condition": {
                    "StringEquals": {"kms:ViaService": services},
                    "Bool": {"kms:GrantIsForAWSResource": "true"},
                },
            },
        ]


def _trust(account_id: str) -> Statement:
    return {
        "Sid": "AssumedByBackup",
        "Effect": "Allow",
        "Principal": {"Service": "backup.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
