"""ElastiCache: replication groups, parameter groups and subnet groups."""

from collections.abc import Callable

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties

_TAGGING = Tagging(add="add_tags_to_resource", remove="remove_tags_from_resource", target="ResourceName")


def _parameters(state: Properties) -> Params:
    return {
        "CacheParameterGroupName": state["id"],
        "ParameterNameValues": [
            {"ParameterName": p["name"], "ParameterValue": p["value"]} for p in state.get("parameters", [])
        ],
    }


def _replicas(*, more: bool) -> Callable[[Properties], Params | None]:
    """The new number of replicas of each shard, if it is larger (or smaller) than what there is."""

    def build(state: Properties) -> Params | None:
        wanted = int(state.get("replicasPerNodeGroup", state.get("numCacheClusters", 1) - 1))
        present = len(state["@"]["NodeGroups"][0]["NodeGroupMembers"]) - 1
        if wanted == present or (wanted > present) is not more:
            return None
        return {"ReplicationGroupId": state["id"], "NewReplicaCount": wanted, "ApplyImmediately": True}

    return build


_NODES = frozenset({"numCacheClusters", "replicasPerNodeGroup"})

TYPES = (
    ResourceType(
        token="aws:elasticache/subnetGroup:SubnetGroup",
        service="elasticache",
        create=Call(operation="create_cache_subnet_group"),
        updates=(
            Call(
                operation="modify_cache_subnet_group",
                takes=frozenset({"description", "subnetIds"}),
                whole=True,
            ),
        ),
        read=Call(operation="describe_cache_subnet_groups"),
        answer="CacheSubnetGroups[0]",
        delete=(Call(operation="delete_cache_subnet_group"),),
        identity={"CacheSubnetGroupName": "id"},
        id="input.name",
        names={"name": "CacheSubnetGroupName", "description": "CacheSubnetGroupDescription"},
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:elasticache/parameterGroup:ParameterGroup",
        service="elasticache",
        create=Call(operation="create_cache_parameter_group"),
        updates=(
            Call(
                operation="modify_cache_parameter_group", takes=frozenset({"parameters"}), build=_parameters
            ),
        ),
        read=Call(operation="describe_cache_parameter_groups"),
        answer="CacheParameterGroups[0]",
        delete=(Call(operation="delete_cache_parameter_group"),),
        identity={"CacheParameterGroupName": "id"},
        id="input.name",
        names={"name": "CacheParameterGroupName", "family": "CacheParameterGroupFamily"},
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:elasticache/replicationGroup:ReplicationGroup",
        service="elasticache",
        create=Call(operation="create_replication_group"),
        updates=(
            Call(
                operation="modify_replication_group",
                takes=frozenset({"authToken"}),
                further=lambda s: {
                    "ApplyImmediately": True,
                    "AuthTokenUpdateStrategy": s.get("authTokenUpdateStrategy", "ROTATE"),
                },
            ),
            # A group of one node cannot fail over: nodes come before it is told to, and go after it is told not to.
            Call(operation="increase_replica_count", takes=_NODES, build=_replicas(more=True)),
            Call(operation="modify_replication_group", further=lambda _: {"ApplyImmediately": True}),
            Call(operation="decrease_replica_count", takes=_NODES, build=_replicas(more=False)),
        ),
        read=Call(operation="describe_replication_groups"),
        answer="ReplicationGroups[0]",
        delete=(Call(operation="delete_replication_group", takes=frozenset({"finalSnapshotIdentifier"})),),
        identity={"ReplicationGroupId": "id"},
        id="input.replicationGroupId",
        names={
            "description": "ReplicationGroupDescription",
            "nodeType": "CacheNodeType",
            "parameterGroupName": "CacheParameterGroupName",
            "subnetGroupName": "CacheSubnetGroupName",
            "maintenanceWindow": "PreferredMaintenanceWindow",
        },
        outputs={
            "primaryEndpointAddress": "NodeGroups[0].PrimaryEndpoint.Address",
            "readerEndpointAddress": "NodeGroups[0].ReaderEndpoint.Address",
            "configurationEndpointAddress": "ConfigurationEndpoint.Address",
            "port": "NodeGroups[0].PrimaryEndpoint.Port",
            "memberClusters": "MemberClusters",
        },
        unsent=frozenset({"applyImmediately", "authTokenUpdateStrategy"}),
        ready=("Status", frozenset({"available"})),
        tagging=_TAGGING,
    ),
)
