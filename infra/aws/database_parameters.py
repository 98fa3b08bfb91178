"""How PostgreSQL is tuned: the parameter groups of a cluster and of its instances."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.names import Names
from infra.settings.database import DatabaseSettings

# After its worker died a transaction would hold its row locks for ever; no honest one idles for a minute.
_IDLE_TRANSACTION_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class ParametersArgs:
    """What both groups are made of."""

    names: Names
    engine: str
    settings: DatabaseSettings
    tags: Mapping[str, str]
    opts: pulumi.ResourceOptions

    @property
    def family(self) -> str:
        """The engine with its major version, as parameter groups know it."""
        return f"{self.engine}{self.settings.engine_version.split('.')[0]}"


def cluster_parameters(name: str, args: ParametersArgs) -> aws.rds.ClusterParameterGroup:
    """``log_statement`` stays off: it would write the passwords of CREATE ROLE into the log."""
    parameters = {
        "rds.force_ssl": "1",
        "log_min_duration_statement": str(args.settings.slow_query_ms),
        # A slow statement is logged without its parameters: they are the tenants' documents.
        "log_parameter_max_length": "0",
        "log_lock_waits": "1",
        "idle_in_transaction_session_timeout": str(_IDLE_TRANSACTION_MS),
    }
    return aws.rds.ClusterParameterGroup(
        name,
        # The family is in the name so that the groups of two major versions can exist during an upgrade.
        name=f"{args.names.of(name)}-{args.family}",
        family=args.family,
        description="TLS only; slow statements and lock waits logged without their parameters",
        parameters=[{"name": key, "value": value} for key, value in parameters.items()],
        tags=args.tags,
        opts=args.opts,
    )


def instance_parameters(name: str, args: ParametersArgs) -> aws.rds.ParameterGroup:
    """Empty for now: an instance can change its group's values while it runs, but not its group."""
    return aws.rds.ParameterGroup(
        name,
        name=f"{args.names.of(name)}-{args.family}",
        family=args.family,
        description="What is tuned for one instance",
        tags=args.tags,
        opts=args.opts,
    )
