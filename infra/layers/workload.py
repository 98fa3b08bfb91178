"""The state API in Kubernetes, with the operators that it leans on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from infra.aws.access import HTTPS_PORT
from infra.aws.addresses import data_subnets, public_subnets
from infra.aws.cluster import Cluster
from infra.aws.operator_roles import OperatorRoles, OperatorRolesArgs
from infra.aws.timescale_backup import TimescaleBackup, TimescaleBackupArgs
from infra.environment import app_environment, app_secrets
from infra.kubernetes.access import given_provider, own_kubeconfig, own_provider
from infra.kubernetes.admission import Admission
from infra.kubernetes.configuration import Configuration, ConfigurationArgs
from infra.kubernetes.entrance import Entrance, EntranceArgs
from infra.kubernetes.mesh import Mesh, MeshArgs
from infra.kubernetes.migration import Migration, MigrationArgs
from infra.kubernetes.monitoring import Monitoring
from infra.kubernetes.namespace import Namespace, NamespaceArgs
from infra.kubernetes.network_policies import NetworkPolicies, NetworkPoliciesArgs
from infra.kubernetes.operators import Operators, OperatorsArgs
from infra.kubernetes.peers import ANYWHERE
from infra.kubernetes.pod import Image
from infra.kubernetes.rewrap import Rewrap, RewrapArgs
from infra.kubernetes.scaling import Scaling, ScalingArgs
from infra.kubernetes.secrets import Secrets, SecretsArgs
from infra.kubernetes.sizes import BALANCER_DRAIN_SECONDS, DRAIN_SECONDS
from infra.kubernetes.state_api import StateApi, StateApiArgs
from infra.kubernetes.timescale import Timescale, TimescaleArgs
from infra.kubernetes.volumes import Volumes, VolumesArgs
from infra.layers.foundation import Foundation
from infra.layers.history import History
from infra.layers.runtime import Runtime
from infra.layers.site import Site
from infra.layers.state import State
from infra.settings.environment_file import endpoint_ports, overlay


@dataclass(frozen=True, kw_only=True)
class Workload:
    """``kubeconfig`` is that of the stack's own cluster, None for one that another program made."""

    kubeconfig: pulumi.Output[str] | None


@dataclass(frozen=True, kw_only=True)
class _Below:
    """All that the workload stands on."""

    site: Site
    foundation: Foundation
    state: State
    history: History
    runtime: Runtime


def declare_workload(
    site: Site, foundation: Foundation, state: State, history: History, runtime: Runtime
) -> Workload:
    """Declare the operators if they are asked for, the room of the state API, and the state API if it has an image."""
    below = _Below(site=site, foundation=foundation, state=state, history=history, runtime=runtime)
    cluster = runtime.cluster
    provider = own_provider(cluster, site.place.region) if cluster else given_provider(site.chosen.workload)
    inside = pulumi.ResourceOptions(providers={"kubernetes": provider})
    operators = _operators(below, cluster, inside) if cluster and site.chosen.operators.enabled else ()
    if cluster and site.chosen.timescale.enabled:
        _timescale(below, cluster, operators, inside)
    room = _room(below, operators, inside)
    environment = {
        **app_environment(site, foundation, state, history),
        **overlay(site.chosen.workload.environment_file),
    }
    # The namespace waits for the operators, and so does everything in it.
    within = pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[room.namespace]))
    _doors(below, environment, within)
    Secrets("secrets", SecretsArgs(region=site.place.region, arns=app_secrets(state)), opts=within)
    Monitoring("observability", opts=within)
    if site.chosen.workload.image:
        # A pod needs its service account, its quota and its priority too.
        _run(
            below,
            environment,
            pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[room])),
        )
    return Workload(kubeconfig=own_kubeconfig(cluster, site.place.region) if cluster else None)


def _operators(below: _Below, cluster: Cluster, inside: pulumi.ResourceOptions) -> Sequence[pulumi.Resource]:
    site, edge = below.site, below.runtime.edge
    roles = OperatorRoles(
        "operator-roles",
        OperatorRolesArgs(
            names=site.names,
            place=site.place,
            cluster_name=cluster.name,
            secret_arns=app_secrets(below.state),
            secrets_key_arn=below.foundation.keys.secrets,
            topic_arn=below.foundation.notifications.topic_arn,
            topic_key_arn=below.foundation.keys.notifications,
            target_group_arn=edge.load_balancer.target_group_arn if edge else None,
        ),
    )
    key = below.foundation.keys.cluster
    assert key is not None  # noqa: S101 - wherever there is a cluster
    volumes = Volumes("volumes", VolumesArgs(lifetime=site.chosen.lifetime, cluster_key_arn=key), opts=inside)
    return Operators(
        "operators",
        OperatorsArgs(
            cluster_name=cluster.name,
            region=site.place.region,
            vpc_id=below.foundation.network.vpc_id,
            topic_arn=below.foundation.notifications.topic_arn,
            version=site.chosen.cluster.version,
            balanced=edge is not None,
            timescale=site.chosen.timescale.enabled,
            volumes=volumes,
            roles=roles,
        ),
        opts=inside,
    ).ready


def _timescale(
    below: _Below, cluster: Cluster, operators: Sequence[pulumi.Resource], inside: pulumi.ResourceOptions
) -> None:
    site = below.site
    backup = TimescaleBackup(
        "timescale-backup",
        TimescaleBackupArgs(
            names=site.names,
            place=site.place,
            lifetime=site.chosen.lifetime,
            cluster_name=cluster.name,
            kms_key_arn=below.foundation.keys.archive,
            days=site.chosen.timescale.backup_days,
        ),
    )
    Timescale(
        "timescale",
        TimescaleArgs(
            settings=site.chosen.timescale,
            lifetime=site.chosen.lifetime,
            version=site.chosen.cluster.version,
            bucket=backup.bucket_name,
            depends_on=[backup, *operators],
        ),
        opts=inside,
    )


def _room(below: _Below, operators: Sequence[pulumi.Resource], inside: pulumi.ResourceOptions) -> Namespace:
    chosen = below.site.chosen
    return Namespace(
        "namespace",
        NamespaceArgs(
            version=chosen.cluster.version,
            max_replicas=chosen.workload.max_replicas,
            meshed=chosen.operators.enabled,
            balanced=below.runtime.edge is not None,
        ),
        opts=pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=list(operators))),
    )


def _doors(
    below: _Below, environment: Mapping[str, pulumi.Input[str]], within: pulumi.ResourceOptions
) -> None:
    chosen, zones = below.site.chosen, len(below.site.place.zones)
    cidr, own = chosen.network.cidr, below.runtime.cluster is not None
    Admission("admission", opts=within)
    outside = [
        *(public_subnets(cidr, zones) if below.runtime.edge else ()),
        *chosen.workload.ingress_networks,
    ]
    NetworkPolicies(
        "network-policies",
        NetworkPoliciesArgs(
            caller_cidrs=outside,
            # Where the stack's network is not around the cluster, nobody here knows how its pods see the engines.
            engine_cidrs=data_subnets(cidr, zones) if own else [ANYWHERE],
            engine_ports=[
                pulumi.Output.from_input(environment[name]).apply(int)
                for name in ("VANTA_DATABASE_PORT", "VANTA_CACHE_PORT")
            ],
            cloud_ports=[HTTPS_PORT, *endpoint_ports(overlay(chosen.workload.environment_file))],
            meshed=chosen.operators.enabled,
            timescale=chosen.timescale.enabled,
        ),
        opts=within,
    )
    if chosen.operators.enabled:
        Mesh("mesh", MeshArgs(outside_callers=bool(outside)), opts=within)


def _run(below: _Below, environment: Mapping[str, pulumi.Input[str]], within: pulumi.ResourceOptions) -> None:
    """The pods: the migration, then those that serve, and the monthly job."""
    chosen, edge = below.site.chosen, below.runtime.edge
    authorities = chosen.workload.authorities_file
    configuration = Configuration(
        "configuration",
        ConfigurationArgs(
            environment=environment,
            authorities=Path(authorities).read_text(encoding="utf-8") if authorities else "",
        ),
        opts=within,
    )
    image = Image(
        reference=chosen.workload.image,
        configuration=configuration,
        drain_seconds=BALANCER_DRAIN_SECONDS if edge else DRAIN_SECONDS,
    )
    # A database that follows takes no migration; it has had that of its primary.
    before: list[kubernetes.batch.v1.Job] = []
    if not below.site.joins:
        before = [Migration("migration", MigrationArgs(image=image), opts=within).job]
    api = StateApi(
        "state-api",
        StateApiArgs(image=image, standby=below.site.joins, depends_on=before),
        opts=within,
    )
    Scaling("scaling", ScalingArgs(settings=chosen.workload), opts=within)
    Entrance(
        "entrance",
        EntranceArgs(
            service=api.service,
            target_group_arn=edge.load_balancer.target_group_arn if edge else None,
            host=chosen.workload.ingress_host,
            issuer=chosen.workload.ingress_issuer,
        ),
        opts=within,
    )
    if not chosen.recovery.standby:
        Rewrap("rewrap", RewrapArgs(image=image), opts=within)
