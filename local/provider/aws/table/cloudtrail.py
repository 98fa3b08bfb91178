"""CloudTrail trails."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties


def _started(state: Properties) -> Params | None:
    return None if state.get("enableLogging") is False else {"Name": state["name"]}


TYPES = (
    ResourceType(
        token="aws:cloudtrail/trail:Trail",
        service="cloudtrail",
        create=Call(operation="create_trail"),
        updates=(
            Call(operation="update_trail"),
            Call(operation="put_event_selectors", takes=frozenset({"advancedEventSelectors"})),
            # A new trail records nothing before it is told to.
            Call(operation="start_logging", once=True, build=_started),
        ),
        read=Call(operation="get_trail"),
        answer="Trail",
        delete=(Call(operation="delete_trail"),),
        identity={"Name": "name", "TrailName": "name"},
        id="answer.TrailARN",
        names={
            "arn": "TrailARN",
            "cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn",
            "advancedEventSelectors.fieldSelectors.startsWiths": "StartsWith",
            "advancedEventSelectors.fieldSelectors.endsWiths": "EndsWith",
            "advancedEventSelectors.fieldSelectors.notStartsWiths": "NotStartsWith",
            "advancedEventSelectors.fieldSelectors.notEndsWiths": "NotEndsWith",
            "tags": "TagsList",
        },
        unsent=frozenset({"enableLogging"}),
        tagging=Tagging(add="add_tags", remove="remove_tags", target="ResourceId", keys="TagsList"),
    ),
)
