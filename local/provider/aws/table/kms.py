"""KMS keys and aliases."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties


def _primary(state: Properties) -> tuple[str, str]:
    """The region and the id of the key that a replica is made of."""
    _, _, _, region, _, resource = state["primaryKeyArn"].split(":")
    return region, resource.removeprefix("key/")


def _replica(state: Properties) -> Params:
    return {
        "KeyId": _primary(state)[1],
        "ReplicaRegion": state["region"],
        **{
            parameter: state[name]
            for name, parameter in (("description", "Description"), ("policy", "Policy"))
            if name in state
        },
    }


TYPES = (
    ResourceType(
        token="aws:kms/key:Key",
        service="kms",
        create=Call(operation="create_key"),
        updates=(
            Call(operation="update_key_description", takes=frozenset({"description"})),
            Call(operation="put_key_policy", takes=frozenset({"policy"})),
            Call(operation="enable_key_rotation", when=("enableKeyRotation", True)),
            Call(operation="disable_key_rotation", when=("enableKeyRotation", False)),
            Call(operation="enable_key", when=("isEnabled", True)),
            Call(operation="disable_key", when=("isEnabled", False)),
        ),
        read=Call(operation="describe_key"),
        # A key that waits for its deletion is gone for everybody who would use it.
        answer="[KeyMetadata][?KeyState!='PendingDeletion'] | [0]",
        delete=(Call(operation="schedule_key_deletion"),),
        identity={"KeyId": "id"},
        id="answer.KeyMetadata.KeyId",
        names={"deletionWindowInDays": "PendingWindowInDays", "customerMasterKeySpec": "KeySpec"},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="KeyId", source="id"),
    ),
    ResourceType(
        token="aws:kms/replicaKey:ReplicaKey",
        service="kms",
        # Asked of the primary, for the region of the replica; from then on the replica answers in its own.
        create=Call(
            operation="replicate_key",
            takes=frozenset({"primaryKeyArn", "description", "policy"}),
            build=_replica,
            region=lambda state: _primary(state)[0],
        ),
        updates=(
            Call(operation="update_key_description", takes=frozenset({"description"})),
            Call(operation="put_key_policy", takes=frozenset({"policy"})),
        ),
        read=Call(operation="describe_key"),
        answer="[KeyMetadata][?KeyState!='PendingDeletion'] | [0]",
        delete=(Call(operation="schedule_key_deletion"),),
        identity={"KeyId": "id"},
        id="answer.ReplicaKeyMetadata.KeyId",
        names={"deletionWindowInDays": "PendingWindowInDays"},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="KeyId", source="id"),
    ),
    ResourceType(
        token="aws:kms/alias:Alias",
        service="kms",
        create=Call(operation="create_alias"),
        updates=(Call(operation="update_alias", takes=frozenset({"targetKeyId"})),),
        read=Call(operation="list_aliases"),
        answer="Aliases[?AliasName=='$id'] | [0]",
        delete=(Call(operation="delete_alias"),),
        identity={"AliasName": "id"},
        id="input.name",
        names={"name": "AliasName", "arn": "AliasArn"},
        computed=lambda state: {
            "targetKeyArn": state["arn"].replace(state["name"], f"key/{state['targetKeyId']}")
        },
    ),
)
