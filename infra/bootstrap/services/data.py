"""The services that hold the state: database, cache, their credentials, and the scaling of readers."""

from collections.abc import Mapping

from infra.bootstrap.services.grant import Grant, Service

SERVICES: Mapping[str, Service] = {
    "rds": Service(
        reads=("Describe*", "ListTagsForResource"),
        changes=(
            Grant(
                sid="DatabaseMade",
                need="the database with its instances, parameters, subnets and snapshots",
                actions=(
                    "AddTagsToResource",
                    "CreateDBCluster",
                    "CreateDBClusterParameterGroup",
                    "CreateDBClusterSnapshot",
                    "CreateDBInstance",
                    "CreateDBParameterGroup",
                    "CreateDBSubnetGroup",
                    "CreateGlobalCluster",
                    "DeleteDBCluster",
                    "DeleteDBClusterParameterGroup",
                    "DeleteDBInstance",
                    "DeleteDBParameterGroup",
                    "DeleteDBSubnetGroup",
                    "DeleteGlobalCluster",
                    "ModifyDBCluster",
                    "ModifyDBClusterParameterGroup",
                    "ModifyDBInstance",
                    "ModifyDBParameterGroup",
                    "ModifyDBSubnetGroup",
                    "ModifyGlobalCluster",
                    "RebootDBInstance",
                    "RemoveFromGlobalCluster",
                    "RemoveTagsFromResource",
                    "ResetDBClusterParameterGroup",
                    "ResetDBParameterGroup",
                    "RestoreDBClusterFromSnapshot",
                    "RestoreDBClusterToPointInTime",
                ),
                resources=(
                    "arn:{partition}:rds:*:{account}:*:vanta-{stack}-*",
                    # A standby's cluster joins the global one of the stack that it follows.
                    "arn:{partition}:rds::{account}:global-cluster:vanta-{primary}-*",
                    # What a restored cluster is made from may be a snapshot that AWS named.
                    "arn:{partition}:rds:*:{account}:cluster-snapshot:rds:vanta-{stack}-*",
                    "arn:{partition}:rds:*:{account}:pg:default.*",
                    "arn:{partition}:rds:*:{account}:cluster-pg:default.*",
                    "arn:{partition}:rds:*:{account}:og:default:*",
                ),
            ),
        ),
        passed_to=("monitoring.rds.amazonaws.com",),
        linked=("rds.amazonaws.com",),
    ),
    "elasticache": Service(
        reads=("Describe*", "ListTagsForResource"),
        changes=(
            Grant(
                sid="CacheMade",
                need="the cache with its parameters and subnets",
                actions=(
                    "AddTagsToResource",
                    "CreateCacheParameterGroup",
                    "CreateCacheSubnetGroup",
                    "CreateReplicationGroup",
                    "CreateSnapshot",
                    "DecreaseReplicaCount",
                    "DeleteCacheParameterGroup",
                    "DeleteCacheSubnetGroup",
                    "DeleteReplicationGroup",
                    "IncreaseReplicaCount",
                    "ModifyCacheParameterGroup",
                    "ModifyCacheSubnetGroup",
                    "ModifyReplicationGroup",
                    "ModifyReplicationGroupShardConfiguration",
                    "RemoveTagsFromResource",
                    "ResetCacheParameterGroup",
                ),
                resources=("arn:{partition}:elasticache:*:{account}:*:vanta-{stack}-*",),
            ),
        ),
        linked=("elasticache.amazonaws.com",),
    ),
    "application-autoscaling": Service(
        reads=("Describe*", "ListTagsForResource"),
        changes=(
            Grant(
                sid="ReadersScaled",
                need="the number of the database's readers follows its load",
                actions=(
                    "DeleteScalingPolicy",
                    "DeregisterScalableTarget",
                    "PutScalingPolicy",
                    "RegisterScalableTarget",
                    "TagResource",
                    "UntagResource",
                ),
                resources=("arn:{partition}:application-autoscaling:*:{account}:scalable-target/*",),
                condition={"StringEqualsIfExists": {"application-autoscaling:service-namespace": "rds"}},
            ),
        ),
        linked=("rds.application-autoscaling.amazonaws.com",),
    ),
    "secretsmanager": Service(
        reads=("DescribeSecret", "GetResourcePolicy", "GetSecretValue", "ListSecretVersionIds"),
        read_from=("arn:{partition}:secretsmanager:*:{account}:secret:vanta-{stack}-*",),
        changes=(
            Grant(
                sid="SecretsMade",
                need="the credentials of the app for database and cache",
                actions=(
                    "CancelRotateSecret",
                    "CreateSecret",
                    "DeleteSecret",
                    "PutSecretValue",
                    "RemoveRegionsFromReplication",
                    "ReplicateSecretToRegions",
                    "RotateSecret",
                    "TagResource",
                    "UntagResource",
                    "UpdateSecret",
                    "UpdateSecretVersionStage",
                ),
                resources=("arn:{partition}:secretsmanager:*:{account}:secret:vanta-{stack}-*",),
            ),
            Grant(
                sid="MasterSecretMade",
                need="RDS makes the master user's secret in the name of whoever makes the cluster, who cannot read it",
                actions=("CreateSecret", "RotateSecret", "TagResource"),
                resources=("arn:{partition}:secretsmanager:*:{account}:secret:rds!*",),
            ),
        ),
    ),
}
