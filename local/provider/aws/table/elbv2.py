"""Application Load Balancers, their listeners and target groups."""

from typing import Any

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties

_TAGGING = Tagging(add="add_tags", remove="remove_tags", target="ResourceArns[]")
_ATTRIBUTES = {
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "enableDeletionProtection": "deletion_protection.enabled",
}
_CHECK = {
    "path": "HealthCheckPath",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _balancer(state: Properties) -> Params:
    return {
        "Name": state["name"],
        "Type": state["loadBalancerType"],
        "Scheme": "internal" if state.get("internal") else "internet-facing",
        "SecurityGroups": state["securityGroups"],
        "Subnets": state["subnets"],
        "Tags": [{"Key": key, "Value": value} for key, value in state["tags"].items()],
    }


def _attributes(state: Properties) -> Params:
    attributes = {key: _text(state[name]) for name, key in _ATTRIBUTES.items() if name in state}
    logs = state.get("accessLogs")
    if logs:
        attributes |= {
            "access_logs.s3.enabled": _text(logs.get("enabled", False)),
            "access_logs.s3.bucket": logs["bucket"],
        }
    return {
        "LoadBalancerArn": state["id"],
        "Attributes": [{"Key": key, "Value": value} for key, value in attributes.items()],
    }


def _checked(state: Properties) -> dict[str, Any]:
    check = state.get("healthCheck", {})
    params = {parameter: check[name] for name, parameter in _CHECK.items() if name in check}
    return params | ({"Matcher": {"HttpCode": check["matcher"]}} if "matcher" in check else {})


def _targets(state: Properties) -> Params:
    return {
        "Name": state["name"],
        "TargetType": state["targetType"],
        "Protocol": state["protocol"],
        "Port": state["port"],
        "VpcId": state["vpcId"],
        "Tags": [{"Key": key, "Value": value} for key, value in state["tags"].items()],
        **_checked(state),
    }


def _listener(state: Properties) -> dict[str, Any]:
    actions = []
    for action in state["defaultActions"]:
        params: dict[str, Any] = {"Type": action["type"]}
        if "targetGroupArn" in action:
            params["TargetGroupArn"] = action["targetGroupArn"]
        if redirect := action.get("redirect"):
            params["RedirectConfig"] = {
                "Protocol": redirect["protocol"],
                "Port": redirect["port"],
                "StatusCode": redirect["statusCode"],
            }
        actions.append(params)
    params = {"Protocol": state["protocol"], "Port": state["port"], "DefaultActions": actions}
    if state.get("sslPolicy"):
        params["SslPolicy"] = state["sslPolicy"]
    if state.get("certificateArn"):
        params["Certificates"] = [{"CertificateArn": state["certificateArn"]}]
    return params


def _new_listener(state: Properties) -> Params:
    tags = [{"Key": key, "Value": value} for key, value in state["tags"].items()]
    return {"LoadBalancerArn": state["loadBalancerArn"], "Tags": tags, **_listener(state)}


TYPES = (
    ResourceType(
        token="aws:lb/loadBalancer:LoadBalancer",
        service="elbv2",
        create=Call(
            operation="create_load_balancer",
            takes=frozenset({"name", "loadBalancerType", "internal", "securityGroups", "subnets", "tags"}),
            build=_balancer,
        ),
        updates=(
            Call(
                operation="modify_load_balancer_attributes",
                takes=frozenset({*_ATTRIBUTES, "accessLogs"}),
                build=_attributes,
            ),
            Call(operation="set_security_groups", takes=frozenset({"securityGroups"})),
            Call(operation="set_subnets", takes=frozenset({"subnets"})),
        ),
        read=Call(operation="describe_load_balancers", build=lambda s: {"LoadBalancerArns": [s["id"]]}),
        answer="LoadBalancers[0]",
        delete=(Call(operation="delete_load_balancer"),),
        identity={"LoadBalancerArn": "id"},
        id="answer.LoadBalancers[0].LoadBalancerArn",
        outputs={"dnsName": "DNSName", "zoneId": "CanonicalHostedZoneId", "arn": "LoadBalancerArn"},
        computed=lambda s: {"arnSuffix": s["id"].partition("loadbalancer/")[2]},
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:lb/targetGroup:TargetGroup",
        service="elbv2",
        create=Call(
            operation="create_target_group",
            takes=frozenset({"name", "targetType", "protocol", "port", "vpcId", "healthCheck", "tags"}),
            build=_targets,
        ),
        updates=(
            Call(
                operation="modify_target_group",
                takes=frozenset({"healthCheck"}),
                build=lambda s: {"TargetGroupArn": s["id"], **_checked(s)},
            ),
            Call(
                operation="modify_target_group_attributes",
                takes=frozenset({"deregistrationDelay"}),
                build=lambda s: {
                    "TargetGroupArn": s["id"],
                    "Attributes": [
                        {
                            "Key": "deregistration_delay.timeout_seconds",
                            "Value": str(s["deregistrationDelay"]),
                        }
                    ],
                },
            ),
        ),
        read=Call(operation="describe_target_groups", build=lambda s: {"TargetGroupArns": [s["id"]]}),
        answer="TargetGroups[0]",
        delete=(Call(operation="delete_target_group"),),
        identity={"TargetGroupArn": "id"},
        id="answer.TargetGroups[0].TargetGroupArn",
        outputs={"arn": "TargetGroupArn"},
        computed=lambda s: {"arnSuffix": s["id"].rpartition(":")[2]},
        tagging=_TAGGING,
    ),
    ResourceType(
        token="aws:lb/listener:Listener",
        service="elbv2",
        create=Call(
            operation="create_listener",
            takes=frozenset(
                {
                    "loadBalancerArn",
                    "protocol",
                    "port",
                    "defaultActions",
                    "sslPolicy",
                    "certificateArn",
                    "tags",
                }
            ),
            build=_new_listener,
        ),
        updates=(
            Call(
                operation="modify_listener",
                takes=frozenset({"protocol", "port", "defaultActions", "sslPolicy", "certificateArn"}),
                build=lambda s: {"ListenerArn": s["id"], **_listener(s)},
            ),
        ),
        read=Call(operation="describe_listeners", build=lambda s: {"ListenerArns": [s["id"]]}),
        answer="Listeners[0]",
        delete=(Call(operation="delete_listener"),),
        identity={"ListenerArn": "id"},
        id="answer.Listeners[0].ListenerArn",
        outputs={"arn": "ListenerArn"},
        tagging=_TAGGING,
    ),
)
