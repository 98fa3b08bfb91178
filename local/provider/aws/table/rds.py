"""Aurora PostgreSQL: clusters, their instances, parameter groups and subnet groups."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties

_TAGGING = Tagging(add="add_tags_to_resource", remove="remove_tags_from_resource", target="ResourceName")


def _log_exports(state: Properties) -> Params:
    """A change of log exports says what to switch on and what off, not what is wanted."""
    wanted, present = (
        set(state.get("enabledCloudwatchLogsExports", [])),
        set(state["@"].get("EnabledCloudwatchLogsExports", [])),
    )
    return {
        "DBClusterIdentifier": state["id"],
        "ApplyImmediately": True,
        "CloudwatchLogsExportConfiguration": {
            "EnableLogTypes": sorted(wanted - present),
            "DisableLogTypes": sorted(present - wanted),
        },
    }


def _point_in_time(state: Properties) -> Params:
    """Pulumi keeps the source and the moment together; the call has them side by side."""
    given = state["restoreToPointInTime"]
    names = {
        "sourceClusterIdentifier": "SourceDBClusterIdentifier",
        "sourceClusterResourceId": "SourceDbClusterResourceId",
        "restoreType": "RestoreType",
        "restoreToTime": "RestoreToTime",
        "useLatestRestorableTime": "UseLatestRestorableTime",
    }
    return {names[name]: value for name, value in given.items()}


_MASTER_USER = frozenset({"masterPassword", "manageMasterUserPassword", "masterUserSecretKmsKeyId"})


def _master_user(state: Properties) -> Params:
    """The master user's password is one of our own, or managed by RDS; giving the one ends the other."""
    managed = bool(state["@"].get("MasterUserSecret"))
    change: dict[str, object] = {"MasterUserPassword": state.get("masterPassword")}
    if managed:
        change["ManageMasterUserPassword"] = False
    elif state.get("manageMasterUserPassword"):
        change = {
            "ManageMasterUserPassword": True,
            "MasterUserSecretKmsKeyId": state.get("masterUserSecretKmsKeyId"),
        }
    given = {name: value for name, value in change.items() if value is not None}
    return {"DBClusterIdentifier": state["id"], "ApplyImmediately": True, **given}


def _leaving(state: Properties) -> Params | None:
    """What a cluster that joined a global one has to do before it can go; one that was made into it by others need not."""
    joined = state.get("globalClusterIdentifier")
    return {"GlobalClusterIdentifier": joined, "DbClusterIdentifier": state["arn"]} if joined else None


def _dissolution(state: Properties) -> Params | None:
    if not state.get("forceDestroy"):
        return None
    return {
        "GlobalClusterIdentifier": state["id"],
        "DbClusterIdentifier": state["sourceDbClusterIdentifier"],
    }


def _parameter_group(token: str, kind: str, answer: str) -> ResourceType:
    """A parameter group; ``kind`` is ``db`` or ``db_cluster``."""
    name = "DBParameterGroupName" if kind == "db" else "DBClusterParameterGroupName"

    def parameters(state: Properties) -> Params:
        return {
            name: state["id"],
            "Parameters": [
                {
                    "ParameterName": p["name"],
                    "ParameterValue": p["value"],
                    "ApplyMethod": p.get("applyMethod", "immediate"),
                }
                for p in state["parameters"]
            ],
        }

    return ResourceType(
        token=token,
        service="rds",
        create=Call(operation=f"create_{kind}_parameter_group"),
        updates=(
            Call(
                operation=f"modify_{kind}_parameter_group", takes=frozenset({"parameters"}), build=parameters
            ),
        ),
        read=Call(operation=f"describe_{kind}_parameter_groups"),
        answer=f"{answer}[0]",
        delete=(Call(operation=f"delete_{kind}_parameter_group"),),
        identity={name: "id"},
        id="input.name",
        names={"name": name, "family": "DBParameterGroupFamily", "arn": name.replace("Name", "Arn")},
        tagging=_TAGGING,
    )


TYPES = (
    _parameter_group("aws:rds/parameterGroup:ParameterGroup", "db", "DBParameterGroups"),
    _parameter_group(
        "aws:rds/clusterParameterGroup:ClusterParameterGroup", "db_cluster", "DBClusterParameterGroups"
    ),
    ResourceType(
        token="aws:rds/subnetGroup:SubnetGroup",
        service="rds",
        create=Call(operation="create_db_subnet_group"),
        updates=(
            Call(
                operation="modify_db_subnet_group", takes=frozenset({"description", "subnetIds"}), whole=True
            ),
        ),
        read=Call(operation="describe_db_subnet_groups"),
        answer="DBSubnetGroups[0]",
        delete=(Call(operation="delete_db_subnet_group"),),
        identity={"DBSubnetGroupName": "id"},
        id="input.name",
        names={
            "name": "DBSubnetGroupName",
            "description": "DBSubnetGroupDescription",
            "arn": "DBSubnetGroupArn",
        },
        outputs={"vpcId": "VpcId"},
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:rds/cluster:Cluster",
        service="rds",
        create=Call(operation="create_db_cluster"),
        create_from={
            "snapshotIdentifier": Call(operation="restore_db_cluster_from_snapshot"),
            "restoreToPointInTime": Call(
                operation="restore_db_cluster_to_point_in_time", further=_point_in_time
            ),
        },
        updates=(
            Call(
                operation="modify_db_cluster",
                takes=frozenset({"enabledCloudwatchLogsExports"}),
                build=_log_exports,
            ),
            Call(operation="modify_db_cluster", takes=_MASTER_USER, build=_master_user),
            Call(operation="modify_db_cluster", further=lambda _: {"ApplyImmediately": True}),
        ),
        read=Call(operation="describe_db_clusters"),
        answer="DBClusters[0]",
        delete=(
            Call(
                operation="remove_from_global_cluster",
                takes=frozenset(),
                build=_leaving,
                unless=frozenset({"DBClusterNotFoundFault", "GlobalClusterNotFoundFault"}),
            ),
            Call(
                operation="delete_db_cluster",
                takes=frozenset({"skipFinalSnapshot", "finalSnapshotIdentifier", "deleteAutomatedBackups"}),
            ),
        ),
        identity={"DBClusterIdentifier": "id"},
        id="input.clusterIdentifier",
        names={
            "clusterIdentifier": "DBClusterIdentifier",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
            "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
            "finalSnapshotIdentifier": "FinalDBSnapshotIdentifier",
            "masterPassword": "MasterUserPassword",
            "arn": "DBClusterArn",
        },
        outputs={
            "clusterResourceId": "DbClusterResourceId",
            "clusterMembers": "DBClusterMembers[].DBInstanceIdentifier",
            "masterUserSecrets": "[MasterUserSecret]",
            "engineVersionActual": "EngineVersion",
            "port": "Port",
        },
        unsent=frozenset({"applyImmediately"}),
        ready=("Status", frozenset({"available"})),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:rds/globalCluster:GlobalCluster",
        service="rds",
        # Engine, version and encryption are the source's, and refused beside it.
        create=Call(
            operation="create_global_cluster",
            takes=frozenset({"globalClusterIdentifier", "sourceDbClusterIdentifier", "deletionProtection"}),
        ),
        updates=(Call(operation="modify_global_cluster"),),
        read=Call(operation="describe_global_clusters"),
        answer="GlobalClusters[0]",
        delete=(
            Call(
                operation="remove_from_global_cluster",
                takes=frozenset({"forceDestroy"}),
                build=_dissolution,
                unless=frozenset({"DBClusterNotFoundFault"}),
            ),
            Call(operation="delete_global_cluster"),
        ),
        identity={"GlobalClusterIdentifier": "id"},
        id="input.globalClusterIdentifier",
        names={"arn": "GlobalClusterArn"},
        outputs={"globalClusterResourceId": "GlobalClusterResourceId"},
        ready=("Status", frozenset({"available"})),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:rds/clusterInstance:ClusterInstance",
        service="rds",
        create=Call(operation="create_db_instance"),
        updates=(Call(operation="modify_db_instance", further=lambda _: {"ApplyImmediately": True}),),
        read=Call(operation="describe_db_instances"),
        answer="DBInstances[0]",
        delete=(
            Call(
                operation="delete_db_instance",
                takes=frozenset(),
                further=lambda _: {"SkipFinalSnapshot": True},
            ),
        ),
        identity={"DBInstanceIdentifier": "id"},
        id="input.identifier",
        names={
            "identifier": "DBInstanceIdentifier",
            "clusterIdentifier": "DBClusterIdentifier",
            "instanceClass": "DBInstanceClass",
            "caCertIdentifier": "CACertificateIdentifier",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
            "arn": "DBInstanceArn",
        },
        outputs={
            "endpoint": "Endpoint.Address",
            "port": "Endpoint.Port",
            "engineVersionActual": "EngineVersion",
        },
        unsent=frozenset({"applyImmediately"}),
        ready=("DBInstanceStatus", frozenset({"available"})),
        tagging=_TAGGING,
    ),
)
