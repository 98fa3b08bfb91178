"""Resource options that more than one room needs."""

from collections.abc import Sequence

import pulumi

from infra.settings.lifetime import Lifetime


def holding_data(
    parent: pulumi.Resource, *, lifetime: Lifetime, depends_on: Sequence[pulumi.Resource] = ()
) -> pulumi.ResourceOptions:
    """Options of a resource whose deletion would lose data.

    In a permanent stack the engine refuses to delete or replace it, and leaves it in the cloud even if somebody takes
    it out of the program and the state.
    """
    return pulumi.ResourceOptions(
        parent=parent,
        protect=lifetime.protected,
        retain_on_delete=lifetime.protected,
        depends_on=list(depends_on),
    )
