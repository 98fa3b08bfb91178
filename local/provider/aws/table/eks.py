"""EKS: clusters, who gets in, their nodes, add-ons and the roles of pods."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties

_TAGGING = Tagging(add="tag_resource", remove="untag_resource", target="resourceArn", keys="tagKeys")


def _logging(state: Properties) -> Params:
    """EKS asks which logs to write and which not to; the type names those that are written."""
    return {
        "logging": {"clusterLogging": [{"types": state.get("enabledClusterLogTypes", []), "enabled": True}]}
    }


def _cluster_setting(name: str) -> Call:
    """EKS changes one setting of a cluster a call; the emulator none."""
    return Call(
        operation="update_cluster_config",
        takes=frozenset({name}),
        emulated=False,
    )


TYPES = (
    ResourceType(
        token="aws:eks/cluster:Cluster",
        service="eks",
        create=Call(operation="create_cluster", further=_logging),
        updates=(
            Call(operation="update_cluster_version", takes=frozenset({"version"}), emulated=False),
            Call(
                operation="update_cluster_config",
                takes=frozenset({"enabledClusterLogTypes"}),
                build=lambda s: {"name": s["id"], **_logging(s)},
                emulated=False,
            ),
            *map(
                _cluster_setting,
                ("vpcConfig", "upgradePolicy", "zonalShiftConfig", "deletionProtection"),
            ),
        ),
        read=Call(operation="describe_cluster"),
        answer="cluster",
        delete=(Call(operation="delete_cluster", takes=frozenset()),),
        identity={"name": "id"},
        id="input.name",
        names={"vpcConfig": "resourcesVpcConfig"},
        ready=("status", frozenset({"ACTIVE"})),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:eks/nodeGroup:NodeGroup",
        service="eks",
        create=Call(operation="create_nodegroup"),
        updates=(
            Call(
                operation="update_nodegroup_config",
                takes=frozenset({"scalingConfig", "updateConfig", "nodeRepairConfig"}),
                emulated=False,
            ),
            Call(
                operation="update_nodegroup_version",
                takes=frozenset({"version", "releaseVersion", "launchTemplate"}),
                emulated=False,
            ),
        ),
        read=Call(operation="describe_nodegroup"),
        answer="nodegroup",
        delete=(Call(operation="delete_nodegroup", takes=frozenset()),),
        identity={"clusterName": "clusterName", "nodegroupName": "nodeGroupName"},
        id="join(':', [input.clusterName, input.nodeGroupName])",
        names={
            "nodeGroupName": "nodegroupName",
            "nodeRoleArn": "nodeRole",
            "subnetIds": "subnets",
            "arn": "nodegroupArn",
        },
        outputs={"resources": "[resources]"},
        ready=("status", frozenset({"ACTIVE"})),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:eks/addon:Addon",
        service="eks",
        create=Call(operation="create_addon"),
        updates=(
            Call(
                operation="update_addon",
                takes=frozenset(
                    {
                        "addonVersion",
                        "configurationValues",
                        "podIdentityAssociations",
                        "resolveConflictsOnUpdate",
                    }
                ),
            ),
        ),
        read=Call(operation="describe_addon"),
        answer="addon",
        delete=(Call(operation="delete_addon", takes=frozenset()),),
        identity={"clusterName": "clusterName", "addonName": "addonName"},
        id="join(':', [input.clusterName, input.addonName])",
        names={
            "resolveConflictsOnCreate": "resolveConflicts",
            "resolveConflictsOnUpdate": "resolveConflicts",
            "arn": "addonArn",
        },
        ready=("status", frozenset({"ACTIVE"})),
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:eks/accessEntry:AccessEntry",
        service="eks",
        create=Call(operation="create_access_entry"),
        updates=(Call(operation="update_access_entry", takes=frozenset({"kubernetesGroups", "userName"})),),
        read=Call(operation="describe_access_entry"),
        answer="accessEntry",
        delete=(Call(operation="delete_access_entry", takes=frozenset()),),
        identity={"clusterName": "clusterName", "principalArn": "principalArn"},
        id="join(':', [input.clusterName, input.principalArn])",
        names={"userName": "username"},
        tagging=Tagging(
            add="tag_resource",
            remove="untag_resource",
            target="resourceArn",
            source="accessEntryArn",
            keys="tagKeys",
        ),
    ),
    ResourceType(
        token="aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        service="eks",
        create=Call(operation="associate_access_policy"),
        updates=(Call(operation="associate_access_policy", takes=frozenset({"accessScope"}), whole=True),),
        read=Call(operation="list_associated_access_policies"),
        answer="associatedAccessPolicies[?ends_with('$id', policyArn)] | [0]",
        delete=(Call(operation="disassociate_access_policy", takes=frozenset()),),
        identity={
            "clusterName": "clusterName",
            "principalArn": "principalArn",
            "policyArn": "policyArn",
        },
        id="join('#', [input.clusterName, input.principalArn, input.policyArn])",
    ),
    ResourceType(
        token="aws:eks/podIdentityAssociation:PodIdentityAssociation",
        service="eks",
        create=Call(operation="create_pod_identity_association"),
        updates=(
            Call(
                operation="update_pod_identity_association",
                takes=frozenset({"roleArn", "disableSessionTags", "targetRoleArn", "policy"}),
            ),
        ),
        read=Call(operation="describe_pod_identity_association"),
        answer="association",
        delete=(Call(operation="delete_pod_identity_association", takes=frozenset()),),
        identity={"clusterName": "clusterName", "associationId": "id"},
        id="answer.association.associationId",
        tagging=Tagging(
            add="tag_resource",
            remove="untag_resource",
            target="resourceArn",
            source="associationArn",
            keys="tagKeys",
        ),
    ),
)
