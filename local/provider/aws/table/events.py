"""EventBridge rules and their targets, on the default bus."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties


def _targets(state: Properties) -> Params:
    return {"Rule": state["rule"], "Targets": [{"Id": state["targetId"], "Arn": state["arn"]}]}


TYPES = (
    ResourceType(
        token="aws:cloudwatch/eventRule:EventRule",
        service="events",
        create=Call(operation="put_rule"),
        updates=(Call(operation="put_rule", whole=True),),
        read=Call(operation="describe_rule"),
        delete=(Call(operation="delete_rule", takes=frozenset()),),
        identity={"Name": "id"},
        id="input.name",
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="ResourceARN"),
    ),
    ResourceType(
        token="aws:cloudwatch/eventTarget:EventTarget",
        service="events",
        create=Call(operation="put_targets", takes=frozenset({"rule", "targetId", "arn"}), build=_targets),
        updates=(Call(operation="put_targets", takes=frozenset({"arn"}), build=_targets),),
        read=Call(operation="list_targets_by_rule", build=lambda s: {"Rule": s["rule"]}),
        answer="Targets[?ends_with('$id', Id)] | [0]",
        delete=(
            Call(
                operation="remove_targets",
                build=lambda s: {"Rule": s["rule"], "Ids": [s["targetId"]]},
            ),
        ),
        id="join('-', [input.rule, input.targetId])",
    ),
)
