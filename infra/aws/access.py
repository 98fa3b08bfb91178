"""Who may connect to what: pairs of security group rules, because both sides have to say so."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.names import Names

POSTGRESQL_PORT = 5432
REDIS_PORT = 6379
HTTPS_PORT = 443
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class Access:
    """The security group of a ``client``, from which the rules of one component are made; ``child`` are their options."""

    names: Names
    client: str
    group_id: pulumi.Input[str]
    child: pulumi.ResourceOptions

    def to_group(
        self, noun: str, group_id: pulumi.Input[str], port: int, last_port: int | None = None
    ) -> None:
        """Connections from the client to the members of a group, on one TCP port or all up to ``last_port``."""
        aws.vpc.SecurityGroupIngressRule(
            f"{noun}-from-{self.client}",
            security_group_id=group_id,
            referenced_security_group_id=self.group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=last_port or port,
            description=f"From the {self.client}",
            tags=self._tags(f"{noun}-from-{self.client}"),
            opts=self.child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self.client}-to-{noun}",
            security_group_id=self.group_id,
            referenced_security_group_id=group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=last_port or port,
            description=f"To the {noun}",
            tags=self._tags(f"{self.client}-to-{noun}"),
            opts=self.child,
        )

    def to_prefix_list(self, noun: str, prefix_list_id: pulumi.Input[str], port: int) -> None:
        """Connections from the client to the addresses of an AWS service, which has no group of its own."""
        aws.vpc.SecurityGroupEgressRule(
            f"{self.client}-to-{noun}",
            security_group_id=self.group_id,
            prefix_list_id=prefix_list_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"To {noun}",
            tags=self._tags(f"{self.client}-to-{noun}"),
            opts=self.child,
        )

    def to_internet(self, port: int) -> None:
        """Connections from the client to wherever its routes lead, on one TCP port only."""
        aws.vpc.SecurityGroupEgressRule(
            f"{self.client}-to-internet",
            security_group_id=self.group_id,
            cidr_ipv4=ANYWHERE,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="To the internet",
            tags=self._tags(f"{self.client}-to-internet"),
            opts=self.child,
        )

    def among_members(self) -> None:
        """Everything between the members of the client's own group."""
        aws.vpc.SecurityGroupIngressRule(
            f"{self.client}-from-{self.client}",
            security_group_id=self.group_id,
            referenced_security_group_id=self.group_id,
            ip_protocol="-1",
            description="From each other",
            tags=self._tags(f"{self.client}-from-{self.client}"),
            opts=self.child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self.client}-to-{self.client}",
            security_group_id=self.group_id,
            referenced_security_group_id=self.group_id,
            ip_protocol="-1",
            description="To each other",
            tags=self._tags(f"{self.client}-to-{self.client}"),
            opts=self.child,
        )

    def _tags(self, name: str) -> dict[str, str]:
        return self.names.tags(layer="foundation", classification="internal", name=name)
