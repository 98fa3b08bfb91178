"""Who is told of trouble, and when."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.capacity import memory_gib
from infra.aws.state_alarms import database_alarms
from infra.settings import parse

Declare = Callable[..., Any]


def alarms(recorded: Any) -> dict[str, dict[str, Any]]:
    return {alarm.name: alarm.inputs for alarm in recorded.all("MetricAlarm")}


def thresholds(gib: float) -> dict[str, float]:
    """Of a database whose instances have so much memory."""
    return {alarm.noun: alarm.threshold for alarm in database_alarms("database", gib, readers=False)}


def test_trouble_of_the_database_is_watched_in_both_roles_whoever_has_them(prod: Any) -> None:
    watched = {name: alarm for name, alarm in alarms(prod).items() if name.startswith("database-")}
    assert {(a["metricName"], a["dimensions"].get("Role")) for a in watched.values()} == {
        *((m, r) for m in ("CPUUtilization", "DatabaseConnections", "FreeableMemory") for r in ("WRITER", "READER")),
        ("AuroraReplicaLagMaximum", None),
    }  # fmt: skip
    assert {a["dimensions"]["DBClusterIdentifier"] for a in watched.values()} == {"vanta-prod-database"}
    assert {a["namespace"] for a in watched.values()} == {"AWS/RDS"}


def test_trouble_of_the_cache_is_watched_on_every_node(prod: Any) -> None:
    watched = {name: alarm for name, alarm in alarms(prod).items() if name.startswith("cache-")}
    assert {(a["metricName"], a["dimensions"]["CacheClusterId"]) for a in watched.values()} == {
        (metric, f"vanta-prod-cache-00{node}")
        for metric in ("EngineCPUUtilization", "DatabaseMemoryUsagePercentage", "Evictions", "ReplicationLag")
        for node in (1, 2, 3)
    }


def test_trouble_of_a_sharded_cache_is_watched_in_every_shard(declare: Declare) -> None:
    watched = alarms(declare("dev", {"cache": {"shards": 2, "nodes": 2}, "workload": {"image": ""}}))
    assert {
        a["dimensions"]["CacheClusterId"] for a in watched.values() if "CacheClusterId" in a["dimensions"]
    } == {f"vanta-dev-cache-000{shard}-00{node}" for shard in (1, 2) for node in (1, 2)}


def test_what_has_no_replica_is_not_watched_for_lag(declare: Declare) -> None:
    alone = declare("dev", {"database": {"readers": 0}, "cache": {"nodes": 1}})
    assert not [name for name in alarms(alone) if "lag" in name or "reader" in name]


def test_thresholds_follow_the_size_of_the_instances(declare: Declare) -> None:
    small, large = alarms(declare("dev")), alarms(declare("prod"))
    memory, connections = "database-writer-memory", "database-writer-connections"
    assert (small[memory]["threshold"], large[memory]["threshold"]) == (429496729, 1717986918)
    assert (small[connections]["threshold"], large[connections]["threshold"]) == (360, 1441)
    assert small[memory]["comparisonOperator"] == "LessThanThreshold"
    assert small[memory]["statistic"] == "Minimum"
    assert small[connections]["comparisonOperator"] == "GreaterThanThreshold"
    assert small[connections]["statistic"] == "Maximum"


def test_no_instance_is_expected_to_have_more_connections_than_aurora_allows() -> None:
    assert thresholds(512)["database-writer-connections"] == 4000


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [
        ("db.t3.medium", 4),
        ("db.t4g.large", 8),
        ("db.r8g.large", 16),
        ("db.r6i.xlarge", 32),
        ("db.r7g.16xlarge", 512),
        ("db.x2g.2xlarge", 128),
    ],
)
def test_the_memory_of_an_instance_class_is_known(
    configuration: Callable[..., dict[str, Any]], instance_class: str, gib: float
) -> None:
    given = configuration("dev", {"database": {"instanceClass": instance_class}})
    assert memory_gib(parse(given, "dev").database) == gib


def test_thresholds_follow_the_most_that_a_serverless_instance_can_grow_to(
    configuration: Callable[..., dict[str, Any]],
) -> None:
    given = configuration("dev", {"database": {"capacity": "serverless", "maxCapacityUnits": 8}})
    grown = memory_gib(parse(given, "dev").database)
    assert thresholds(grown)["database-writer-memory"] == thresholds(16)["database-writer-memory"]


def test_an_alarm_tells_when_it_begins_and_when_it_ends(prod: Any) -> None:
    for alarm in alarms(prod).values():
        assert alarm["alarmActions"] == alarm["okActions"]
        assert alarm["alarmActions"][0].split(":")[-1] in ("notifications", "notifications-copy")
        assert alarm["period"] * alarm["evaluationPeriods"] in (60, 300)
        assert alarm["treatMissingData"] == "notBreaching"


def test_alarms_can_be_left_out(declare: Declare) -> None:
    recorded = declare("dev", {"alarms": {"enabled": False}})
    assert not recorded.all("MetricAlarm")
    assert recorded.one("Topic")


def test_nobody_is_told_before_somebody_is_named(declare: Declare, dev: Any) -> None:
    assert not dev.all("TopicSubscription")
    told = declare("dev", {"alarms": {"email": "oncall@example.com"}}).one("TopicSubscription").inputs
    assert (told["protocol"], told["endpoint"]) == ("email", "oncall@example.com")


def test_alarms_of_this_account_alone_publish_and_only_over_tls(dev: Any) -> None:
    policy = json.loads(dev.one("TopicPolicy").inputs["policy"])
    own = {statement["Sid"]: statement for statement in policy["Statement"]}
    publish, tls = own["PublishedByAlarms"], own["OnlyOverTls"]
    assert (publish["Effect"], publish["Action"]) == ("Allow", "sns:Publish")
    assert publish["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert publish["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    assert (tls["Effect"], tls["Principal"]) == ("Deny", "*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use(dev: Any) -> None:
    assert dev.one("Topic").inputs["kmsMasterKeyId"].endswith(":notifications")
    statements = json.loads(dev.one("Key", "notifications").inputs["policy"])["Statement"]
    own = {statement["Sid"]: statement for statement in statements}
    users = {"UsedByAlarms", "UsedByBudgets", "UsedByRules", "UsedThroughTopics"}
    assert set(own) == {"AdministeredThroughIam", *users}
    through = {"StringEquals": {"kms:ViaService": "sns.eu-west-1.amazonaws.com"}}
    assert own["UsedThroughTopics"]["Condition"] == through
    assert own["UsedByAlarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert own["UsedByAlarms"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert own["UsedByAlarms"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}
