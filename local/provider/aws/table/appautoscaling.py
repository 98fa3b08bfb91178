"""Application Auto Scaling: what is scaled, and by which measure. The emulator does not answer for this service."""

import uuid

from local.provider.aws.types import Call, ResourceType, Tagging
from local.provider.values import Properties

_IDENTITY = {
    "ServiceNamespace": "serviceNamespace",
    "ResourceId": "resourceId",
    "ScalableDimension": "scalableDimension",
}


def _target_arn(state: Properties) -> Properties:
    made_up = uuid.uuid5(uuid.NAMESPACE_URL, state["resourceId"]).hex
    place = f"{state['region']}:{state['@account']}"
    return {"arn": f"arn:aws:application-autoscaling:{place}:scalable-target/{made_up}"}


def _policy_arn(state: Properties) -> Properties:
    resource = f"{state['serviceNamespace']}/{state['resourceId']}"
    made_up = uuid.uuid5(uuid.NAMESPACE_URL, f"{resource}/{state['name']}")
    place = f"{state['region']}:{state['@account']}"
    return {
        "arn": f"arn:aws:autoscaling:{place}:scalingPolicy:{made_up}:resource/{resource}:policyName/{state['name']}"
    }


TYPES = (
    ResourceType(
        token="aws:appautoscaling/target:Target",
        service="application-autoscaling",
        create=Call(operation="register_scalable_target"),
        updates=(
            Call(operation="register_scalable_target", takes=frozenset({"minCapacity", "maxCapacity"})),
        ),
        delete=(Call(operation="deregister_scalable_target", takes=frozenset()),),
        identity=_IDENTITY,
        id="input.resourceId",
        names={"arn": "ScalableTargetARN"},
        computed=_target_arn,
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="ResourceARN"),
        emulated=False,
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
        delete=(Call(operation="delete_scaling_policy"),),
        identity={**_IDENTITY, "PolicyName": "name"},
        id="input.name",
        names={"name": "PolicyName", "arn": "PolicyARN"},
        computed=_policy_arn,
        emulated=False,
    ),
)
