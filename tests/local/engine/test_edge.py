"""Edge, evidence, dashboard and budget, made by the real engine: they come, stay as they are, change, and go."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest
from pulumi.automation import EngineEvent

from infra import settings
from infra.aws import place
from infra.aws.alarms import Alarms, AlarmsArgs
from infra.aws.audit import Audit, AuditArgs
from infra.aws.budget import Budget, BudgetArgs
from infra.aws.dashboard import Dashboard, DashboardArgs
from infra.aws.edge import Edge, EdgeArgs
from infra.aws.edge_alarms import edge_alarms
from infra.aws.keys import Keys, KeysArgs
from infra.aws.network import Network, NetworkArgs
from infra.aws.notifications import Notifications, NotificationsArgs
from infra.aws.recorder import Recorder, RecorderArgs
from infra.aws.threat_detection import ThreatDetection, ThreatDetectionArgs
from infra.aws.trail import Trail, TrailArgs
from infra.names import Names
from local.aws.emulator import ACCOUNT, Aws
from local.pulumi.stack import Change, Stack

REGION = "eu-west-1"


def part() -> None:
    """The rooms around what holds data, as stack ``local`` would have them."""
    chosen = settings.load("local")
    here = place.find(zones=2, account=chosen.account)
    names = Names(stack="local", owner=chosen.owner, account_id=here.account_id, region=here.region)
    lifetime = chosen.lifetime
    network = Network(
        "network", NetworkArgs(names=names, cidr=chosen.network.cidr, zones=here.zones, nat="none")
    )
    keys = Keys(
        "keys",
        KeysArgs(
            names=names,
            place=here,
            lifetime=lifetime,
            deletion_days=chosen.keys.deletion_days,
            rotation_days=chosen.keys.rotation_days,
        ),
    )
    topic = Notifications(
        "notifications",
        NotificationsArgs(names=names, account_id=here.account_id, kms_key_arn=keys.notifications, email=""),
    ).topic_arn
    audit = Audit(
        "audit", AuditArgs(names=names, settings=chosen.audit, lifetime=lifetime, kms_key_arn=keys.audit)
    )
    trail = Trail(
        "trail",
        TrailArgs(
            names=names,
            place=here,
            lifetime=lifetime,
            lock=chosen.audit,
            retention_days=chosen.evidence.log_days,
            evidence_key_arn=keys.evidence,
            logs_key_arn=keys.logs,
            watched_bucket_arns=[audit.arn],
        ),
    )
    ThreatDetection("threat-detection", ThreatDetectionArgs(names=names, lifetime=lifetime, topic_arn=topic))
    Recorder(
        "recorder",
        RecorderArgs(
            names=names,
            place=here,
            lifetime=lifetime,
            evidence_key_arn=keys.evidence,
            topic_arn=topic,
            retention_days=chosen.evidence.log_days,
            global_resources=True,
        ),
    )
    edge = Edge(
        "edge",
        EdgeArgs(
            names=names,
            place=here,
            lifetime=lifetime,
            domain=chosen.dns.zone,
            zone_id=chosen.dns.zone_id,
            host=chosen.dns.host,
            standby=False,
            firewall=chosen.firewall,
            vpc_id=network.vpc_id,
            subnet_ids=network.public_subnet_ids,
            app_group_id=network.app_security_group_id,
            logs_key_arn=keys.logs,
        ),
    )
    watched = edge_alarms(edge.load_balancer)
    Alarms("alarms", AlarmsArgs(names=names, topic_arn=topic, alarms=watched))
    Dashboard("dashboard", DashboardArgs(names=names, place=here, alarms=watched))
    Budget("budget", BudgetArgs(names=names, monthly_usd=chosen.budget.monthly_usd, topic_arn=topic))
    pulumi.export("zoneId", edge.zone_id)
    pulumi.export("balancer", edge.load_balancer.arn)
    pulumi.export("audit", audit.arn)
    pulumi.export("trailBucket", trail.bucket)


@pytest.fixture(scope="module")
def stack(engine: Path, module_aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stack]:
    """The stack of this module, with configuration laid over what brings everything up."""
    folder = tmp_path_factory.mktemp("stack")
    base: dict[str, Mapping[str, Any]] = {
        "vanta:dns": {"zone": "vanta.example"},
        "vanta:budget": {"monthlyUsd": 100},
    }

    def make(**rooms: Mapping[str, Any]) -> Stack:
        config = {**base, **{f"vanta:{room}": values for room, values in rooms.items()}}
        return Stack(
            "local", folder=folder, engine=engine, endpoint=module_aws.endpoint, config=config, declare=part
        )

    return make


@pytest.fixture(scope="module")
def deployed(stack: Callable[..., Stack]) -> Change:
    """The stack, brought up once for the module."""
    return stack().up()


@pytest.fixture
def client(module_aws: Aws) -> Callable[[str], Any]:
    """boto3 clients for the module's emulator."""
    return lambda service: boto3.client(
        service,
        region_name=REGION,
        endpoint_url=module_aws.endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
    )


def test_a_second_preview_shows_no_change(stack: Callable[..., Stack], deployed: Change) -> None:
    assert stack().preview().operations == {"same": deployed.operations["create"]}


def test_a_refresh_of_what_nobody_touched_finds_no_drift(
    stack: Callable[..., Stack], deployed: Change
) -> None:
    assert stack().refresh().operations == {"same": deployed.operations["create"]}


def test_the_names_lead_to_the_load_balancer(deployed: Change, client: Callable[[str], Any]) -> None:
    (balancer,) = client("elbv2").describe_load_balancers()["LoadBalancers"]
    records = client("route53").list_resource_record_sets(HostedZoneId=deployed.outputs["zoneId"])
    led = {r["Name"]: r for r in records["ResourceRecordSets"] if r["Type"] == "A"}
    assert set(led) == {"api.vanta.example.", "local.vanta.example."}
    assert {r["AliasTarget"]["DNSName"].rstrip(".") for r in led.values()} == {balancer["DNSName"]}
    assert led["api.vanta.example."]["Failover"] == "PRIMARY"


def test_the_firewall_stands_before_the_load_balancer(deployed: Change, client: Callable[[str], Any]) -> None:
    acl = client("wafv2").get_web_acl_for_resource(ResourceArn=deployed.outputs["balancer"])["WebACL"]
    assert acl["Name"] == "vanta-local-firewall"
    assert [rule["Name"] for rule in acl["Rules"]] == [
        "requests",
        "AmazonIpReputationList",
        "KnownBadInputsRuleSet",
        "CommonRuleSet",
    ]


def test_requests_to_plain_http_are_sent_to_https(deployed: Change, client: Callable[[str], Any]) -> None:
    listeners = client("elbv2").describe_listeners(LoadBalancerArn=deployed.outputs["balancer"])["Listeners"]
    actions = {each["Protocol"]: each["DefaultActions"][0] for each in listeners}
    assert actions["HTTP"]["RedirectConfig"]["Protocol"] == "HTTPS"
    assert actions["HTTPS"]["Type"] == "forward"


def test_the_trail_records_access_to_the_audit_bucket(deployed: Change, client: Callable[[str], Any]) -> None:
    trail = client("cloudtrail")
    assert trail.get_trail_status(Name="vanta-local-trail")["IsLogging"]
    selectors = trail.get_event_selectors(TrailName="vanta-local-trail")["AdvancedEventSelectors"]
    arns = [f["StartsWith"] for s in selectors for f in s["FieldSelectors"] if f["Field"] == "resources.ARN"]
    assert arns == [[f"{deployed.outputs['audit']}/"]]


def test_what_the_trail_delivered_cannot_be_deleted(deployed: Change, client: Callable[[str], Any]) -> None:
    s3, bucket = client("s3"), deployed.outputs["trailBucket"]
    version = s3.put_object(Bucket=bucket, Key="AWSLogs/one.json.gz", Body=b"{}")["VersionId"]
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="AWSLogs/one.json.gz", VersionId=version)


def test_the_recorder_records_and_its_rules_are_active(
    deployed: Change, client: Callable[[str], Any]
) -> None:
    assert deployed.changed
    config = client("config")
    (status,) = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    assert status["recording"]
    rules = config.describe_config_rules()["ConfigRules"]
    assert len(rules) == 8
    assert {rule["ConfigRuleState"] for rule in rules} == {"ACTIVE"}


def test_a_changed_limit_changes_the_rule_and_nothing_else(
    stack: Callable[..., Stack], deployed: Change, client: Callable[[str], Any]
) -> None:
    changes: list[str] = []

    def note(event: EngineEvent) -> None:
        if event.resource_pre_event and event.resource_pre_event.metadata.op != "same":
            step = event.resource_pre_event.metadata
            changes.append(f"{step.op.value} {step.urn.split('::')[-1]} {sorted(step.detailed_diff or {})}")

    stack(firewall={"requestsPerMinute": 500}, budget={"monthlyUsd": 200}).up(on_event=note)
    assert [c.split("[")[0].strip() for c in sorted(changes)] == ["update budget", "update firewall"]
    acl = client("wafv2").get_web_acl_for_resource(ResourceArn=deployed.outputs["balancer"])["WebACL"]
    assert acl["Rules"][0]["Statement"]["RateBasedStatement"]["Limit"] == 500
    budget = client("budgets").describe_budget(AccountId=ACCOUNT, BudgetName="vanta-local-budget")["Budget"]
    assert float(budget["BudgetLimit"]["Amount"]) == 200


def test_destroy_leaves_nothing(
    stack: Callable[..., Stack], deployed: Change, client: Callable[[str], Any]
) -> None:
    assert stack().destroy().operations == {"delete": deployed.operations["create"]}
    assert not client("route53").list_hosted_zones()["HostedZones"]
    assert not client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert not client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    assert not client("cloudtrail").describe_trails()["trailList"]
    assert not client("config").describe_config_rules()["ConfigRules"]
    assert not client("events").list_rules()["Rules"]
    assert not client("acm").list_certificates()["CertificateSummaryList"]
    assert not client("cloudwatch").list_dashboards()["DashboardEntries"]
    assert not client("s3").list_buckets()["Buckets"]
