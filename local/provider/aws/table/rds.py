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
        updates=(
            Call(
                operation="modify_db_cluster",
                takes=frozenset({"enabledCloudwatchLogsExports"}),
                build=_log_exports,
            ),
            Call(operation="modify_db_cluster", further=lambda _: {"ApplyImmediately": True}),
        ),
        read=Call(operation="describe_db_clusters"),
        answer="DBClusters[0]",
        delete=(
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
