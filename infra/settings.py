"""Configuration as frozen dataclasses. Nothing else in the program reads ``pulumi.Config``.

The schema in ``Pulumi.yaml`` names, types, describes and defaults every key; a dotted name there (``database.readers``)
is a path, so that a stack file groups its values by room. A field here is the same key in snake case.
"""

import contextlib
import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pulumi.runtime.config import CONFIG

from infra import checks, state_checks
from infra.refusal import SettingsError, refusal

NAMESPACE = "vanta"

Nat = Literal["none", "one", "zone"]


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """The address range of the network, over how many zones it spans, and its ways out; retention in days."""

    cidr: str
    connected_cidrs: str
    zones: int
    nat: Nat
    endpoints: bool
    flow_logs: bool
    flow_log_days: int


@dataclass(frozen=True, kw_only=True)
class KeysSettings:
    """How long a deleted key can still be brought back, and how often each is rotated; in days."""

    deletion_days: int
    rotation_days: int


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """The Aurora PostgreSQL cluster; ``slow_query_ms`` in milliseconds, retentions in days, capacity in Aurora units.

    ``max_readers`` 0 switches scaling off; empty ``restore_...`` begin with an empty database.
    """

    name: str
    engine_version: str
    capacity: Literal["provisioned", "serverless"]
    instance_class: str
    min_capacity_units: int
    max_capacity_units: int
    readers: int
    max_readers: int
    restore_snapshot: str
    restore_cluster: str
    restore_time: str
    backup_retention_days: int
    performance_insights_days: int
    log_retention_days: int
    slow_query_ms: int
    iam_authentication: bool


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """The ElastiCache replication group; ``nodes`` counts those of each of its ``shards``, the primary included."""

    engine_version: str
    node_type: str
    shards: int
    nodes: int
    snapshot_days: int
    auth_token_length: int


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings:
    """Ages in days, counted from an object's creation, at which it moves to the next tier or goes."""

    warm_after_days: int
    cold_after_days: int
    expire_after_days: int
    noncurrent_days: int
    multipart_days: int


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """The lock on every audit object; ``lock_period`` is text such as ``7 years`` or ``1 day``."""

    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"]
    lock_period: str
    access_log_days: int


@dataclass(frozen=True, kw_only=True)
class AlarmsSettings:
    """Whether trouble is watched for, and who is told; no ``email``, nobody."""

    enabled: bool
    email: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a stack file may say, validated."""

    lifetime: Literal["throwaway", "permanent"]
    owner: str
    network: NetworkSettings
    keys: KeysSettings
    database: DatabaseSettings
    cache: CacheSettings
    archive: ArchiveSettings
    audit: AuditSettings
    alarms: AlarmsSettings

    @property
    def permanent(self) -> bool:
        """Whether the stack's data outlives the stack: it is then protected and retained."""
        return self.lifetime == "permanent"


def load(stack: str) -> Settings:
    """The settings of the running program.

    Raises:
        SettingsError: a key or a value is refused.
    """
    # `pulumi.Config` can only ask for names that it knows; what nobody knows has to be seen to be refused.
    given = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in CONFIG.get().items() if _ours(key)}
    return parse(given, stack)


def parse(given: Mapping[str, Any], stack: str) -> Settings:
    """Settings from plain values by key, without the namespace; a room's value is a mapping or its JSON text.

    Raises:
        SettingsError: a key or a value is refused.
    """
    settings = _read(Settings, given, ())
    checks.check_stack_name(stack)
    checks.check_owner(settings.owner)
    checks.check_network(settings.network)
    checks.check_keys(settings.keys)
    state_checks.check_database(settings.database, permanent=settings.permanent)
    state_checks.check_cache(settings.cache)
    checks.check_archive(settings.archive)
    checks.check_audit(settings.audit, permanent=settings.permanent, stack=stack)
    checks.check_alarms(settings.alarms)
    return settings


def key_of(field: str) -> str:
    """``backup_retention_days`` as it is spelt in configuration: ``backupRetentionDays``."""
    head, *tail = field.split("_")
    return head + "".join(word.capitalize() for word in tail)


def known_keys() -> dict[str, type]:
    """Every key without the namespace (``database.readers``) and the type of its value."""
    return dict(_leaves(Settings, ()))


_T = TypeVar("_T")


def _ours(key: str) -> bool:
    return key.startswith(f"{NAMESPACE}:")


def _leaves(group: type, path: tuple[str, ...]) -> list[tuple[str, type]]:
    found: list[tuple[str, type]] = []
    for field, kind in get_type_hints(group).items():
        here = (*path, key_of(field))
        found += _leaves(kind, here) if _is_group(kind) else [(".".join(here), kind)]
    return found


def _is_group(kind: type) -> bool:
    return hasattr(kind, "__dataclass_fields__")


def _read(group: type[_T], given: Mapping[str, Any], path: tuple[str, ...]) -> _T:
    kinds = get_type_hints(group)
    names = {key_of(field.name): field.name for field in fields(group)}  # ty: ignore[invalid-argument-type]  # only ever called with the dataclasses above
    for key in given:
        if key not in names:
            raise _unknown((*path, key), given[key])
    values: dict[str, Any] = {}
    for key, field in names.items():
        here = (*path, key)
        if key not in given:
            raise SettingsError(
                f"{NAMESPACE}:{'.'.join(here)} has no value. Run the program from the folder of Pulumi.yaml, "
                f"which has its default, or set it with `pulumi config set --path {'.'.join(here)} VALUE`."
            )
        kind = kinds[field]
        values[field] = (
            _read(kind, _mapping(here, given[key]), here)
            if _is_group(kind)
            else _value(here, kind, given[key])
        )
    return group(**values)


def _mapping(path: tuple[str, ...], value: object) -> Mapping[str, Any]:
    if isinstance(value, str):
        # What is no JSON is refused below, in the same words as any other value that is not a mapping.
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if not isinstance(value, Mapping):
        raise refusal(
            ".".join(path), value, "but holds a group of keys", f"Write its keys below {NAMESPACE}:{path[-1]}"
        )
    return value


def _value(path: tuple[str, ...], kind: Any, value: object) -> Any:
    key = ".".join(path)
    if get_origin(kind) is Literal:
        if value in get_args(kind):
            return value
        raise refusal(key, value, "which is none of its values", f"Use {' or '.join(get_args(kind))}")
    if kind is bool:
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        raise refusal(key, value, "but must be a boolean", "Use true or false")
    if kind is int:
        if not isinstance(value, bool) and re.fullmatch(r"-?[0-9]{1,9}", str(value)):
            return int(str(value))
        raise refusal(key, value, "but must be a whole number", "Write it with digits only")
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refusal(key, value, "but must be text", f'Put it in quotes: "{value}"')
    raise refusal(key, value, "but must be text", "Write a string")


def _unknown(path: tuple[str, ...], value: object) -> SettingsError:
    key = ".".join(path)
    if key in known_keys():
        room, leaf = key.split(".")
        return refusal(key, value, "but is written as one flat key", f"Write {leaf} below {NAMESPACE}:{room}")
    rooms = {known.split(".")[0] for known in known_keys()}
    close = difflib.get_close_matches(key, [*known_keys(), *sorted(rooms)], n=1)
    remedy = (
        f"Did you mean {NAMESPACE}:{close[0]}?"
        if close
        else "Remove it; docs/reference/configuration.md lists all keys"
    )
    return refusal(key, value, "but no such key exists", remedy)
