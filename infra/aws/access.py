"""Who may connect to what: pairs of security group rules, because both sides have to say so."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.names import Names

POSTGRESQL_PORT = 5432
REDIS_PORT = 6379
HTTPS_PORT = 443


@dataclass(frozen=True, kw_only=True)
class AppAccess:
    """The app's security group, from which the rules of one component are made; ``child`` are their options."""

    names: Names
    app_group_id: pulumi.Input[str]
    child: pulumi.ResourceOptions

    def to_group(self, noun: str, group_id: pulumi.Input[str], port: int) -> None:
        """Connections from the app to the members of a group, on one TCP port only."""
        aws.vpc.SecurityGroupIngressRule(
            f"{noun}-from-app",
            security_group_id=group_id,
            referenced_security_group_id=self.app_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="From the app",
            tags=self._tags(f"{noun}-from-app"),
            opts=self.child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"app-to-{noun}",
            security_group_id=self.app_group_id,
            referenced_security_group_id=group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"To the {noun}",
            tags=self._tags(f"app-to-{noun}"),
            opts=self.child,
        )

    def to_prefix_list(self, noun: str, prefix_list_id: pulumi.Input[str], port: int) -> None:
        """Connections from the app to the addresses of an AWS service, which has no group of its own."""
        aws.vpc.SecurityGroupEgressRule(
            f"app-to-{noun}",
            security_group_id=self.app_group_id,
            prefix_list_id=prefix_list_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"To {noun}",
            tags=self._tags(f"app-to-{noun}"),
            opts=self.child,
        )

    def _tags(self, name: str) -> dict[str, str]:
        return self.names.tags(layer="foundation", classification="internal", name=name)
