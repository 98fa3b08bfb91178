"""The whole platform, in the order in which data needs its layers."""

import pulumi

from infra import primary, settings
from infra.aws import boundary, place
from infra.layers.evidence import declare_evidence
from infra.layers.foundation import lay_foundation
from infra.layers.history import declare_history
from infra.layers.runtime import declare_runtime
from infra.layers.site import Site
from infra.layers.state import declare_state
from infra.layers.watch import declare_watch
from infra.names import Names
from infra.outputs import export
from infra.settings.database import check_joined
from infra.settings.recovery import check_region


def program() -> None:
    """Declare every resource of the stack and export what the app and its operators need.

    Raises:
        SettingsError: the configuration is refused; nothing has been registered.
    """
    site = _survey()
    foundation = lay_foundation(site)
    state = declare_state(site, foundation)
    history = declare_history(site, foundation, state)
    declare_evidence(site, foundation, history)
    runtime = declare_runtime(site, foundation, state, history)
    declare_watch(site, foundation, runtime)
    workload = None
    if site.chosen.workload.enabled:
        # The SDK of Kubernetes takes two seconds to import, which a stack without it need not wait for.
        from infra.layers.workload import declare_workload  # noqa: PLC0415

        workload = declare_workload(site, foundation, state, history, runtime)
    export(site, foundation, state, history, runtime, kubeconfig=workload.kubeconfig if workload else None)


def _survey() -> Site:
    """Everything that can be refused, before anything is registered."""
    stack = pulumi.get_stack()
    chosen = settings.load(stack)
    here = place.find(zones=chosen.network.zones, account=chosen.account)
    check_region(chosen.recovery, here.region)
    restores = bool(chosen.database.restore_snapshot)
    if chosen.recovery.standby and not restores:
        check_joined(chosen.database)
    followed = chosen.recovery.primary_stack
    site = Site(
        chosen=chosen,
        place=here,
        names=Names(stack=stack, owner=chosen.owner, account_id=here.account_id, region=here.region),
        primary=primary.find(followed, here=here, cidr=chosen.network.cidr, joins=not restores)
        if followed
        else None,
    )
    if chosen.roles.boundary:
        boundary.bound(chosen.roles.boundary)
    return site
