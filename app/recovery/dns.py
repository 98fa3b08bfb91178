"""Whom clients are led to: Route 53 asks the primary's health, and the standby answers when the primary is not well."""

from collections.abc import Mapping

import msgspec

from app.recovery import aws
from app.recovery.stacks import Stack

# Amazon Route 53 is global; its API is in this region.
_REGION = "us-east-1"


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The half of the clients' name that leads to a stack: ``role`` is PRIMARY or SECONDARY."""

    role: str
    health_check: str


class Dns:
    """The clients' name of two stacks.

    Source: Amazon Route 53 API, "UpdateHealthCheck"; Amazon Route 53 Developer Guide, "How Amazon Route 53 determines whether a
    health check is healthy".
    """

    def __init__(self) -> None:
        self._route53 = aws.client("route53", _REGION)

    def ways(self, stack: Stack) -> Mapping[str, Way]:
        """The halves of the name by stack."""
        with aws.asking(f"The records of {stack.host} cannot be read"):
            answer = self._route53.list_resource_record_sets(
                HostedZoneId=stack.zone_id, StartRecordName=stack.host, StartRecordType="A", MaxItems="10"
            )
        return {
            record["SetIdentifier"]: Way(role=record["Failover"], health_check=record["HealthCheckId"])
            for record in answer["ResourceRecordSets"]
            if record["Name"].rstrip(".") == stack.host and record.get("Failover")
        }

    def close(self, way: Way) -> None:
        """Lead nobody there, whatever it answers: a disabled check counts as healthy, and an inverted one as the opposite."""
        self._update(way, closed=True)

    def reopen(self, way: Way) -> None:
        """Let its health decide again."""
        self._update(way, closed=False)

    def _update(self, way: Way, *, closed: bool) -> None:
        with aws.asking(f"Health check {way.health_check} cannot be changed"):
            self._route53.update_health_check(
                HealthCheckId=way.health_check, Disabled=closed, Inverted=closed
            )
