"""How clients find the API, and what they meet before it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from app.api.routes import ROUTES
from infra.aws.edge import Edge, EdgeArgs
from infra.aws.load_balancer import READINESS
from infra.aws.place import Place
from infra.names import Names
from infra.refusal import SettingsError
from infra.settings import parse
from infra.settings.firewall import FirewallSettings
from infra.settings.lifetime import Lifetime

Declare = Callable[..., Any]
Alone = Callable[[Callable[[], object]], Any]
NAMES = Names(stack="dr", owner="platform", account_id="111122223333", region="eu-central-1")
PLACE = Place(
    account_id="111122223333",
    partition="aws",
    region="eu-central-1",
    zones=("eu-central-1a", "eu-central-1b"),
)


@pytest.fixture(scope="module")
def standby(alone: Alone) -> Any:
    """The edge of a standby, in its primary's zone."""

    def make() -> None:
        Edge(
            "edge",
            EdgeArgs(
                names=NAMES,
                place=PLACE,
                lifetime=Lifetime.PERMANENT,
                domain="vanta.example",
                zone_id="Z0123456789",
                host="api.vanta.example",
                standby=True,
                firewall=FirewallSettings(requests_per_minute=100, log_days=30),
                vpc_id="vpc",
                subnet_ids=["a", "b"],
                app_group_id="app",
                logs_key_arn="key",
            ),
        )

    return alone(make)


# names


def test_both_regions_answer_to_the_clients_name_and_each_to_its_own(prod: Any, standby: Any) -> None:
    for recorded, stack, role in ((prod, "prod", "PRIMARY"), (standby, "dr", "SECONDARY")):
        shared, own = recorded.one("Record", "failover").inputs, recorded.one("Record", "failover-own").inputs
        assert shared["name"] == "api.vanta.example"
        assert shared["failoverRoutingPolicies"] == [{"type": role}]
        assert shared["setIdentifier"] == stack
        assert own["name"] == f"{stack}.vanta.example"
        assert "failoverRoutingPolicies" not in own


def test_clients_are_led_where_requests_succeed(prod: Any) -> None:
    check = prod.one("HealthCheck").inputs
    assert (check["type"], check["port"], check["enableSni"]) == ("HTTPS", 443, True)
    # The shared name would lead the check to whichever region serves: it has to ask this one.
    assert check["fqdn"] == "prod.vanta.example"
    assert prod.one("Record", "failover").inputs["healthCheckId"] == "failover-id"
    assert prod.one("TargetGroup").inputs["healthCheck"]["path"] == check["resourcePath"] == READINESS


def test_a_way_that_operators_have_closed_stays_closed(prod: Any) -> None:
    assert prod.one("HealthCheck").ignore_changes == {"disabled", "invertHealthcheck"}


def test_the_path_that_is_asked_is_one_that_the_app_answers() -> None:
    assert READINESS in {route.path for route in ROUTES}


def test_the_zone_is_made_only_where_there_is_none(prod: Any, standby: Any) -> None:
    assert prod.one("route53/zone:Zone").inputs["name"] == "vanta.example"
    assert not standby.all("route53/zone:Zone")
    assert {record.inputs["zoneId"] for record in standby.all("Record")} == {"Z0123456789"}


def test_nobody_but_amazon_may_issue_certificates_for_the_zone(prod: Any) -> None:
    record = prod.one("Record", "zone").inputs
    assert record["type"] == "CAA"
    assert record["records"] == ['0 issue "amazon.com"', '0 issuewild "amazon.com"']


def test_the_certificate_proves_both_names_by_records_that_one_stack_keeps(prod: Any, standby: Any) -> None:
    for recorded in (prod, standby):
        certificate = recorded.one("acm/certificate:Certificate").inputs
        assert certificate["validationMethod"] == "DNS"
        assert len(certificate["subjectAlternativeNames"]) == 2
    proofs = {
        record.name: record.inputs["name"]
        for record in prod.all("Record")
        if "proof" in record.inputs["name"]
    }
    assert proofs == {
        "certificate-shared": "_proof.api.vanta.example.",
        "certificate-own": "_proof.prod.vanta.example.",
    }
    # Were the standby to keep the record of the shared name too, its end would be that of the primary's certificate.
    assert [r.name for r in standby.all("Record") if r.name.startswith("certificate")] == ["certificate-own"]


def test_listeners_wait_until_the_certificate_is_issued(prod: Any) -> None:
    assert "CertificateValidation certificate" in prod.one("Listener", "load-balancer-https").dependencies


# load balancer


def test_the_load_balancer_speaks_modern_tls_and_sends_plain_http_there(prod: Any) -> None:
    https = prod.one("Listener", "load-balancer-https").inputs
    assert (https["protocol"], https["port"]) == ("HTTPS", 443)
    assert https["sslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-Res")
    (action,) = prod.one("Listener", "load-balancer-http").inputs["defaultActions"]
    assert action == {
        "type": "redirect",
        "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"},
    }


def test_a_request_that_could_be_read_in_two_ways_goes_no_further(prod: Any) -> None:
    balancer = prod.one("lb/loadBalancer:LoadBalancer").inputs
    assert balancer["dropInvalidHeaderFields"]
    assert balancer["desyncMitigationMode"] == "strictest"


def test_the_load_balancer_reaches_the_app_and_nothing_else(prod: Any) -> None:
    ways_out = [
        rule.inputs
        for rule in prod.all("SecurityGroupEgressRule")
        if rule.inputs["securityGroupId"] == "load-balancer-id"
    ]
    assert [(rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"]) for rule in ways_out] == [
        ("app-id", 8080, 8080)
    ]
    ways_in = [
        rule.inputs
        for rule in prod.all("SecurityGroupIngressRule")
        if rule.inputs["securityGroupId"] == "load-balancer-id"
    ]
    assert {(rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) for rule in ways_in} == {
        ("0.0.0.0/0", 443, 443),
        ("0.0.0.0/0", 80, 80),
    }


def test_access_logs_are_delivered_below_this_account_alone(prod: Any) -> None:
    assert prod.one("lb/loadBalancer:LoadBalancer").inputs["accessLogs"]["enabled"]
    policy = json.loads(prod.one("BucketPolicy", "edge-logs").inputs["policy"])
    own = {statement["Sid"]: statement for statement in policy["Statement"]}
    delivery = own["LoadBalancerLogDelivery"]
    assert delivery["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert delivery["Action"] == "s3:PutObject"
    bucket = "vanta-prod-edge-logs-111122223333-eu-west-1"
    assert delivery["Resource"] == f"arn:aws:s3:::{bucket}/AWSLogs/111122223333/*"
    assert "BucketPolicy edge-logs" in prod.one("lb/loadBalancer:LoadBalancer").dependencies


def test_a_permanent_stack_cannot_lose_its_load_balancer_by_one_mistake(declare: Declare, prod: Any) -> None:
    dev = declare("dev", {"dns": {"zone": "dev.vanta.example"}})
    assert prod.one("lb/loadBalancer:LoadBalancer").inputs["enableDeletionProtection"]
    assert not dev.one("lb/loadBalancer:LoadBalancer").inputs["enableDeletionProtection"]


# firewall


def rules(recorded: Any) -> Mapping[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in recorded.one("WebAcl").inputs["rules"]}


def test_the_firewall_knows_attacks_and_limits_each_address(standby: Any) -> None:
    found = rules(standby)
    assert set(found) == {"requests", "AmazonIpReputationList", "KnownBadInputsRuleSet", "CommonRuleSet"}
    limit = found["requests"]["statement"]["rateBasedStatement"]
    assert (limit["limit"], limit["evaluationWindowSec"], limit["aggregateKeyType"]) == (100, 60, "IP")
    assert found["requests"]["action"] == {"block": {"customResponse": {"responseCode": 429}}}
    assert sorted(rule["priority"] for rule in found.values()) == [0, 1, 2, 3]


def test_documents_may_be_large_and_hold_markup_while_everything_else_is_blocked(prod: Any) -> None:
    common = rules(prod)["CommonRuleSet"]["statement"]["managedRuleGroupStatement"]
    counted = {each["name"]: each["actionToUse"] for each in common["ruleActionOverrides"]}
    assert set(counted) >= {"SizeRestrictions_BODY", "CrossSiteScripting_BODY"}
    assert all(name.endswith("_BODY") for name in counted)
    assert all(action == {"count": {}} for action in counted.values())
    assert all(
        rule["overrideAction"] == {"none": {}} for name, rule in rules(prod).items() if name != "requests"
    )


def test_what_was_blocked_is_logged_without_credentials(prod: Any) -> None:
    logging = prod.one("WebAclLoggingConfiguration").inputs
    assert logging["redactedFields"] == [{"singleHeader": {"name": "authorization"}}]
    assert logging["loggingFilter"]["defaultBehavior"] == "DROP"
    group = prod.one("LogGroup", "firewall").inputs
    assert group["name"].startswith("aws-waf-logs-")
    assert group["kmsKeyId"].endswith(":logs")
    acl = prod.one("WebAcl").inputs
    shown = [acl["visibilityConfig"], *(rule["visibilityConfig"] for rule in acl["rules"])]
    assert not any(each["sampledRequestsEnabled"] for each in shown)
    assert all(each["cloudwatchMetricsEnabled"] for each in shown)


def test_the_firewall_stands_before_the_load_balancer(prod: Any) -> None:
    association = prod.one("WebAclAssociation").inputs
    assert association["resourceArn"].endswith(":load-balancer")
    assert association["webAclArn"].endswith(":firewall")


def test_without_a_zone_nothing_is_reached_from_the_internet(dev: Any) -> None:
    assert dev.outputs["edge"] == {}
    for kind in ("lb/loadBalancer:LoadBalancer", "WebAcl", "acm/certificate:Certificate", "Record"):
        assert not dev.all(kind)
    assert not [
        rule.name
        for rule in dev.all("SecurityGroupIngressRule")
        if rule.inputs.get("cidrIpv4") == "0.0.0.0/0"
    ]


# refusals


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"dns": {"zone": "vanta"}},
            "vanta:dns.zone is vanta which is no domain. Write it like vanta.example.com.",
        ),
        (
            {"dns": {"zone": "", "zoneId": "Z0123"}},
            "vanta:dns.zoneId is Z0123 but vanta:dns.zone does not say its name. Set both.",
        ),
        (
            {"dns": {"zone": "vanta.example", "zoneId": "hosted"}},
            "vanta:dns.zoneId is hosted which is no hosted zone's id. Write it like Z0123456789ABCDEFGHIJ.",
        ),
        (
            {"dns": {"label": "a.b"}},
            "vanta:dns.label is a.b which is no label of a domain. Write it like api.",
        ),
        (
            {"dns": {"label": "dev"}},
            "vanta:dns.label is dev but that name leads to this stack alone, whoever serves. Use api.",
        ),
        (
            {"dns": {"zone": f"{'v' * 60}.example"}},
            (
                f"vanta:dns.zone is {'v' * 57}... but with vanta:dns.label it has 72 characters, of which a certificate "
                "takes 64. Use a shorter one."
            ),
        ),
        (
            {"dns": {"zone": "vanta.example"}, "recovery": {"role": "standby", "primaryStack": "prod"}},
            (
                "vanta:dns.zone is vanta.example but vanta:recovery.role is standby, which answers in its primary's "
                "zone. Remove it."
            ),
        ),
        (
            {"firewall": {"requestsPerMinute": 9}},
            "vanta:firewall.requestsPerMinute is 9 which is out of range. Use 10 to 999999999 requests.",
        ),
    ],
)
def test_an_edge_that_cannot_be_is_refused(
    configuration: Callable[..., dict[str, Any]], changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("dev", changes), "dev")
    assert str(refused.value) == sentence
