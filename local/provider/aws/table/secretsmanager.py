"""Secrets and their versions."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties


def _deletion(state: Properties) -> Params:
    """A recovery window of 0 days means at once, for which the API has another parameter."""
    days = state.get("recoveryWindowInDays", 30)
    window = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
    return {"SecretId": state["id"], **window}


TYPES = (
    ResourceType(
        token="aws:secretsmanager/secret:Secret",
        service="secretsmanager",
        create=Call(operation="create_secret"),
        updates=(Call(operation="update_secret", takes=frozenset({"description", "kmsKeyId"})),),
        read=Call(operation="describe_secret"),
        # A secret that waits for its deletion cannot be read by anybody.
        answer="[@][?!DeletedDate] | [0]",
        delete=(Call(operation="delete_secret", build=_deletion),),
        identity={"SecretId": "id"},
        id="answer.ARN",
        unsent=frozenset({"recoveryWindowInDays", "forceOverwriteReplicaSecret"}),
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="SecretId", source="id"),
    ),
    ResourceType(
        token="aws:secretsmanager/secretVersion:SecretVersion",
        service="secretsmanager",
        create=Call(operation="put_secret_value"),
        read=Call(
            operation="describe_secret",
            build=lambda s: {"SecretId": s["secretId"]},
        ),
        answer="{ARN: ARN, Stages: VersionIdsToStages}",
        id="join('|', [input.secretId, answer.VersionId])",
        computed=lambda s: {"versionId": s["id"].split("|")[-1]},
    ),
)
