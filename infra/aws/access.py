"""Who may connect to what: pairs of security group rules, because both sides have to say so."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.names import Names

POSTGRESQL_PORT = 5432
REDIS_PORT = 6379
HTTPS_PORT = 443
ANYWHERE = "0.0.0.0/0"


def security_group(
    noun: str,
    description: str,
    *,
    names: Names,
    vpc_id: pulumi.Input[str],
    child: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """The id of a security group without rules, and without the way out that AWS would give it by default."""
    return aws.ec2.SecurityGroup(
        noun,
        name=names.of(noun),
        description=description,
        vpc_id=vpc_id,
        tags=names.tags(layer="foundation", classification="internal", name=noun),
        opts=child,
    ).id


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
        self._out(noun, f"To the {noun}", port, last_port or port, referenced_security_group_id=group_id)

    def to_prefix_list(self, noun: str, prefix_list_id: pulumi.Input[str], port: int) -> None:
        """Connections from the client to the addresses of an AWS service, which has no group of its own."""
        self._out(noun, f"To {noun}", port, port, prefix_list_id=prefix_list_id)

    def to_internet(self, port: int) -> None:
        """Connections from the client to wherever its routes lead, on one TCP port only."""
        self._out("internet", "To the internet", port, port, cidr_ipv4=ANYWHERE)

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

    def _out(
        self,
        noun: str,
        description: str,
        first_port: int,
        last_port: int,
        **destination: pulumi.Input[str],
    ) -> None:
        """Connections from the client to ``destination``, of which AWS takes one: a group, a prefix list or a range."""
        aws.vpc.SecurityGroupEgressRule(
            f"{self.client}-to-{noun}",
            security_group_id=self.group_id,
            **destination,
            ip_protocol="tcp",
            from_port=first_port,
            to_port=last_port,
            description=description,
            tags=self._tags(f"{self.client}-to-{noun}"),
            opts=self.child,
        )

    def _tags(self, name: str) -> dict[str, str]:
        return self.names.tags(layer="foundation", classification="internal", name=name)
