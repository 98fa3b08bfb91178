"""The Kubernetes cluster and the registry of its images."""

from collections.abc import Mapping

from infra.bootstrap.services.grant import Grant, Service

_REPOSITORIES = (
    "arn:{partition}:ecr:*:{account}:repository/vanta-{stack}-*",
    "arn:{partition}:ecr:*:{account}:repository/vanta-{stack}/*",
)

SERVICES: Mapping[str, Service] = {
    "ecr": Service(
        reads=(
            "Describe*",
            "GetLifecyclePolicy",
            "GetRegistryPolicy",
            "GetRegistryScanningConfiguration",
            "GetRepositoryPolicy",
            "ListTagsForResource",
        ),
        changes=(
            Grant(
                sid="RepositoriesMade",
                need="the repository of the image; no image",
                actions=(
                    "CreateRepository",
                    "DeleteLifecyclePolicy",
                    "DeleteRepository",
                    "DeleteRepositoryPolicy",
                    "PutImageScanningConfiguration",
                    "PutImageTagMutability",
                    "PutLifecyclePolicy",
                    "SetRepositoryPolicy",
                    "TagResource",
                    "UntagResource",
                ),
                resources=_REPOSITORIES,
            ),
            Grant(
                sid="RegistryConfigured",
                need="scanning, copies and the cache of public images are the registry's, which has no name",
                actions=(
                    "CreatePullThroughCacheRule",
                    "CreateRepositoryCreationTemplate",
                    "DeletePullThroughCacheRule",
                    "DeleteRepositoryCreationTemplate",
                    "PutRegistryScanningConfiguration",
                    "PutReplicationConfiguration",
                    "UpdatePullThroughCacheRule",
                    "UpdateRepositoryCreationTemplate",
                ),
            ),
        ),
        passed_to=("ecr.amazonaws.com",),
        linked=("pullthroughcache.ecr.amazonaws.com", "replication.ecr.amazonaws.com"),
    ),
    "inspector2": Service(
        reads=("ListAccountPermissions",),
        changes=(
            Grant(
                sid="ImagesInspected",
                need="enhanced scanning of the registry is Amazon Inspector's, which is on or off for the account",
                actions=("Disable", "Enable"),
            ),
        ),
        linked=("inspector2.amazonaws.com",),
    ),
    "eks": Service(
        reads=("Describe*", "List*"),
        changes=(
            Grant(
                sid="ClusterMade",
                need="the cluster with its nodes, add-ons, and who may enter",
                actions=(
                    "AssociateAccessPolicy",
                    "CreateAccessEntry",
                    "CreateAddon",
                    "CreateCluster",
                    "CreateNodegroup",
                    "CreatePodIdentityAssociation",
                    "DeleteAccessEntry",
                    "DeleteAddon",
                    "DeleteCluster",
                    "DeleteNodegroup",
                    "DeletePodIdentityAssociation",
                    "DisassociateAccessPolicy",
                    "TagResource",
                    "UntagResource",
                    "UpdateAccessEntry",
                    "UpdateAddon",
                    "UpdateClusterConfig",
                    "UpdateClusterVersion",
                    "UpdateNodegroupConfig",
                    "UpdateNodegroupVersion",
                    "UpdatePodIdentityAssociation",
                ),
                resources=("arn:{partition}:eks:*:{account}:*/vanta-{stack}-*",),
            ),
        ),
        # The roles of the control plane, of the nodes and of pods.
        passed_to=("ec2.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com"),
        linked=("eks.amazonaws.com", "eks-nodegroup.amazonaws.com"),
    ),
}
