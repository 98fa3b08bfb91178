"""Application Auto Scaling: what is scaled, and by which measure. The emulator does not answer for this service: its
resources can be previewed, and are checked against the service model, but not made."""

from local.provider.aws.types import Call, ResourceType, Tagging

_IDENTITY = {
    "ServiceNamespace": "serviceNamespace",
    "ResourceId": "resourceId",
    "ScalableDimension": "scalableDimension",
}

TYPES = (
    ResourceType(
        token="aws:appautoscaling/target:Target",
        service="application-autoscaling",
        create=Call(operation="register_scalable_target"),
        updates=(
            Call(operation="register_scalable_target", takes=frozenset({"minCapacity", "maxCapacity"})),
        ),
        read=Call(
            operation="describe_scalable_targets",
            build=lambda s: {
                "ServiceNamespace": s["serviceNamespace"],
                "ResourceIds": [s["resourceId"]],
                "ScalableDimension": s["scalableDimension"],
            },
        ),
        answer="ScalableTargets[0]",
        delete=(Call(operation="deregister_scalable_target"),),
        identity=_IDENTITY,
        id="input.resourceId",
        names={"arn": "ScalableTargetARN"},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="ResourceARN"),
    ),
    ResourceType(
        token="aws:appautoscaling/policy:Policy",
        service="application-autoscaling",
        create=Call(operation="put_scaling_policy"),
        updates=(
            Call(
                operation="put_scaling_policy",
                takes=frozenset({"policyType", "targetTrackingScalingPolicyConfiguration"}),
                whole=True,
            ),
        ),
        read=Call(
            operation="describe_scaling_policies",
            build=lambda s: {"ServiceNamespace": s["serviceNamespace"], "PolicyNames": [s["name"]]},
        ),
        answer="ScalingPolicies[0]",
        delete=(Call(operation="delete_scaling_policy"),),
        identity={**_IDENTITY, "PolicyName": "name"},
        id="input.name",
        names={"name": "PolicyName", "arn": "PolicyARN"},
    ),
)
