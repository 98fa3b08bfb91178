"""The whole platform, in the order in which data needs its rooms."""

import pulumi

from infra import settings
from infra.aws import place
from infra.aws.archive import Archive, ArchiveArgs
from infra.aws.audit import Audit, AuditArgs
from infra.aws.cache import Cache, CacheArgs
from infra.aws.database import Database, DatabaseArgs
from infra.aws.keys import Keys, KeysArgs
from infra.aws.network import Network, NetworkArgs
from infra.names import Names
from infra.outputs import export


def program() -> None:
    """Declare every resource of the stack and export what the app and its operators need.

    Raises:
        SettingsError: the configuration is refused; nothing has been registered.
    """
    stack = pulumi.get_stack()
    chosen = settings.load(stack)
    permanent = chosen.permanent
    here = place.find(zones=chosen.network.zones)
    names = Names(stack=stack, owner=chosen.owner, account_id=here.account_id, region=here.region)

    network = Network("network", NetworkArgs(names=names, cidr=chosen.network.cidr, zones=here.zones))
    keys = Keys(
        "keys",
        KeysArgs(
            names=names,
            place=here,
            permanent=permanent,
            deletion_days=chosen.keys.deletion_days,
            rotation_days=chosen.keys.rotation_days,
        ),
    )
    database = Database(
        "database",
        DatabaseArgs(
            names=names,
            settings=chosen.database,
            permanent=permanent,
            subnet_ids=network.data_subnet_ids,
            security_group_id=network.database_security_group_id,
            state_key_arn=keys.state,
            secrets_key_arn=keys.secrets,
            logs_key_arn=keys.logs,
        ),
    )
    cache = Cache(
        "cache",
        CacheArgs(
            names=names,
            settings=chosen.cache,
            permanent=permanent,
            subnet_ids=network.data_subnet_ids,
            security_group_id=network.cache_security_group_id,
            state_key_arn=keys.state,
            secrets_key_arn=keys.secrets,
        ),
    )
    archive = Archive(
        "archive",
        ArchiveArgs(names=names, settings=chosen.archive, permanent=permanent, kms_key_arn=keys.archive),
    )
    audit = Audit(
        "audit", AuditArgs(names=names, settings=chosen.audit, permanent=permanent, kms_key_arn=keys.audit)
    )

    export(here, network=network, keys=keys, database=database, cache=cache, archive=archive, audit=audit)
