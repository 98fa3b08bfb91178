"""The keys: one per class of data, so that who may decrypt one class says nothing about the others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pulumi
import pulumi_aws as aws

from infra.aws.key_policies import (
    Statements,
    administration,
    cluster,
    direct_use,
    evidence,
    log_delivery,
    publication,
    replication,
    through,
)
from infra.aws.options import holding_data
from infra.aws.place import Place
from infra.aws.policy_document import Statement, document
from infra.names import Classification, Layer, Names
from infra.settings.lifetime import Lifetime

CLASSES = ("state", "secrets", "archive", "audit", "evidence", "logs", "notifications", "application")


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """Inputs of :class:`Keys`; a deleted key can be brought back for ``deletion_days``.

    Classes ``registry``, ``cluster`` and ``backup`` have a key only if asked for. With a ``recovery_region`` the classes of which copies are kept there get a replica of their key there.
    ``held`` are the ARNs of keys by class that another stack keeps in this region, and that are used instead of own ones.
    """

    names: Names
    place: Place
    lifetime: Lifetime
    deletion_days: int
    rotation_days: int
    registry: bool = False
    cluster: bool = False
    backup: bool = False
    recovery_region: str = ""
    held: Mapping[str, str] = field(default_factory=dict)


class Keys(pulumi.ComponentResource):
    """Customer-managed keys for each class of data.

    ``state`` encrypts the database, its backups and the cache; ``secrets`` what Secrets Manager holds; ``archive`` and
    ``audit`` their buckets; ``evidence`` what AWS itself records of the account; ``logs`` what CloudWatch Logs keeps; ``notifications`` what alarms tell people;
    ``application`` is for envelopes that the app makes itself; ``registry`` encrypts images, and ``cluster`` the secrets of
    Kubernetes and the volumes of nodes and pods: ``backup`` its vaults: they are None where there is no such thing. Every other attribute is the key's ARN; ``copies`` are the ARNs
    of the replicas by class, and empty without a recovery region. An identity needs IAM permission in addition to what a
    key policy allows, and all keys but ``application`` serve only requests that come through the services named in their
    policy.

    Produces a ``Key`` (rotating) and an ``Alias`` ``alias/vanta-<stack>-<class>`` for each, and in the recovery region a
    ``ReplicaKey`` with an alias of the same name for each class that is copied.

    Source: AWS KMS Developer Guide, "Key policies in AWS KMS", "kms:ViaService" and "Multi-Region keys in AWS KMS".
    """

    state: pulumi.Output[str]
    secrets: pulumi.Output[str]
    archive: pulumi.Output[str]
    audit: pulumi.Output[str]
    evidence: pulumi.Output[str]
    logs: pulumi.Output[str]
    notifications: pulumi.Output[str]
    application: pulumi.Output[str]
    registry: pulumi.Output[str] | None
    cluster: pulumi.Output[str] | None
    backup: pulumi.Output[str] | None
    copies: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Keys", name, None, opts)
        self._args = args
        self.copies = {}

        self.state = self._key("state", "state", "restricted", through("rds", "elasticache"))
        # RDS makes the secret of the master user, on behalf of whoever deploys the cluster.
        self.secrets = self._key(
            "secrets", "state", "restricted", through("secretsmanager", "rds"), copied=True
        )
        self.archive = self._key("archive", "analytics", "confidential", through("s3"), copied=True)
        self.audit = self._key("audit", "audit", "restricted", through("s3"), copied=True)
        self.evidence = self._key("evidence", "audit", "restricted", evidence(args.names.of("trail")))
        self.logs = self._key("logs", "foundation", "confidential", log_delivery)
        # The alarms on what arrives in the recovery region stand there, and a topic beside them.
        self.notifications = self._key("notifications", "foundation", "internal", publication, copied=True)
        self.application = self._key("application", "state", "restricted", direct_use, copied=True)
        self.registry = (
            self._key("registry", "foundation", "internal", through("ecr")) if args.registry else None
        )
        self.cluster = self._key("cluster", "foundation", "restricted", cluster) if args.cluster else None
        self.backup = (
            self._key("backup", "state", "restricted", through("backup", "rds"), copied=True)
            if args.backup
            else None
        )

        self.register_outputs({noun: getattr(self, noun) for noun in CLASSES} | {"copies": self.copies})

    @property
    def secret_copies(self) -> dict[str, pulumi.Output[str]]:
        """The regions that hold copies of secrets, each with the ARN of the key that encrypts them there."""
        return {self._args.recovery_region: self.copies["secrets"]} if self.copies else {}

    def _key(
        self,
        noun: str,
        layer: Layer,
        classification: Classification,
        statements: Statements,
        *,
        copied: bool = False,
    ) -> pulumi.Output[str]:
        args = self._args
        if noun in args.held:
            return pulumi.Output.from_input(args.held[noun])
        tags = args.names.tags(layer=layer, classification=classification)
        copying = copied and args.recovery_region != ""
        own = statements(args.place)
        if copying:
            own = [replication(args.place, args.recovery_region), *own]
        key = aws.kms.Key(
            noun,
            description=f"{args.names.of(noun)}: encrypts the data class {noun}",
            # A key is of one region or of several for good: to begin with copies later would replace it.
            multi_region=copied,
            deletion_window_in_days=args.deletion_days,
            enable_key_rotation=True,
            rotation_period_in_days=args.rotation_days,
            policy=_policy(args.place, own),
            tags=tags,
            opts=holding_data(self, lifetime=args.lifetime),
        )
        aws.kms.Alias(
            noun,
            name=f"alias/{args.names.of(noun)}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        if copying:
            self.copies[noun] = self._replica(noun, key.arn, statements, tags)
        return key.arn

    def _replica(
        self, noun: str, key_arn: pulumi.Output[str], statements: Statements, tags: dict[str, str]
    ) -> pulumi.Output[str]:
        """The same key, with the same rotation, in the recovery region; its policy names the services of that region."""
        args, region = self._args, self._args.recovery_region
        place = replace(args.place, region=region)
        key = aws.kms.ReplicaKey(
            f"{noun}-copy",
            region=region,
            primary_key_arn=key_arn,
            description=f"{args.names.of(noun)}: decrypts the copies of the data class {noun}",
            deletion_window_in_days=args.deletion_days,
            policy=_policy(place, statements(place)),
            tags=tags,
            opts=holding_data(self, lifetime=args.lifetime),
        )
        aws.kms.Alias(
            f"{noun}-copy",
            region=region,
            name=f"alias/{args.names.of(noun)}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return key.arn


def _policy(place: Place, statements: list[Statement]) -> str:
    return json.dumps(document(administration(place), *statements))
