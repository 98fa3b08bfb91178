"""AWS Backup: vaults with their locks, plans and what they select."""

from typing import Any

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties

_TAGGING = Tagging(add="tag_resource", remove="untag_resource", target="ResourceArn", keys="TagKeyList")


def _rule(rule: Properties) -> dict[str, Any]:
    return {
        "RuleName": rule["ruleName"],
        "TargetBackupVaultName": rule["targetVaultName"],
        "ScheduleExpression": rule["schedule"],
        "StartWindowMinutes": rule["startWindow"],
        "CompletionWindowMinutes": rule["completionWindow"],
        "Lifecycle": {"DeleteAfterDays": rule["lifecycle"]["deleteAfter"]},
        "CopyActions": [
            {
                "DestinationBackupVaultArn": copy["destinationVaultArn"],
                "Lifecycle": {"DeleteAfterDays": copy["lifecycle"]["deleteAfter"]},
            }
            for copy in rule.get("copyActions", [])
        ],
    }


def _plan(state: Properties) -> Params:
    return {
        "BackupPlan": {"BackupPlanName": state["name"], "Rules": [_rule(rule) for rule in state["rules"]]}
    }


def _changed_plan(state: Properties) -> Params:
    return {"BackupPlanId": state["id"], **_plan(state)}


def _selection(state: Properties) -> Params:
    return {
        "BackupPlanId": state["planId"],
        "BackupSelection": {
            "SelectionName": state["name"],
            "IamRoleArn": state["iamRoleArn"],
            "Resources": state["resources"],
        },
    }


TYPES = (
    ResourceType(
        token="aws:backup/vault:Vault",
        service="backup",
        create=Call(operation="create_backup_vault"),
        read=Call(operation="describe_backup_vault"),
        delete=(Call(operation="delete_backup_vault"),),
        identity={"BackupVaultName": "id"},
        id="input.name",
        names={
            "name": "BackupVaultName",
            "kmsKeyArn": "EncryptionKeyArn",
            "tags": "BackupVaultTags",
            "arn": "BackupVaultArn",
        },
        outputs={"recoveryPoints": "NumberOfRecoveryPoints"},
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:backup/vaultLockConfiguration:VaultLockConfiguration",
        service="backup",
        create=Call(operation="put_backup_vault_lock_configuration"),
        updates=(Call(operation="put_backup_vault_lock_configuration", whole=True),),
        delete=(Call(operation="delete_backup_vault_lock_configuration"),),
        identity={"BackupVaultName": "backupVaultName"},
        id="input.backupVaultName",
        emulated=False,
    ),
    ResourceType(
        token="aws:backup/plan:Plan",
        service="backup",
        create=Call(operation="create_backup_plan", takes=frozenset({"name", "rules"}), build=_plan),
        updates=(
            Call(operation="update_backup_plan", takes=frozenset({"name", "rules"}), build=_changed_plan),
        ),
        read=Call(operation="get_backup_plan"),
        delete=(Call(operation="delete_backup_plan"),),
        identity={"BackupPlanId": "id"},
        id="answer.BackupPlanId",
        names={"arn": "BackupPlanArn"},
        outputs={"version": "VersionId"},
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:backup/selection:Selection",
        service="backup",
        create=Call(
            operation="create_backup_selection",
            takes=frozenset({"name", "planId", "iamRoleArn", "resources"}),
            build=_selection,
        ),
        read=Call(operation="get_backup_selection"),
        delete=(Call(operation="delete_backup_selection"),),
        identity={"BackupPlanId": "planId", "SelectionId": "id"},
        id="answer.SelectionId",
    ),
)
