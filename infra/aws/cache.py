"""The cache: fast, encrypted, and rebuildable, so that nothing is lost with it but speed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import pulumi
import pulumi_aws as aws

from infra.aws.credential import Credential, CredentialArgs
from infra.names import Names
from infra.settings.cache import CacheSettings
from infra.settings.lifetime import Lifetime

ENGINE = "valkey"
# docs/adr/0004-cache-eviction.md: entries that expire may be evicted, least used first; streams and locks may not.
EVICTION = "volatile-lfu"


def sharded(settings: CacheSettings) -> bool:
    """Whether keys are spread over shards, which clients then have to follow."""
    return settings.shards > 1


def node_identifiers(name: str, identifier: str, settings: CacheSettings) -> dict[str, str]:
    """From the noun of each node to the identifier that ElastiCache gives it within the group ``identifier``."""
    numbers = [f"{node:03}" for node in range(1, settings.nodes + 1)]
    if sharded(settings):
        numbers = [f"{shard:04}-{node}" for shard in range(1, settings.shards + 1) for node in numbers]
    return {f"{name}-{number}": f"{identifier}-{number}" for number in numbers}


@dataclass(frozen=True, kw_only=True)
class CacheArgs:
    """Inputs of :class:`Cache`; key ARNs are those of the data classes they are named after.

    ``secret_copies`` are the regions that get copies of its secrets, each with the ARN of their key there.
    """

    names: Names
    settings: CacheSettings
    lifetime: Lifetime
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    state_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    secret_copies: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Cache(pulumi.ComponentResource):
    """An ElastiCache replication group that speaks the Redis protocol over TLS to those who know its token.

    Produces ``SubnetGroup``, ``ParameterGroup``, ``ReplicationGroup`` (failing over by itself when it has more than one
    node) and the :class:`Credential` of the token; its secret holds ``{"authToken"}``. With shards, both endpoints are
    the one by which clients of the cluster protocol find every shard.

    Source: Amazon ElastiCache User Guide, "Authenticating with the Valkey and Redis OSS AUTH command".
    """

    endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    port: pulumi.Output[int]
    secret_arn: pulumi.Output[str]

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Cache", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = args.names.tags(layer="state", classification="restricted")
        settings, identifier = args.settings, args.names.of(name)
        family = f"{ENGINE}{settings.engine_version.split('.')[0]}"

        token = Credential(
            "cache-auth",
            CredentialArgs(
                names=args.names,
                lifetime=args.lifetime,
                kms_key_arn=args.secrets_key_arn,
                copies=args.secret_copies,
                description="The token by which the state API logs in to the cache",
                length=settings.auth_token_length,
                document=lambda password: {"authToken": password},
            ),
            opts=child,
        )
        shards = sharded(settings)
        values = {"maxmemory-policy": EVICTION} | ({"cluster-enabled": "yes"} if shards else {})
        subnets = aws.elasticache.SubnetGroup(
            name,
            name=identifier,
            description="The isolated data subnets",
            subnet_ids=list(args.subnet_ids),
            tags=tags,
            opts=child,
        )
        parameters = aws.elasticache.ParameterGroup(
            name,
            # The family is in the name so that the groups of two major versions can exist during an upgrade.
            name=f"{identifier}-{family}-sharded" if shards else f"{identifier}-{family}",
            family=family,
            description="Evicts only what would expire",
            parameters=[{"name": key, "value": value} for key, value in values.items()],
            tags=tags,
            opts=child,
        )
        group = aws.elasticache.ReplicationGroup(
            name,
            replication_group_id=identifier,
            description=f"The cache of {identifier.removesuffix(f'-{name}')}",
            engine=ENGINE,
            engine_version=settings.engine_version,
            node_type=settings.node_type,
            num_cache_clusters=None if shards else settings.nodes,
            num_node_groups=settings.shards if shards else None,
            replicas_per_node_group=settings.nodes - 1 if shards else None,
            # ElastiCache refuses shards that do not, even when there is nothing to fail over to.
            automatic_failover_enabled=shards or settings.nodes > 1,
            multi_az_enabled=settings.nodes > 1,
            parameter_group_name=parameters.name,
            subnet_group_name=subnets.name,
            security_group_ids=[args.security_group_id],
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            auth_token=token.password,
            # A new token is accepted beside the old one until every client has read it.
            auth_token_update_strategy="ROTATE",  # noqa: S106  # a strategy, not a token
            at_rest_encryption_enabled=True,
            kms_key_id=args.state_key_arn,
            # A warm start after a loss, not a backup: PostgreSQL has everything that is in here.
            snapshot_retention_limit=settings.snapshot_days,
            auto_minor_version_upgrade=True,
            apply_immediately=not args.lifetime.protected,
            tags=tags,
            # It holds nothing that cannot be rebuilt, and two groups cannot have the same name.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

        if shards:
            self.endpoint = self.reader_endpoint = group.configuration_endpoint_address
        else:
            self.endpoint, self.reader_endpoint = (
                group.primary_endpoint_address,
                group.reader_endpoint_address,
            )
        # The SDK types it as what may be given; what comes back always has it.
        self.port, self.secret_arn = cast("pulumi.Output[int]", group.port), token.arn
        self.register_outputs({"endpoint": self.endpoint, "secretArn": self.secret_arn})
