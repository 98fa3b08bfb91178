"""What crosses from the infrastructure to the app and its operators: the stack's outputs, and nothing else."""

import pulumi

from infra.aws.archive import Archive
from infra.aws.audit import Audit
from infra.aws.cache import Cache
from infra.aws.database import Database
from infra.aws.keys import Keys
from infra.aws.network import Network
from infra.aws.notifications import Notifications
from infra.aws.place import Place


def export(
    place: Place,
    *,
    network: Network,
    keys: Keys,
    notifications: Notifications,
    database: Database,
    cache: Cache,
    archive: Archive,
    audit: Audit,
) -> None:
    """Export every output; docs/reference/outputs.md describes each."""
    outputs: dict[str, pulumi.Input[object]] = {
        "appEnvironment": {
            "VANTA_DATABASE_HOST": database.endpoint,
            "VANTA_DATABASE_PORT": database.port.apply(str),
            "VANTA_DATABASE_NAME": database.name,
            "VANTA_DATABASE_READER_HOST": database.reader_endpoint,
            "VANTA_CACHE_HOST": cache.endpoint,
            "VANTA_CACHE_PORT": cache.port.apply(str),
            "VANTA_ARCHIVE_BUCKET": archive.name,
            "VANTA_AUDIT_BUCKET": audit.name,
            "VANTA_KMS_KEY_ARN": keys.application,
            "AWS_REGION": place.region,
        },
        "appSecrets": {
            "database-master": database.master_secret_arn,
            "database-app": database.app_secret_arn,
            "cache": cache.secret_arn,
        },
        "region": place.region,
        "vpcId": network.vpc_id,
        "publicSubnetIds": list(network.public_subnet_ids),
        "privateSubnetIds": list(network.private_subnet_ids),
        "dataSubnetIds": list(network.data_subnet_ids),
        "appSecurityGroupId": network.app_security_group_id,
        "databaseIdentifier": database.identifier,
        "databaseEndpoint": database.endpoint,
        "databaseReaderEndpoint": database.reader_endpoint,
        "databasePort": database.port,
        "databaseMasterSecretArn": database.master_secret_arn,
        "databaseAppSecretArn": database.app_secret_arn,
        "cacheEndpoint": cache.endpoint,
        "cacheReaderEndpoint": cache.reader_endpoint,
        "cachePort": cache.port,
        "cacheSecretArn": cache.secret_arn,
        "archiveBucket": archive.name,
        "auditBucket": audit.name,
        "auditAccessLogBucket": audit.access_log_name,
        "notificationTopicArn": notifications.topic_arn,
        "keyArns": {
            "state": keys.state,
            "secrets": keys.secrets,
            "archive": keys.archive,
            "audit": keys.audit,
            "logs": keys.logs,
            "notifications": keys.notifications,
            "application": keys.application,
        },
    }
    for name, value in outputs.items():
        pulumi.export(name, value)
