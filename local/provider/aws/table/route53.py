"""Route 53: zones, their records, and health checks."""

import uuid
from typing import Any

from local.provider.aws.types import Call, Params, ResourceType
from local.provider.values import Properties


def _new(_: Properties) -> Params:
    """Route 53 wants a word of ours by which it knows a repeated request."""
    return {"CallerReference": uuid.uuid4().hex}


def _tags(kind: str) -> Call:
    """The call that tags a thing of that kind."""
    return Call(
        operation="change_tags_for_resource",
        takes=frozenset({"tags"}),
        build=lambda s: {
            "ResourceType": kind,
            "ResourceId": s["id"].removeprefix("/hostedzone/"),
            "AddTags": [{"Key": key, "Value": value} for key, value in s["tags"].items()],
        },
    )


def _record(state: Properties) -> dict[str, Any]:
    record: dict[str, Any] = {"Name": state["name"], "Type": state["type"]}
    plain = {
        "ttl": "TTL",
        "setIdentifier": "SetIdentifier",
        "healthCheckId": "HealthCheckId",
    }
    record |= {parameter: state[name] for name, parameter in plain.items() if state.get(name) is not None}
    if state.get("records"):
        record["ResourceRecords"] = [{"Value": value} for value in state["records"]]
    for alias in state.get("aliases", []):
        record["AliasTarget"] = {
            "HostedZoneId": alias["zoneId"],
            "DNSName": alias["name"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
    for policy in state.get("failoverRoutingPolicies", []):
        record["Failover"] = policy["type"]
    return record


def _change(action: str, state: Properties) -> Params:
    return {
        "HostedZoneId": state["zoneId"],
        "ChangeBatch": {"Changes": [{"Action": action, "ResourceRecordSet": _record(state)}]},
    }


_RECORD = frozenset(
    {
        "zoneId",
        "name",
        "type",
        "ttl",
        "records",
        "aliases",
        "setIdentifier",
        "failoverRoutingPolicies",
        "healthCheckId",
    }
)
_CHECK = ("type", "port", "resourcePath", "requestInterval", "failureThreshold")

TYPES = (
    ResourceType(
        token="aws:route53/zone:Zone",
        service="route53",
        create=Call(operation="create_hosted_zone", further=_new),
        updates=(
            Call(
                operation="update_hosted_zone_comment",
                takes=frozenset({"comment"}),
                build=lambda s: {"Id": s["id"], "Comment": s["comment"]},
            ),
            _tags("hostedzone"),
        ),
        read=Call(operation="get_hosted_zone", build=lambda s: {"Id": s["id"]}),
        delete=(Call(operation="delete_hosted_zone", build=lambda s: {"Id": s["id"]}),),
        id="answer.HostedZone.Id",
        names={"comment": "HostedZoneConfig.Comment"},
        outputs={"nameServers": "DelegationSet.NameServers"},
        computed=lambda s: {
            "zoneId": s["id"].removeprefix("/hostedzone/"),
            "arn": f"arn:aws:route53:::{s['id'].removeprefix('/')}",
            "primaryNameServer": s["nameServers"][0],
        },
        unsent=frozenset({"forceDestroy"}),
    ),
    ResourceType(
        token="aws:route53/record:Record",
        service="route53",
        create=Call(
            operation="change_resource_record_sets",
            takes=_RECORD,
            build=lambda s: _change("UPSERT" if s.get("allowOverwrite") else "CREATE", s),
        ),
        updates=(
            Call(
                operation="change_resource_record_sets",
                takes=_RECORD - {"zoneId", "name", "type", "setIdentifier"},
                build=lambda s: _change("UPSERT", s),
            ),
        ),
        read=Call(
            operation="list_resource_record_sets",
            build=lambda s: {
                "HostedZoneId": s["zoneId"],
                "StartRecordName": s["name"],
                "StartRecordType": s["type"],
            },
        ),
        # The list begins with the records of that name, if there are any, and goes on with others.
        # A name that was given with a dot has two in the id.
        answer=(
            "ResourceRecordSets[?ends_with('$id', join('_', ['', Name, Type, not_null(SetIdentifier, '')]))"
            " || ends_with('$id', join('', ['_', Name, '._', Type, '_', not_null(SetIdentifier, '')]))] | [0]"
            ".{Type: Type, TTL: TTL, SetIdentifier: SetIdentifier, HealthCheckId: HealthCheckId}"
        ),
        delete=(Call(operation="change_resource_record_sets", build=lambda s: _change("DELETE", s)),),
        # With the dot that Route 53 puts after every name.
        id="join('_', [input.zoneId, join('', [input.name, '.']), input.type, not_null(input.setIdentifier, '')])",
        computed=lambda s: {"fqdn": s["name"].removesuffix(".")},
        unsent=frozenset({"allowOverwrite"}),
    ),
    ResourceType(
        token="aws:route53/healthCheck:HealthCheck",
        service="route53",
        create=Call(operation="create_health_check", further=_new),
        updates=(
            Call(
                operation="update_health_check",
                takes=frozenset({"fqdn", "port", "resourcePath", "failureThreshold", "enableSni"}),
                build=lambda s: {
                    "HealthCheckId": s["id"],
                    "FullyQualifiedDomainName": s["fqdn"],
                    "Port": s["port"],
                    "ResourcePath": s["resourcePath"],
                    "FailureThreshold": s["failureThreshold"],
                    "EnableSNI": s["enableSni"],
                },
            ),
            _tags("healthcheck"),
        ),
        read=Call(operation="get_health_check"),
        answer="HealthCheck",
        delete=(Call(operation="delete_health_check", takes=frozenset()),),
        identity={"HealthCheckId": "id"},
        id="answer.HealthCheck.Id",
        names={
            **{name: f"HealthCheckConfig.{name[0].upper()}{name[1:]}" for name in _CHECK},
            "fqdn": "HealthCheckConfig.FullyQualifiedDomainName",
            "enableSni": "HealthCheckConfig.EnableSNI",
        },
        computed=lambda s: {"arn": f"arn:aws:route53:::healthcheck/{s['id']}"},
    ),
)
