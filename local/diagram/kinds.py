"""What a resource is for, which decides its colour."""

from enum import StrEnum


class Kind(StrEnum):
    """The kinds that the legend explains, in its order."""

    DATA = "data"
    KEY = "key"
    NETWORK = "network"
    ACCESS = "access"
    OBSERVATION = "observation"
    COMPUTE = "compute"
    SETTING = "setting"


MEANING = {
    Kind.DATA: "holds data",
    Kind.KEY: "keys and secrets",
    Kind.NETWORK: "network",
    Kind.ACCESS: "who may",
    Kind.OBSERVATION: "what is seen",
    Kind.COMPUTE: "runs code",
    Kind.SETTING: "shapes another",
}

# By the whole label where the noun decides, ...
_NOUNS = {
    "s3 Bucket": Kind.DATA,
    "rds Cluster": Kind.DATA,
    "rds ClusterInstance": Kind.DATA,
    "rds GlobalCluster": Kind.DATA,
    "elasticache ReplicationGroup": Kind.DATA,
    "elasticache GlobalReplicationGroup": Kind.DATA,
    "s3 BucketPolicy": Kind.ACCESS,
    "s3 BucketPublicAccessBlock": Kind.ACCESS,
    "s3 BucketOwnershipControls": Kind.ACCESS,
    "s3 BucketLogging": Kind.OBSERVATION,
    "s3 BucketMetric": Kind.OBSERVATION,
    "s3 Inventory": Kind.OBSERVATION,
    "ec2 FlowLog": Kind.OBSERVATION,
    "rds SubnetGroup": Kind.NETWORK,
    "elasticache SubnetGroup": Kind.NETWORK,
    "ecr Repository": Kind.DATA,
    "random RandomPassword": Kind.KEY,
}
# ... else by its service; what is in neither shapes another resource.
_SERVICES = {
    **dict.fromkeys(("backup", "dynamodb", "efs"), Kind.DATA),
    **dict.fromkeys(("kms", "secretsmanager", "acm"), Kind.KEY),
    **dict.fromkeys(("ec2", "vpc", "route53", "lb", "ec2transitgateway"), Kind.NETWORK),
    **dict.fromkeys(("iam", "wafv2"), Kind.ACCESS),
    **dict.fromkeys(
        ("cloudwatch", "sns", "cloudtrail", "guardduty", "cfg", "budgets", "synthetics"), Kind.OBSERVATION
    ),
    **dict.fromkeys(("eks", "lambda", "appautoscaling", "autoscaling"), Kind.COMPUTE),
}


def kind_of(label: str) -> Kind:
    """The kind of a resource with this label, e.g. ``s3 Bucket``."""
    return _NOUNS.get(label) or _SERVICES.get(label.split(" ", maxsplit=1)[0], Kind.SETTING)
