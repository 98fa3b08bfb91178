"""The first layer: what agents remember now, in the database, and the cache in front of it."""

from dataclasses import dataclass

from infra.aws.backup import Backup, BackupArgs
from infra.aws.cache import Cache, CacheArgs
from infra.aws.database import Database, DatabaseArgs
from infra.aws.global_database import Joined
from infra.aws.rotation import Rotation, RotationArgs, in_cache, in_database
from infra.layers.foundation import Foundation
from infra.layers.site import Site


@dataclass(frozen=True, kw_only=True)
class State:
    """The primary store, its cache, and the backup if there is one."""

    database: Database
    cache: Cache
    backup: Backup | None


def declare_state(site: Site, below: Foundation) -> State:
    """Declare the database and the cache; a standby's database follows its primary's."""
    chosen, names, keys = site.chosen, site.names, below.keys
    database = Database(
        "database",
        DatabaseArgs(
            names=names,
            settings=chosen.database,
            lifetime=chosen.lifetime,
            subnet_ids=below.network.data_subnet_ids,
            security_group_id=below.network.database_security_group_id,
            state_key_arn=keys.state,
            secrets_key_arn=keys.secrets,
            secret_copies=keys.secret_copies,
            logs_key_arn=keys.logs,
            joined=_joined(site),
            data_api=chosen.secrets.rotation_days > 0,
        ),
    )
    cache = Cache(
        "cache",
        CacheArgs(
            names=names,
            settings=chosen.cache,
            lifetime=chosen.lifetime,
            subnet_ids=below.network.data_subnet_ids,
            security_group_id=below.network.cache_security_group_id,
            state_key_arn=keys.state,
            secrets_key_arn=keys.secrets,
            secret_copies=keys.secret_copies,
        ),
    )
    if chosen.secrets.rotation_days:
        _rotate(site, below, database, cache)
    return State(database=database, cache=cache, backup=_back_up(site, below, database))


def _back_up(site: Site, below: Foundation, database: Database) -> Backup | None:
    chosen, keys = site.chosen, below.keys
    if keys.backup is None:
        return None
    region = chosen.recovery.region
    return Backup(
        "backup",
        BackupArgs(
            names=site.names,
            place=site.place,
            settings=chosen.backup,
            lifetime=chosen.lifetime,
            cluster_arn=database.arn,
            state_key_arn=keys.state,
            backup_key_arn=keys.backup,
            copy_key_arns={region: keys.copies["backup"]} if region else {},
            replicated=chosen.database.global_cluster,
            topic_arn=below.notifications.topic_arn,
        ),
    )


def _rotate(site: Site, below: Foundation, database: Database, cache: Cache) -> None:
    chosen, names = site.chosen, site.names
    rotated = {
        "database-app-rotation": (
            database.app_secret_arn,
            in_database(database.arn, database.master_secret_arn, chosen.database.name),
        ),
        "cache-auth-rotation": (cache.secret_arn, in_cache(site.place, names.of("cache"))),
    }
    for noun, (secret_arn, kept) in rotated.items():
        Rotation(
            noun,
            RotationArgs(
                names=names,
                place=site.place,
                lifetime=chosen.lifetime,
                secret_arn=secret_arn,
                secrets_key_arn=below.keys.secrets,
                logs_key_arn=below.keys.logs,
                kept=kept,
                days=chosen.secrets.rotation_days,
                topic_arn=below.notifications.topic_arn if chosen.alarms.enabled else None,
            ),
        )


def _joined(site: Site) -> Joined | None:
    primary = site.primary
    if primary is None or not site.joins:
        return None
    return Joined(
        global_cluster=primary.global_cluster,
        source_region=primary.region,
        master_secret_arn=primary.secret_arns["database-master"],
        app_secret_arn=primary.secret_arns["database-app"],
    )
