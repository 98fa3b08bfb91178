"""Secrets and their versions."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties


def _deletion(state: Properties) -> Params:
    """A recovery window of 0 days means at once, for which the API has another parameter."""
    days = state.get("recoveryWindowInDays", 30)
    window = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
    return {"SecretId": state["id"], **window}


def _added_copies(state: Properties) -> Params | None:
    wanted = [
        {"Region": copy["region"], **({"KmsKeyId": copy["kmsKeyId"]} if "kmsKeyId" in copy else {})}
        for copy in state.get("replicas", [])
    ]
    return {"SecretId": state["id"], "AddReplicaRegions": wanted} if wanted else None


def _surplus_copies(state: Properties) -> Params | None:
    """Those that exist and are not wanted."""
    wanted = {copy["region"] for copy in state.get("replicas", [])}
    return _removal(
        state, [s["Region"] for s in state["@"].get("ReplicationStatus", []) if s["Region"] not in wanted]
    )


def _all_copies(state: Properties) -> Params | None:
    """A secret with copies cannot be deleted."""
    return _removal(state, [copy["region"] for copy in state.get("replicas", [])])


def _removal(state: Properties, regions: list[str]) -> Params | None:
    return {"SecretId": state["id"], "RemoveReplicaRegions": regions} if regions else None


_ROTATION = Call(operation="rotate_secret", whole=True)

TYPES = (
    ResourceType(
        token="aws:secretsmanager/secret:Secret",
        service="secretsmanager",
        # It knows copies too, but the emulator passes over them there.
        create=Call(operation="create_secret", takes=frozenset({"name", "description", "kmsKeyId", "tags"})),
        updates=(
            Call(operation="update_secret", takes=frozenset({"description", "kmsKeyId"})),
            Call(operation="replicate_secret_to_regions", takes=frozenset({"replicas"}), build=_added_copies),
            Call(
                operation="remove_regions_from_replication",
                takes=frozenset({"replicas"}),
                build=_surplus_copies,
                emulated=False,
            ),
        ),
        read=Call(operation="describe_secret"),
        # A secret that waits for its deletion cannot be read by anybody.
        answer="[@][?!DeletedDate] | [0]",
        delete=(
            Call(operation="remove_regions_from_replication", build=_all_copies, emulated=False),
            Call(operation="delete_secret", build=_deletion),
        ),
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
    ResourceType(
        token="aws:secretsmanager/secretRotation:SecretRotation",
        service="secretsmanager",
        create=_ROTATION,
        updates=(_ROTATION,),
        read=Call(operation="describe_secret", takes=frozenset()),
        answer="[@][?RotationEnabled] | [0]",
        delete=(Call(operation="cancel_rotate_secret", takes=frozenset(), emulated=False),),
        identity={"SecretId": "secretId"},
        id="input.secretId",
    ),
)
