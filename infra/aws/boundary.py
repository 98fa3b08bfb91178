"""The permissions boundary of every role that the stack makes, whichever component makes it."""

import pulumi

_ROLE = "aws:iam/role:Role"


def bound(policy_arn: str) -> None:
    """Give each role that is declared from here on the policy as its permissions boundary.

    A stack's deployment may create roles only with the boundary that the bootstrap made for it; a component that forgot it
    would fail in AWS alone.

    Source: AWS IAM User Guide, "Permissions boundaries for IAM entities".
    """

    def give(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != _ROLE:
            return None
        props = {**args.props, "permissions_boundary": policy_arn}
        return pulumi.ResourceTransformationResult(props=props, opts=args.opts)

    pulumi.runtime.register_stack_transformation(give)
