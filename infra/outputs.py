"""What crosses from the infrastructure to the app and its operators: the stack's outputs, and nothing else."""

import pulumi

from infra.aws.copies import Copies
from infra.aws.edge import Edge
from infra.layers.foundation import Foundation
from infra.layers.history import History
from infra.layers.runtime import Runtime
from infra.layers.site import Site
from infra.layers.state import State


def export(site: Site, foundation: Foundation, state: State, history: History, runtime: Runtime) -> None:
    """Export every output; docs/reference/outputs.md describes each."""
    place, network, keys = site.place, foundation.network, foundation.keys
    database, cache = state.database, state.cache
    registry, cluster, roles = runtime.registry, runtime.cluster, runtime.app_roles
    outputs: dict[str, pulumi.Input[object]] = {
        "appEnvironment": {
            "VANTA_DATABASE_HOST": database.endpoint,
            "VANTA_DATABASE_PORT": database.port.apply(str),
            "VANTA_DATABASE_NAME": database.name,
            "VANTA_DATABASE_READER_HOST": database.reader_endpoint,
            "VANTA_CACHE_HOST": cache.endpoint,
            "VANTA_CACHE_PORT": cache.port.apply(str),
            "VANTA_ARCHIVE_BUCKET": history.archive.name,
            "VANTA_AUDIT_BUCKET": history.audit.name,
            "VANTA_KMS_KEY_ARN": keys.application,
            "AWS_REGION": place.region,
        },
        "appSecrets": {
            "database-master": database.master_secret_arn,
            "database-app": database.app_secret_arn,
            "cache": cache.secret_arn,
        },
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
        "edge": _edge(runtime.edge) if runtime.edge else {},
        "recovery": _recovery(history.copies) if history.copies else {},
    }
    for name, value in outputs.items():
        pulumi.export(name, value)


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
