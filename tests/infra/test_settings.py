"""What a stack file may say: every refusal names key, value and remedy."""

import dataclasses
import functools
import ipaddress
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pulumi.runtime.config import CONFIG

from infra.reference import configuration_schema
from infra.refusal import SettingsError
from infra.settings import Settings, limits, load, parse
from infra.settings import network as network_settings
from infra.settings.archive import ArchiveSettings, check_archive
from infra.settings.database import PERFORMANCE_INSIGHTS_DAYS, check_database
from infra.settings.lifetime import Lifetime
from infra.settings.network import NetworkSettings, check_network
from infra.settings.reading import known_keys

Configuration = Callable[..., dict[str, Any]]

# fmt: off
REFUSALS = [
    # room, key, value, what the message says
    ("database", "reader", 2, "vanta:database.reader is 2 but no such key exists. Did you mean vanta:database.readers?"),
    ("database", "readers", "two", "vanta:database.readers is two but must be a whole number. Write it with digits only."),
    ("database", "readers", True, "vanta:database.readers is true but must be a whole number. Write it with digits only."),
    ("database", "readers", 16, "vanta:database.readers is 16 which is out of range. Use 0 to 15 readers."),
    ("database", "iamAuthentication", "maybe", "vanta:database.iamAuthentication is maybe but must be a boolean. Use true or false."),
    ("database", "engineVersion", 17.5, 'vanta:database.engineVersion is 17.5 but must be text. Put it in quotes: "17.5".'),
    ("database", "engineVersion", "16.4", 'vanta:database.engineVersion is 16.4 but the parameter groups are those of PostgreSQL 17, which Aurora has from 17.4 on. Use a version like "17.5".'),
    ("database", "engineVersion", "17.3", 'vanta:database.engineVersion is 17.3 but the parameter groups are those of PostgreSQL 17, which Aurora has from 17.4 on. Use a version like "17.5".'),
    ("database", "name", "Vanta-1", "vanta:database.name is Vanta-1 which PostgreSQL would have to quote. Use a-z, 0-9 and _, a letter first."),
    ("database", "instanceClass", "cache.t4g.micro", "vanta:database.instanceClass is cache.t4g.micro which Aurora PostgreSQL 17 does not offer. Use a class like db.t4g.medium or db.r8g.large."),
    ("database", "backupRetentionDays", 0, "vanta:database.backupRetentionDays is 0 which is out of range. Use 1 to 35 days."),
    ("database", "backupRetentionDays", 36, "vanta:database.backupRetentionDays is 36 which is out of range. Use 1 to 35 days."),
    ("database", "performanceInsightsDays", 94, "vanta:database.performanceInsightsDays is 94 but Performance Insights keeps 7 days, 1 to 23 months of 31 days, or 731 days. Use 124."),
    ("database", "performanceInsightsDays", 999, "vanta:database.performanceInsightsDays is 999 but Performance Insights keeps 7 days, 1 to 23 months of 31 days, or 731 days. Use 731."),
    ("database", "logRetentionDays", 8, "vanta:database.logRetentionDays is 8 which CloudWatch Logs does not offer as a retention. Use 14."),
    ("database", "slowQueryMs", 0, "vanta:database.slowQueryMs is 0 which is out of range. Use 1 to 3600000 milliseconds."),
    ("database", "capacity", "elastic", "vanta:database.capacity is elastic which is none of its values. Use provisioned or serverless."),
    ("database", "minCapacityUnits", 0, "vanta:database.minCapacityUnits is 0 which is out of range. Use 1 to 256 units."),
    ("database", "minCapacityUnits", 5, "vanta:database.maxCapacityUnits is 4 which is less than vanta:database.minCapacityUnits (5). Use 5 or more."),
    ("database", "maxCapacityUnits", 257, "vanta:database.maxCapacityUnits is 257 which is out of range. Use 1 to 256 units."),
    ("database", "maxReaders", 16, "vanta:database.maxReaders is 16 which is out of range. Use 0 to 15 readers."),
    ("database", "maxReaders", 1, "vanta:database.maxReaders is 1 which leaves nothing to scale above vanta:database.readers (1). Use 2 or more, or 0 for no scaling."),
    ("database", "restoreTime", "2026-01-31T13:05:00Z", "vanta:database.restoreTime is 2026-01-31T13:05:00Z but vanta:database.restoreCluster does not say of which cluster. Name it."),
    ("cache", "engineVersion", "7.2", 'vanta:cache.engineVersion is 7.2 but the parameter group is that of Valkey 8. Use a version like "8.1".'),
    ("cache", "nodeType", "db.t4g.medium", "vanta:cache.nodeType is db.t4g.medium which ElastiCache does not offer. Use a type like cache.t4g.micro or cache.r7g.large."),
    ("cache", "nodes", 7, "vanta:cache.nodes is 7 which is out of range. Use 1 to 6 nodes."),
    ("cache", "shards", 0, "vanta:cache.shards is 0 which is out of range. Use 1 to 90 shards."),
    ("cache", "shards", 91, "vanta:cache.shards is 91 which is out of range. Use 1 to 90 shards."),
    ("cache", "snapshotDays", 36, "vanta:cache.snapshotDays is 36 which is out of range. Use 0 to 35 days."),
    ("cache", "authTokenLength", 15, "vanta:cache.authTokenLength is 15 which is out of range. Use 16 to 128 characters."),
    ("cache", "authTokenLength", 129, "vanta:cache.authTokenLength is 129 which is out of range. Use 16 to 128 characters."),
    ("archive", "warmAfterDays", 29, "vanta:archive.warmAfterDays is 29 but not every S3 moves objects to STANDARD_IA before 30 days. Use 30 or more."),
    ("archive", "coldAfterDays", 59, "vanta:archive.coldAfterDays is 59 but objects are paid for 30 days in STANDARD_IA after vanta:archive.warmAfterDays (30). Use 60 or more."),
    ("archive", "expireAfterDays", 454, "vanta:archive.expireAfterDays is 454 but objects are paid for 90 days in GLACIER_IR after vanta:archive.coldAfterDays (365). Use 455 or more."),
    ("archive", "noncurrentDays", 0, "vanta:archive.noncurrentDays is 0 which is out of range. Use 1 to 3650 days."),
    ("archive", "multipartDays", 31, "vanta:archive.multipartDays is 31 which is out of range. Use 1 to 30 days."),
    ("audit", "lockMode", "SOFT", "vanta:audit.lockMode is SOFT which is none of its values. Use GOVERNANCE or COMPLIANCE."),
    ("audit", "lockMode", "COMPLIANCE", 'vanta:audit.lockMode is COMPLIANCE but stack "pr-118" is throw-away: its bucket could not be deleted for 1 day. Use GOVERNANCE, or set vanta:lifetime to permanent.'),
    ("audit", "lockPeriod", "a while", "vanta:audit.lockPeriod is a while which is no period. Write it like 7 years or 1 day."),
    ("audit", "lockPeriod", "0 days", "vanta:audit.lockPeriod is 0 days but S3 locks for 1 day to 100 years. Use 7 years."),
    ("audit", "lockPeriod", "101 years", "vanta:audit.lockPeriod is 101 years but S3 locks for 1 day to 100 years. Use 7 years."),
    ("audit", "accessLogDays", 0, "vanta:audit.accessLogDays is 0 but logs that nobody keeps prove nothing. Use 400."),
    ("registry", "keptImages", 0, "vanta:registry.keptImages is 0 which is out of range. Use 1 to 100000 images."),
    ("registry", "readerAccounts", "444455556666, prod", "vanta:registry.readerAccounts is prod which is no AWS account id. Write ids of 12 digits in quotes."),
    ("registry", "scanning", "ENHANCED", "vanta:registry.scanning is ENHANCED but that is set for a whole account and region, which vanta:registry.accountSettings leaves to another stack. Set that to true, or use BASIC."),
    ("cluster", "version", "1.99", 'vanta:cluster.version is 1.99 for which no add-ons are pinned. Use "1.34" or "1.35".'),
    ("cluster", "instanceType", "t3.nano", "vanta:cluster.instanceType is t3.nano which cannot be a node. Use a type like t3.medium or m7i.large."),
    ("cluster", "minNodes", 0, "vanta:cluster.minNodes is 0 which is out of range. Use 1 to 450 nodes a zone."),
    ("cluster", "minNodes", 4, "vanta:cluster.maxNodes is 3 which is less than vanta:cluster.minNodes (4). Use 4 or more."),
    ("cluster", "nodeRelease", "latest", "vanta:cluster.nodeRelease is latest which is no release of Bottlerocket. Write it like 1.50.0-abcdef01, or leave it empty."),
    ("cluster", "logRetentionDays", 8, "vanta:cluster.logRetentionDays is 8 which CloudWatch Logs does not offer as a retention. Use 14."),
    ("cluster", "admins", "arn:aws:iam::1:role/a", "vanta:cluster.admins is arn:aws:iam::1:role/a which is no name of a role. Write it like vanta-prod-deploy, without its ARN."),
    ("cluster", "publicCidrs", "203.0.113.1/24", "vanta:cluster.publicCidrs is 203.0.113.1/24 but must be an IPv4 network. Write it like 203.0.113.0/24."),
    ("cluster", "enabled", True, 'vanta:cluster.admins is "" but nobody else could administer the cluster, whoever makes it included. Name a role, such as the one that deploys.'),
    ("alarms", "email", "oncall", "vanta:alarms.email is oncall which is no e-mail address. Write it like oncall@example.com."),
    ("keys", "deletionDays", 6, "vanta:keys.deletionDays is 6 which is out of range. Use 7 to 30 days."),
    ("keys", "rotationDays", 89, "vanta:keys.rotationDays is 89 which is out of range. Use 90 to 2560 days."),
    ("network", "cidr", "10.0.0.300/16", "vanta:network.cidr is 10.0.0.300/16 but must be an IPv4 network. Write it like 10.20.0.0/16."),
    ("network", "cidr", "10.20.5.0/16", "vanta:network.cidr is 10.20.5.0/16 but a network of /16 does not begin at that address. Use 10.20.0.0/16."),
    ("network", "cidr", "8.8.0.0/16", "vanta:network.cidr is 8.8.0.0/16 which is not a private range. Use a part of 10.0.0.0/8."),
    ("network", "cidr", "10.0.0.0/24", "vanta:network.cidr is 10.0.0.0/24 which is out of range. Use a network from /16 to /20."),
    ("network", "cidr", "172.17.16.0/20", "vanta:network.cidr is 172.17.16.0/20 but AWS services use 172.17.0.0/16 themselves. Use a part of 10.0.0.0/8."),
    ("network", "connectedCidrs", "10.9.0.0/16, 10.20.128.0/20", "vanta:network.cidr is 10.20.0.0/16 but overlaps 10.20.128.0/20, which vanta:network.connectedCidrs says it will be connected to. Use a range of its own."),
    ("network", "connectedCidrs", "10.9.0.0/33", "vanta:network.connectedCidrs is 10.9.0.0/33 but must be an IPv4 network. Write it like 10.20.0.0/16."),
    ("network", "nat", "two", "vanta:network.nat is two which is none of its values. Use none or one or zone."),
    ("network", "flowLogDays", 8, "vanta:network.flowLogDays is 8 which CloudWatch Logs does not offer as a retention. Use 14."),
    ("recovery", "role", "spare", "vanta:recovery.role is spare which is none of its values. Use primary or standby."),
    ("recovery", "role", "standby", 'vanta:recovery.primaryStack is "" but vanta:recovery.role is standby, which follows a stack. Name the stack, such as prod.'),
    ("recovery", "primaryStack", "prod", "vanta:recovery.primaryStack is prod but vanta:recovery.role is primary, which follows nobody. Remove it, or set the role to standby."),
    ("recovery", "region", "Frankfurt", "vanta:recovery.region is Frankfurt which is no region. Write it like eu-central-1."),
    ("network", "zones", 1, "vanta:network.zones is 1 which is out of range. Use 2 to 6 availability zones."),
]
# fmt: on


@pytest.mark.parametrize(("room", "key", "value", "message"), REFUSALS, ids=lambda value: str(value)[:40])
def test_a_refusal_names_key_value_and_remedy(
    configuration: Configuration, room: str, key: str, value: object, message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("pr-118", {room: {key: value}}), "pr-118")
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("lifetim", "permanent", "vanta:lifetim is permanent but no such key exists. Did you mean vanta:lifetime?"),
        ("lifetime", "eternal", "vanta:lifetime is eternal which is none of its values. Use throwaway or permanent or retiring."),
        ("account", "12345", 'vanta:account is 12345 which is no AWS account id. Write its 12 digits in quotes.'),
        ("owner", "", 'vanta:owner is "" but is a tag\'s value. Use 1 to 64 letters, digits, spaces or _.:/=+@-.'),
        ("database", "5", "vanta:database is 5 but holds a group of keys. Write its keys below vanta:database."),
        ("databse", {"readers": 1}, "vanta:databse is {'readers': 1} but no such key exists. Did you mean vanta:database?"),
        ("readers", 1, "vanta:readers is 1 but no such key exists. Did you mean vanta:database.readers?"),
        ("database.readers", 3, "vanta:database.readers is 3 but is written as one flat key. Write readers below vanta:database."),
        ("zzz", 1, "vanta:zzz is 1 but no such key exists. Remove it; docs/reference/configuration.md lists all keys."),
    ],
)  # fmt: skip
def test_a_key_outside_the_rooms_is_refused_the_same_way(
    configuration: Configuration, key: str, value: object, message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration() | {key: value}, "dev")
    assert str(refused.value) == message


def test_a_standby_cannot_say_where_copies_lie(configuration: Configuration) -> None:
    own = {"role": "standby", "primaryStack": "prod", "region": "eu-central-1"}
    with pytest.raises(SettingsError) as refused:
        parse(configuration("dev", {"recovery": own}), "dev")
    assert str(refused.value) == (
        "vanta:recovery.region is eu-central-1 but vanta:recovery.role is standby: its primary decides which region holds "
        "the copies. Remove it."
    )


@pytest.mark.parametrize("stack", ["prod", "prod-eu"])
def test_production_without_deletion_protection_is_refused(configuration: Configuration, stack: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("dev", {"lifetime": "throwaway"}), stack)
    assert str(refused.value) == (
        f'vanta:lifetime is throwaway but stack "{stack}" is production: its data would have no deletion protection. '
        "Use permanent, or retiring before you destroy it."
    )


def test_a_permanent_stack_without_readers_is_refused(configuration: Configuration) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("prod", {"database": {"readers": 0}}), "prod")
    assert str(refused.value) == (
        "vanta:database.readers is 0 but vanta:lifetime is permanent: nothing could take over when the writer is lost."
        " Use 1 or more."
    )


def test_a_cache_of_more_nodes_than_elasticache_allows_is_refused(configuration: Configuration) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("dev", {"cache": {"shards": 31, "nodes": 3}}), "dev")
    assert str(refused.value) == (
        "vanta:cache.shards is 31 but with vanta:cache.nodes (3) in each that is 93 nodes of at most 90. "
        "Use 30 or fewer."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"readers": 0, "maxReaders": 3}, "vanta:database.readers is 0 but vanta:database.maxReaders asks for scaling, which measures the readers there are. Use 1 or more."),
        ({"restoreSnapshot": "s", "restoreCluster": "c"}, "vanta:database.restoreSnapshot is s but vanta:database.restoreCluster is c: a cluster begins from one of them. Remove one."),
        ({"restoreCluster": "c", "restoreTime": "yesterday"}, "vanta:database.restoreTime is yesterday which is no moment in UTC. Write it like 2026-01-31T13:05:00Z."),
        ({"restoreCluster": "c", "restoreTime": "2026-02-30T00:00:00Z"}, "vanta:database.restoreTime is 2026-02-30T00:00:00Z which is no moment in UTC. Write it like 2026-01-31T13:05:00Z."),
    ],
)  # fmt: skip
def test_values_of_the_database_that_contradict_each_other_are_refused(
    configuration: Configuration, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("dev", {"database": changes}), "dev")
    assert str(refused.value) == message


def test_a_region_that_aws_does_not_have_is_refused_in_a_sentence() -> None:
    before = CONFIG.set({"aws:region": "eu-nowhere-9"})
    try:
        with pytest.raises(SettingsError) as refused:
            load("dev")
    finally:
        CONFIG.reset(before)
    assert str(refused.value) == (
        "aws:region is eu-nowhere-9, which the AWS provider does not know. Use one like eu-west-1."
    )


def test_a_missing_value_says_where_its_default_comes_from(configuration: Configuration) -> None:
    given = configuration()
    del given["database"]["readers"]
    with pytest.raises(
        SettingsError, match=r"vanta:database.readers has no value. Run the program from the folder"
    ):
        parse(given, "dev")


@pytest.mark.parametrize("stack", ["PR-118", "pr_118", "1st", "a--b", "ends-", "a" * 19, ""])
def test_a_stack_whose_name_some_service_refuses_is_refused(configuration: Configuration, stack: str) -> None:
    with pytest.raises(SettingsError, match=f'The stack name "{stack}" cannot be part of resource names'):
        parse(configuration(), stack)


@pytest.mark.parametrize("stack", ["local", "dev", "prod", "prod-dr"])
def test_every_committed_stack_is_accepted(configuration: Configuration, stack: str) -> None:
    assert parse(configuration(stack), stack).lifetime.protected == stack.startswith("prod")


def test_every_field_of_the_settings_is_in_the_schema_with_its_type_and_no_other() -> None:
    spelt = {bool: "boolean", int: "integer"}
    assert {key: spelt.get(kind, "string") for key, kind in known_keys(Settings).items()} == {
        entry.key: entry.type for entry in configuration_schema()
    }


def test_values_may_arrive_as_the_text_that_the_engine_hands_over(configuration: Configuration) -> None:
    given = configuration()
    given["database"] = json.dumps(given["database"] | {"readers": "3", "iamAuthentication": "true"})
    database = parse(given, "dev").database
    assert (database.readers, database.iam_authentication) == (3, True)


@given(hot=st.integers(0, 4000), warm=st.integers(0, 4000), expiry=st.integers(0, 4000))
def test_a_lifecycle_is_accepted_exactly_when_s3_gives_what_it_charges_for(
    hot: int, warm: int, expiry: int
) -> None:
    archive = ArchiveSettings(
        warm_after_days=hot,
        cold_after_days=warm,
        expire_after_days=expiry,
        noncurrent_days=1,
        multipart_days=1,
    )
    valid = hot >= 30 and warm - hot >= 30 and expiry - warm >= 90
    try:
        check_archive(archive)
    except SettingsError:
        assert not valid
    else:
        assert valid


def network_of(cidr: str, zones: int) -> NetworkSettings:
    return NetworkSettings(
        cidr=cidr,
        connected_cidrs="",
        zones=zones,
        nat="one",
        endpoints=False,
        flow_logs=True,
        flow_log_days=7,
    )


@given(first=st.integers(0, 2**32 - 1), prefix=st.integers(0, 32), zones=st.integers(-1, 9))
def test_no_network_is_accepted_that_the_internet_routes_or_that_is_too_small(
    first: int, prefix: int, zones: int
) -> None:
    network = ipaddress.IPv4Network((first, prefix), strict=False)
    try:
        check_network(network_of(str(network), zones))
    except SettingsError:
        return
    assert not network.is_global
    assert 16 <= prefix <= 20
    assert 2 <= zones <= 6


@given(data=st.data(), zones=st.integers(2, 6))
def test_every_private_network_of_a_fitting_size_is_accepted(data: st.DataObject, zones: int) -> None:
    within = data.draw(st.sampled_from(network_settings.PRIVATE_RANGES))
    prefix = data.draw(st.integers(max(16, within.prefixlen), 20))
    address = data.draw(st.integers(int(within[0]), int(within[-1])))
    network = ipaddress.IPv4Network((address, prefix), strict=False)
    assume(not network.overlaps(network_settings.RESERVED_RANGE))
    check_network(network_of(str(network), zones))


@pytest.mark.parametrize(
    ("field", "allowed"),
    [
        ("log_retention_days", limits.LOG_RETENTION_DAYS),
        ("performance_insights_days", PERFORMANCE_INSIGHTS_DAYS),
    ],
)
def test_the_remedy_of_a_refused_retention_is_itself_accepted(
    configuration: Configuration, field: str, allowed: frozenset[int]
) -> None:
    settings = parse(configuration(), "dev")
    check = functools.partial(check_database, lifetime=Lifetime.THROWAWAY, recovery=settings.recovery)
    for days in set(range(-1, 4000)) - allowed:
        with pytest.raises(SettingsError) as refused:
            check(dataclasses.replace(settings.database, **{field: days}))
        assert int(str(refused.value).removesuffix(".").rsplit(" ", 1)[1]) in allowed
    for days in allowed:
        check(dataclasses.replace(settings.database, **{field: days}))
