"""The keys: one per class of data, so that who may decrypt one class says nothing about the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.options import holding_data
from infra.aws.place import Place
from infra.names import Classification, Layer, Names
from infra.settings.lifetime import Lifetime

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


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """Inputs of :class:`Keys`; a deleted key can be brought back for ``deletion_days``."""

    names: Names
    place: Place
    lifetime: Lifetime
    deletion_days: int
    rotation_days: int


class Keys(pulumi.ComponentResource):
    """Customer-managed keys for each class of data.

    ``state`` encrypts the database, its backups and the cache; ``secrets`` what Secrets Manager holds; ``archive`` and
    ``audit`` their buckets; ``logs`` what CloudWatch Logs keeps; ``notifications`` what alarms tell people;
    ``application`` is for envelopes that the app makes itself. Every attribute is the key's ARN. An identity needs IAM permission in addition to what a key policy allows,
    and all keys but ``application`` serve only requests that come through the services named in their policy.

    Produces a ``Key`` (rotating) and an ``Alias`` ``alias/vanta-<stack>-<class>`` for each.

    Source: AWS KMS Developer Guide, "Key policies in AWS KMS" and "kms:ViaService".
    """

    state: pulumi.Output[str]
    secrets: pulumi.Output[str]
    archive: pulumi.Output[str]
    audit: pulumi.Output[str]
    logs: pulumi.Output[str]
    notifications: pulumi.Output[str]
    application: pulumi.Output[str]

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Keys", name, None, opts)
        self._args = args

        self.state = self._key("state", "state", "restricted", self._through("rds", "elasticache"))
        # RDS makes the secret of the master user, on behalf of whoever deploys the cluster.
        self.secrets = self._key("secrets", "state", "restricted", self._through("secretsmanager", "rds"))
        self.archive = self._key("archive", "analytics", "confidential", self._through("s3"))
        self.audit = self._key("audit", "audit", "restricted", self._through("s3"))
        self.logs = self._key("logs", "foundation", "confidential", [self._log_delivery()])
        self.notifications = self._key("notifications", "foundation", "internal", [self._alarm_publication()])
        self.application = self._key("application", "state", "restricted", [self._direct_use()])

        self.register_outputs(
            {
                noun: getattr(self, noun)
                for noun in ("state", "secrets", "archive", "audit", "logs", "notifications", "application")
            }
        )

    def _key(
        self, noun: str, layer: Layer, classification: Classification, statements: Sequence[dict[str, Any]]
    ) -> pulumi.Output[str]:
        args = self._args
        key = aws.kms.Key(
            noun,
            description=f"{args.names.of(noun)}: encrypts the data class {noun}",
            deletion_window_in_days=args.deletion_days,
            enable_key_rotation=True,
            rotation_period_in_days=args.rotation_days,
            policy=pulumi.Output.json_dumps(
                {"Version": "2012-10-17", "Statement": [self._administration(), *statements]}
            ),
            tags=args.names.tags(layer=layer, classification=classification),
            opts=holding_data(self, lifetime=args.lifetime),
        )
        aws.kms.Alias(
            noun,
            name=f"alias/{args.names.of(noun)}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return key.arn

    @property
    def _account(self) -> dict[str, str]:
        """The account as principal: IAM policies of the account decide who of it may."""
        return {"AWS": f"arn:{self._args.place.partition}:iam::{self._args.place.account_id}:root"}

    def _administration(self) -> dict[str, Any]:
        return {
            "Sid": "AdministeredThroughIam",
            "Effect": "Allow",
            "Principal": self._account,
            "Action": ADMINISTRATION,
            "Resource": "*",
        }

    def _through(self, *services: str) -> list[dict[str, Any]]:
        """Use by the account's identities, but only inside requests that these services make for them."""
        via = {
            "kms:ViaService": [f"{service}.{self._args.place.region}.amazonaws.com" for service in services]
        }
        return [
            {
                "Sid": "UsedThroughServices",
                "Effect": "Allow",
                "Principal": self._account,
                "Action": USE,
                "Resource": "*",
                "Condition": {"StringEquals": via},
            },
            {
                # A database keeps its volume open with a grant; nobody may hand one to an identity.
                "Sid": "GrantsForServices",
                "Effect": "Allow",
                "Principal": self._account,
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {"StringEquals": via, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
        ]

    def _direct_use(self) -> dict[str, Any]:
        """Use by identities of the account; every envelope names its tenant, so that every decryption does in CloudTrail."""
        return {
            "Sid": "UsedByTheApp",
            "Effect": "Allow",
            "Principal": self._account,
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"Null": {"kms:EncryptionContext:tenant": "false"}},
        }

    def _log_delivery(self) -> dict[str, Any]:
        """CloudWatch Logs itself, for log groups of this account.

        Source: Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
        """
        place = self._args.place
        log_groups = f"arn:{place.partition}:logs:{place.region}:{place.account_id}:log-group:*"
        return {
            "Sid": "UsedByCloudWatchLogs",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{place.region}.amazonaws.com"},
            "Action": USE,
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        }

    def _alarm_publication(self) -> dict[str, Any]:
        """CloudWatch itself, to publish what alarms of this account say to an encrypted topic.

        Source: Amazon SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted
        topics".
        """
        return {
            "Sid": "UsedByAlarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": self._args.place.account_id}},
        }
