"""Configuration as frozen dataclasses. Nothing else in the program reads ``pulumi.Config``.

The schema in ``Pulumi.yaml`` names, types, describes and defaults every key; a dotted name there (``database.readers``)
is a path, so that a stack file groups its values by room. A field here is the same key in snake case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.runtime.config import CONFIG

from infra.settings.alarms import AlarmsSettings, check_alarms
from infra.settings.archive import ArchiveSettings, check_archive
from infra.settings.audit import AuditSettings, check_audit
from infra.settings.backup import BackupSettings, check_backup
from infra.settings.budget import BudgetSettings, check_budget
from infra.settings.cache import CacheSettings, check_cache
from infra.settings.cluster import ClusterSettings, check_cluster
from infra.settings.database import DatabaseSettings, check_database
from infra.settings.dns import DnsSettings, check_dns
from infra.settings.evidence import EvidenceSettings, check_evidence
from infra.settings.firewall import FirewallSettings, check_firewall
from infra.settings.keys import KeysSettings, check_keys
from infra.settings.lifetime import Lifetime
from infra.settings.network import NetworkSettings, check_network
from infra.settings.operators import OperatorsSettings
from infra.settings.reading import NAMESPACE, read
from infra.settings.recovery import RecoverySettings, check_recovery
from infra.settings.registry import RegistrySettings, check_registry
from infra.settings.roles import RolesSettings, check_roles
from infra.settings.secrets import SecretsSettings, check_secrets
from infra.settings.stack import (
    check_account,
    check_lifetime,
    check_own_region,
    check_owner,
    check_stack_name,
)
from infra.settings.timescale import TimescaleSettings, check_timescale
from infra.settings.workload import WorkloadSettings, check_workload


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a stack file may say, validated."""

    lifetime: Lifetime
    owner: str
    account: str
    recovery: RecoverySettings
    network: NetworkSettings
    roles: RolesSettings
    keys: KeysSettings
    secrets: SecretsSettings
    database: DatabaseSettings
    cache: CacheSettings
    archive: ArchiveSettings
    audit: AuditSettings
    backup: BackupSettings
    evidence: EvidenceSettings
    dns: DnsSettings
    firewall: FirewallSettings
    registry: RegistrySettings
    cluster: ClusterSettings
    workload: WorkloadSettings
    operators: OperatorsSettings
    timescale: TimescaleSettings
    alarms: AlarmsSettings
    budget: BudgetSettings


def load(stack: str) -> Settings:
    """The settings of the running program.

    Raises:
        SettingsError: a key or a value is refused.
    """
    # Without it the provider takes the region of its environment.
    if region := CONFIG.get().get("aws:region"):
        check_own_region(region)
    # `pulumi.Config` can only ask for names that it knows; what nobody knows has to be seen to be refused.
    given = {
        key.removeprefix(f"{NAMESPACE}:"): value
        for key, value in CONFIG.get().items()
        if key.startswith(f"{NAMESPACE}:")
    }
    return parse(given, stack)


def parse(given: Mapping[str, Any], stack: str) -> Settings:
    """Settings from plain values by key, without the namespace; a room's value is a mapping or its JSON text.

    Raises:
        SettingsError: a key or a value is refused.
    """
    settings = read(Settings, given)
    lifetime = settings.lifetime
    check_stack_name(stack)
    check_lifetime(lifetime, stack=stack)
    check_owner(settings.owner)
    check_account(settings.account)
    check_recovery(settings.recovery)
    check_network(settings.network)
    check_roles(settings.roles)
    check_keys(settings.keys)
    check_database(settings.database, lifetime=lifetime, recovery=settings.recovery)
    check_secrets(settings.secrets, database=settings.database, recovery=settings.recovery)
    check_cache(settings.cache)
    check_archive(settings.archive)
    # A standby writes to what its primary locks; a trail of its own has the lock of its own file.
    locks = not settings.recovery.standby or settings.evidence.trail
    check_audit(settings.audit, lifetime=lifetime, stack=stack, locks=locks)
    check_backup(settings.backup, lifetime=lifetime)
    check_evidence(settings.evidence)
    check_dns(settings.dns, recovery=settings.recovery, stack=stack)
    check_firewall(settings.firewall)
    check_registry(settings.registry, recovery=settings.recovery)
    check_cluster(settings.cluster, network=settings.network, lifetime=lifetime)
    check_workload(
        settings.workload,
        cache=settings.cache,
        cluster=settings.cluster,
        operators=settings.operators,
        lifetime=lifetime,
    )
    check_timescale(
        settings.timescale, workload=settings.workload, cluster=settings.cluster, lifetime=lifetime
    )
    check_alarms(settings.alarms)
    check_budget(settings.budget)
    return settings
