"""Resource options of the objects inside a component."""

import pulumi


def inside(
    parent: pulumi.Resource, opts: pulumi.ResourceOptions | None, *after: pulumi.Resource
) -> pulumi.ResourceOptions:
    """Options of a child that waits for what its component was told to wait for, and for ``after``.

    The engine makes a component wait, which makes nothing, and not its children: an object whose definition is still to be
    installed would be refused.
    """
    return pulumi.ResourceOptions.merge(
        pulumi.ResourceOptions(parent=parent, depends_on=opts.depends_on if opts else None),
        pulumi.ResourceOptions(depends_on=list(after)),
    )
