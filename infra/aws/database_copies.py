"""The copies of a database that nothing replicates: a snapshot every few minutes, and each in the recovery region."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.backup_vault import SHORTEST_DAYS, BackupVault
from infra.aws.event_notice import EventNotice, EventNoticeArgs
from infra.aws.place import Place
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names

# How long to wait between two questions whether the snapshot is there.
ASK_AGAIN_SECONDS = 30
LIFECYCLE = {"DeleteAfterDays": SHORTEST_DAYS}


@dataclass(frozen=True, kw_only=True)
class DatabaseCopiesArgs:
    """Inputs of :class:`DatabaseCopies`; ``role`` is that in which AWS Backup works."""

    names: Names
    place: Place
    minutes: int
    cluster_arn: pulumi.Input[str]
    vault: BackupVault
    copy: BackupVault
    role: ServiceRole
    topic_arn: pulumi.Input[str]


class DatabaseCopies(pulumi.ComponentResource):
    """Every few ``minutes`` a snapshot, and then its copy: more often than AWS Backup's plans can, which is every hour.

    Produces ``StateMachine``, ``Schedule``, a :class:`ServiceRole` for each, and an :class:`EventNotice` of what fails. Each
    copy to another region is a full one: docs/adr/0012-global-data.md.

    Source: AWS Step Functions Developer Guide, "Using AWS service SDK integrations"; AWS Backup API, "StartBackupJob", which
    has no copy action, and "StartCopyJob".
    """

    def __init__(
        self, name: str, args: DatabaseCopiesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:DatabaseCopies", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        self._tags = args.names.tags(layer="state", classification="internal")
        partition, account = args.place.partition, args.place.account_id

        steps = self._role(
            name,
            "states",
            "Takes and copies snapshots of the database step by step",
            [
                {
                    "Sid": "StartsSnapshots",
                    "Effect": "Allow",
                    "Action": "backup:StartBackupJob",
                    "Resource": args.vault.arn,
                },
                {
                    "Sid": "StartsCopies",
                    "Effect": "Allow",
                    "Action": "backup:StartCopyJob",
                    "Resource": f"arn:{partition}:rds:{args.place.region}:{account}:cluster-snapshot:awsbackup:*",
                },
                {
                    # Jobs have no ARN that a policy could name.
                    "Sid": "AsksForJobs",
                    "Effect": "Allow",
                    "Action": "backup:DescribeBackupJob",
                    "Resource": "*",
                },
                {
                    "Sid": "HandsOverTheRoleOfBackup",
                    "Effect": "Allow",
                    "Action": "iam:PassRole",
                    "Resource": args.role.arn,
                    "Condition": {"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
                },
            ],
        )
        machine = aws.sfn.StateMachine(
            name,
            name=args.names.of(name),
            role_arn=steps.arn,
            definition=self._definition(),
            tags=self._tags,
            # It works in both roles: it takes the one and hands over the other.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*steps.ready, *args.role.ready]),
        )
        starting = self._role(
            f"{name}-schedule",
            "scheduler",
            "Starts the copies of the database",
            [
                {
                    "Sid": "StartsTheCopies",
                    "Effect": "Allow",
                    "Action": "states:StartExecution",
                    "Resource": machine.arn,
                }
            ],
        )
        aws.scheduler.Schedule(
            name,
            name=args.names.of(name),
            schedule_expression=f"rate({args.minutes} minutes)",
            flexible_time_window={"mode": "OFF"},
            target={"arn": machine.arn, "role_arn": starting.arn},
            opts=pulumi.ResourceOptions(parent=self, depends_on=starting.ready),
        )
        EventNotice(
            name,
            EventNoticeArgs(
                names=args.names,
                description="Copies of the database that failed",
                pattern={
                    "source": ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    "detail": {
                        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                        "stateMachineArn": [{"suffix": f":{args.names.of(name)}"}],
                    },
                },
                topic_arn=args.topic_arn,
            ),
            opts=self._child,
        )
        self.register_outputs({})

    def _definition(self) -> pulumi.Output[str]:
        args = self._args
        sdk = f"arn:{args.place.partition}:states:::aws-sdk:backup"
        return pulumi.Output.json_dumps(
            {
                "StartAt": "Snapshot",
                # A run that overlaps the next would only compete with it.
                "TimeoutSeconds": args.minutes * 60,
                "States": {
                    "Snapshot": {
                        "Type": "Task",
                        "Resource": f"{sdk}:startBackupJob",
                        "Parameters": {
                            "BackupVaultName": args.vault.name,
                            "ResourceArn": args.cluster_arn,
                            "IamRoleArn": args.role.arn,
                            "Lifecycle": LIFECYCLE,
                        },
                        "ResultPath": "$.job",
                        "Next": "Wait",
                    },
                    "Wait": {"Type": "Wait", "Seconds": ASK_AGAIN_SECONDS, "Next": "Ask"},
                    "Ask": {
                        "Type": "Task",
                        "Resource": f"{sdk}:describeBackupJob",
                        "Parameters": {"BackupJobId.$": "$.job.BackupJobId"},
                        "ResultPath": "$.found",
                        "Next": "Judge",
                    },
                    "Judge": {
                        "Type": "Choice",
                        "Choices": [
                            _when(["COMPLETED"], "Copy"),
                            _when(["ABORTED", "EXPIRED", "FAILED", "PARTIAL"], "Failed"),
                        ],
                        "Default": "Wait",
                    },
                    "Copy": {
                        "Type": "Task",
                        "Resource": f"{sdk}:startCopyJob",
                        "Parameters": {
                            "RecoveryPointArn.$": "$.found.RecoveryPointArn",
                            "SourceBackupVaultName": args.vault.name,
                            "DestinationBackupVaultArn": args.copy.arn,
                            "IamRoleArn": args.role.arn,
                            "Lifecycle": LIFECYCLE,
                        },
                        "End": True,
                    },
                    "Failed": {"Type": "Fail", "Error": "SnapshotFailed"},
                },
            }
        )

    def _role(self, name: str, service: str, description: str, statements: list[Statement]) -> ServiceRole:
        args = self._args
        return ServiceRole(
            name,
            ServiceRoleArgs(
                names=args.names,
                description=description,
                trust={
                    "Sid": "AssumedByTheService",
                    "Effect": "Allow",
                    "Principal": {"Service": f"{service}.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": args.place.account_id}},
                },
                statements=statements,
            ),
            opts=self._child,
        )


def _when(states: list[str], following: str) -> dict[str, Any]:
    return {
        "Or": [{"Variable": "$.found.State", "StringEquals": state} for state in states],
        "Next": following,
    }
