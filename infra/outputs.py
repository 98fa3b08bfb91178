"""What crosses from the infrastructure to the app and its operators: the stack's outputs, and nothing else."""

import pulumi

from infra.aws.app_roles import APP, NAMESPACE
from infra.aws.copies import Copies
from infra.aws.edge import Edge
from infra.environment import app_environment, app_secrets
from infra.layers.foundation import Foundation
from infra.layers.history import History
from infra.layers.runtime import Runtime
from infra.layers.site import Site
from infra.layers.state import State


def export(
    site: Site,
    foundation: Foundation,
    state: State,
    history: History,
    runtime: Runtime,
    *,
    kubeconfig: pulumi.Output[str] | None,
) -> None:
    """Export every output; docs/reference/outputs.md describes each."""
    place, network, keys = site.place, foundation.network, foundation.keys
    database, cache = state.database, state.cache
    registry, cluster, roles = runtime.registry, runtime.cluster, runtime.app_roles
    outputs: dict[str, pulumi.Input[object]] = {
        "appEnvironment": app_environment(site, foundation, state, history),
        "appSecrets": app_secrets(state),
        "region": place.region,
        "accountId": place.account_id,
        "networkCidr": site.chosen.network.cidr,
        "vpcId": network.vpc_id,
        "publicSubnetIds": list(network.public_subnet_ids),
        "privateSubnetIds": list(network.private_subnet_ids),
        "dataSubnetIds": list(network.data_subnet_ids),
        "appSecurityGroupId": network.app_security_group_id,
        "databaseIdentifier": database.identifier,
        "globalClusterIdentifier": database.global_cluster,
        "databaseEndpoint": database.endpoint,
        "databaseReaderEndpoint": database.reader_endpoint,
        "databasePort": database.port,
        "databaseMasterSecretArn": database.master_secret_arn,
        "databaseAppSecretArn": database.app_secret_arn,
        "cacheEndpoint": cache.endpoint,
        "cacheReaderEndpoint": cache.reader_endpoint,
        "cachePort": cache.port,
        "cacheSecretArn": cache.secret_arn,
        "archiveBucket": history.archive.name,
        "auditBucket": history.audit.name,
        "auditAccessLogBucket": history.records.name if history.records else "",
        "notificationTopicArn": foundation.notifications.topic_arn,
        "keyArns": {
            "state": keys.state,
            "secrets": keys.secrets,
            "archive": keys.archive,
            "audit": keys.audit,
            "evidence": keys.evidence,
            "logs": keys.logs,
            "notifications": keys.notifications,
            "application": keys.application,
            **({} if keys.registry is None else {"registry": keys.registry}),
            **({} if keys.cluster is None else {"cluster": keys.cluster}),
            **({} if keys.backup is None else {"backup": keys.backup}),
        },
        "backupVaultName": state.backup.vault_name if state.backup else "",
        "registryUrl": registry.url if registry else "",
        "clusterName": cluster.name if cluster else "",
        "clusterEndpoint": cluster.endpoint if cluster else "",
        "clusterCertificateAuthority": cluster.certificate_authority if cluster else "",
        "appRoleArn": roles.app_arn if roles else "",
        "migrationRoleArn": roles.migration_arn if roles else "",
        "kubeconfig": pulumi.Output.secret(kubeconfig or ""),
        "workload": _workload(site),
        "edge": _edge(runtime.edge) if runtime.edge else {},
        "recovery": _recovery(history.copies) if history.copies else {},
    }
    for name, value in outputs.items():
        pulumi.export(name, value)


def _workload(site: Site) -> dict[str, pulumi.Input[object]]:
    """Where in the cluster the state API is, by the names that `kubectl` asks for; empty without it."""
    workload = site.chosen.workload
    if not workload.enabled:
        return {}
    return {"namespace": NAMESPACE, "name": APP.name, "image": workload.image}


def _edge(edge: Edge) -> dict[str, pulumi.Input[object]]:
    """How clients find the stack, and where its pods have to be registered to be found."""
    return {
        "host": edge.host,
        "ownHost": edge.own_host,
        "domain": edge.domain,
        "zoneId": edge.zone_id,
        "nameServers": edge.name_servers,
        "targetGroupArn": edge.load_balancer.target_group_arn,
        "loadBalancerGroupId": edge.load_balancer.group_id,
    }


def _recovery(copies: Copies) -> dict[str, pulumi.Input[object]]:
    """What the recovery region has of a lost one: where a standby finds it, by the names that it has here."""
    return {
        "region": copies.region,
        "archiveBucket": copies.archive.name,
        "auditBucket": copies.audit.name,
        "notificationTopicArn": copies.topic_arn,
        "keyArns": dict(copies.key_arns),
        "secretArns": dict(copies.secret_arns),
    }
