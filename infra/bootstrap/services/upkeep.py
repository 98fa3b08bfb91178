"""What looks after the data: backups, the rotation of secrets, and what runs on a schedule."""

from collections.abc import Mapping

from infra.bootstrap.services.grant import Grant, Service

SERVICES: Mapping[str, Service] = {
    "backup": Service(
        reads=("Describe*", "Get*", "List*"),
        changes=(
            Grant(
                sid="VaultsMade",
                need="the vault of the backups and its lock; no backup",
                actions=(
                    "CreateBackupVault",
                    "DeleteBackupVault",
                    "DeleteBackupVaultLockConfiguration",
                    "PutBackupVaultLockConfiguration",
                    "TagResource",
                    "UntagResource",
                ),
                resources=("arn:{partition}:backup:*:{account}:backup-vault:vanta-{stack}-*",),
            ),
            Grant(
                sid="BackupsPlanned",
                need="when backups are made and of what; a plan has an id",
                actions=(
                    "CreateBackupPlan",
                    "CreateBackupSelection",
                    "DeleteBackupPlan",
                    "DeleteBackupSelection",
                    "TagResource",
                    "UntagResource",
                    "UpdateBackupPlan",
                ),
                resources=("arn:{partition}:backup:*:{account}:backup-plan:*",),
            ),
        ),
        passed_to=("backup.amazonaws.com",),
        linked=("backup.amazonaws.com",),
    ),
    "backup-storage": Service(
        changes=(
            Grant(
                sid="VaultsMounted",
                need="whoever makes an encrypted vault is asked for this, on no resource",
                actions=("MountCapsule",),
            ),
        ),
    ),
    "lambda": Service(
        reads=("GetFunction*", "GetPolicy", "ListTags", "ListVersionsByFunction"),
        read_from=("arn:{partition}:lambda:*:{account}:function:vanta-{stack}-*",),
        changes=(
            Grant(
                sid="FunctionsMade",
                need="the functions that rotate the secrets; whoever attaches one to a secret has to be allowed to call it",
                actions=(
                    "AddPermission",
                    "CreateFunction",
                    "DeleteFunction",
                    "InvokeFunction",
                    "RemovePermission",
                    "TagResource",
                    "UntagResource",
                    "UpdateFunctionCode",
                    "UpdateFunctionConfiguration",
                ),
                resources=("arn:{partition}:lambda:*:{account}:function:vanta-{stack}-*",),
            ),
        ),
        passed_to=("lambda.amazonaws.com",),
    ),
    "scheduler": Service(
        reads=("GetSchedule", "ListTagsForResource"),
        changes=(
            Grant(
                sid="SchedulesMade",
                need="what has to happen at its time",
                actions=("CreateSchedule", "DeleteSchedule", "UpdateSchedule"),
                resources=("arn:{partition}:scheduler:*:{account}:schedule/*/vanta-{stack}-*",),
            ),
        ),
        passed_to=("scheduler.amazonaws.com",),
    ),
    "states": Service(
        reads=("DescribeStateMachine", "ListStateMachineVersions", "ListTagsForResource"),
        changes=(
            Grant(
                sid="StepsMade",
                need="what takes several steps to look after; it is not started",
                actions=(
                    "CreateStateMachine",
                    "DeleteStateMachine",
                    "TagResource",
                    "UntagResource",
                    "UpdateStateMachine",
                ),
                resources=("arn:{partition}:states:*:{account}:stateMachine:vanta-{stack}-*",),
            ),
        ),
        passed_to=("states.amazonaws.com",),
    ),
}
