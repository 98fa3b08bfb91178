"""A role that a service of AWS takes, for this account's own resources alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.policy_document import Statement, document
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class ServiceRoleArgs:
    """Inputs of :class:`ServiceRole`.

    ``trust`` is who takes it; it may what the AWS managed policies ``managed`` (ARNs) and the ``statements`` allow.
    """

    names: Names
    description: str
    trust: Statement
    managed: Sequence[str] = ()
    statements: Sequence[Statement] = ()


class ServiceRole(pulumi.ComponentResource):
    """A role and all it may do.

    Produces ``Role``, a ``RolePolicyAttachment`` for each managed policy, and a ``RolePolicy`` if there are statements.
    ``ready`` is what has to exist before the role can do its work, and what is given its ``arn`` waits for: AWS refuses, or
    fails later, where a service takes a role that may not do anything yet.

    Source: AWS IAM User Guide, "Create a role to delegate permissions to an AWS service".
    """

    arn: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: ServiceRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:ServiceRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

        role = aws.iam.Role(
            name,
            name=args.names.of(name),
            description=args.description,
            assume_role_policy=json.dumps(document(args.trust)),
            tags=args.names.tags(layer="foundation", classification="internal", name=name),
            opts=child,
        )
        granted: list[pulumi.Resource] = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{policy.rsplit('/', maxsplit=1)[-1]}", role=role.name, policy_arn=policy, opts=child
            )
            for policy in args.managed
        ]
        if args.statements:
            granted.append(
                aws.iam.RolePolicy(
                    name,
                    name=args.names.of(name),
                    role=role.name,
                    policy=pulumi.Output.json_dumps(document(*args.statements)),
                    opts=child,
                )
            )
        self.arn, self.ready = role.arn, [role, *granted]
        self.register_outputs({"arn": self.arn})
