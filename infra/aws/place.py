"""Where the stack is deployed: asked once, as plain values, before anything is registered."""

from dataclasses import dataclass

import pulumi_aws as aws

from infra.refusal import refusal


@dataclass(frozen=True, kw_only=True)
class Place:
    """An account in a region; ``zones`` are as many availability zones as were asked for, in a stable order."""

    account_id: str
    partition: str
    region: str
    zones: tuple[str, ...]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something here, which need not exist yet."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"


def find(*, zones: int, account: str) -> Place:
    """The place that the provider's credentials and region name.

    Raises:
        SettingsError: the credentials are not of ``account``, or the region has fewer than ``zones`` availability zones.
    """
    account_id = aws.get_caller_identity().account_id
    if account not in ("", account_id):
        raise refusal(
            "account",
            account,
            f"but the credentials are of {account_id}",
            "Use those of the stack's own account, or another stack",
        )
    region = aws.get_region().region
    # Local and wavelength zones have to be opted into and offer neither Aurora nor ElastiCache.
    offered = aws.get_availability_zones(
        state="available", filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
    ).names
    if len(offered) < zones:
        raise refusal(
            "network.zones",
            zones,
            f"but {region} has {len(offered)}",
            f"Use {len(offered)} or another region",
        )
    return Place(
        account_id=account_id,
        partition=aws.get_partition().partition,
        region=region,
        zones=tuple(sorted(offered)[:zones]),
    )
