"""Who may do what with a key: statements of key policies, for the place where the key stands."""

from collections.abc import Callable

from infra.aws.place import Place
from infra.aws.policy_document import Statement

# Which service is named how depends on the region, and a replica stands in another one than its primary.
Statements = Callable[[Place], list[Statement]]

# AWS KMS Developer Guide, "Allows key administrators to administer the KMS key", less its `kms:Create*`: that contains
# CreateGrant, with which an administrator could hand himself the use of the key.
ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:Delete*",
    "kms:Describe*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:Get*",
    "kms:List*",
    "kms:Put*",
    "kms:Revoke*",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Update*",
]
USE = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]


def administration(place: Place) -> Statement:
    """Care for the key by identities of the account, as their IAM policies say; not its use."""
    return {
        "Sid": "AdministeredThroughIam",
        "Effect": "Allow",
        "Principal": account(place),
        "Action": ADMINISTRATION,
        "Resource": "*",
    }


def replication(place: Place, region: str) -> Statement:
    """The making of a replica, in ``region`` and nowhere else.

    Source: AWS KMS Developer Guide, "Control access to multi-Region keys".
    """
    return {
        "Sid": "CopiedToTheRecoveryRegion",
        "Effect": "Allow",
        "Principal": account(place),
        "Action": "kms:ReplicateKey",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ReplicaRegion": region}},
    }


def account(place: Place) -> dict[str, str]:
    """The account as principal: IAM policies of the account decide who of it may."""
    return {"AWS": f"arn:{place.partition}:iam::{place.account_id}:root"}


def through(*services: str) -> Statements:
    """Use by the account's identities, but only inside requests that these services make for them."""

    def statements(place: Place) -> list[Statement]:
        via = {"kms:ViaService": [f"{service}.{place.region}.amazonaws.com" for service in services]}
        return [
            {
                "Sid": "UsedThroughServices",
                "Effect": "Allow",
                "Principal": account(place),
                "Action": USE,
                "Resource": "*",
                "Condition": {"StringEquals": via},
            },
            {
                # A database keeps its volume open with a grant; nobody may hand one to an identity.
                "Sid": "GrantsForServices",
                "Effect": "Allow",
                "Principal": account(place),
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {"StringEquals": via, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
        ]

    return statements


def direct_use(place: Place) -> list[Statement]:
    """Use by identities of the account; every envelope names its tenant, so that every decryption does in CloudTrail."""
    return [
        {
            "Sid": "UsedByTheApp",
            "Effect": "Allow",
            "Principal": account(place),
            "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"Null": {"kms:EncryptionContext:tenant": "false"}},
        }
    ]


def log_delivery(place: Place) -> list[Statement]:
    """CloudWatch Logs itself, for log groups of this account.

    Source: Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
    """
    log_groups = f"arn:{place.partition}:logs:{place.region}:{place.account_id}:log-group:*"
    return [
        {
            "Sid": "UsedByCloudWatchLogs",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{place.region}.amazonaws.com"},
            "Action": USE,
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        }
    ]


def publication(place: Place) -> list[Statement]:
    """Who publishes to an encrypted topic: alarms, event rules and budgets of this account, and its identities through SNS.

    SNS supports no source condition for rules; that its own context names a topic of this account does for them.

    Source: Amazon SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted
    topics"; AWS Cost Management User Guide, "Creating an Amazon SNS topic for budget notifications".
    """
    of_this_account = {"StringEquals": {"aws:SourceAccount": place.account_id}}
    for_its_topics = {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": place.arn("sns", "*")}}
    through_sns = {"StringEquals": {"kms:ViaService": f"sns.{place.region}.amazonaws.com"}}
    users = {
        "UsedByAlarms": ({"Service": "cloudwatch.amazonaws.com"}, of_this_account),
        "UsedByBudgets": ({"Service": "budgets.amazonaws.com"}, of_this_account),
        "UsedByRules": ({"Service": "events.amazonaws.com"}, for_its_topics),
        "UsedThroughTopics": (account(place), through_sns),
    }
    return [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": principal,
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": condition,
        }
        for sid, (principal, condition) in users.items()
    ]


def evidence(trail: str) -> Statements:
    """The trail of that name encrypts what it delivers; identities of the account read it, and deliver, through S3 alone.

    Source: AWS CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail".
    """

    def statements(place: Place) -> list[Statement]:
        principal = {"Service": "cloudtrail.amazonaws.com"}
        of_the_trail = {"aws:SourceArn": place.arn("cloudtrail", f"trail/{trail}")}
        trails = f"arn:{place.partition}:cloudtrail:*:{place.account_id}:trail/*"
        return [
            {
                "Sid": "UsedByTheTrail",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "kms:GenerateDataKey*",
                "Resource": "*",
                "Condition": {
                    "StringEquals": of_the_trail,
                    "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails},
                },
            },
            {
                "Sid": "DescribedToTheTrail",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "kms:DescribeKey",
                "Resource": "*",
                "Condition": {"StringEquals": of_the_trail},
            },
            *through("s3")(place),
        ]

    return statements


def cluster(place: Place) -> list[Statement]:
    """Use by EKS for the secrets of Kubernetes, by EC2 for the volumes of pods, and for those of nodes.

    Nodes are started by a role of EC2 Auto Scaling, which no IAM policy of ours reaches and which does not exist before
    the first group of an account: it cannot be the principal, as the one of AWS's own key for volumes is none either.

    Source: Amazon EC2 Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes"; Amazon EKS
    User Guide, "Encrypt Kubernetes secrets with KMS on existing clusters".
    """
    role = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    scaling = {
        "kms:CallerAccount": place.account_id,
        "aws:PrincipalArn": f"arn:{place.partition}:iam::{place.account_id}:{role}",
    }
    nodes: Statement = {
        "Sid": "UsedForNodes",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": USE,
        "Resource": "*",
        "Condition": {"StringEquals": scaling},
    }
    grants: Statement = {
        "Sid": "GrantsForNodes",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {"StringEquals": scaling, "Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
    secrets: Statement = {
        # EKS asks for it as whoever makes the cluster, and AWS supports no narrower condition: IAM says who that is.
        "Sid": "GrantsForKubernetes",
        "Effect": "Allow",
        "Principal": account(place),
        "Action": "kms:CreateGrant",
        "Resource": "*",
    }
    return [*through("ec2")(place), secrets, nodes, grants]
