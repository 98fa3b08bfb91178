"""EventBridge Scheduler: schedules and what they start."""

from local.provider.aws.types import Call, ResourceType

TYPES = (
    ResourceType(
        token="aws:scheduler/schedule:Schedule",
        service="scheduler",
        create=Call(operation="create_schedule"),
        updates=(Call(operation="update_schedule", whole=True),),
        read=Call(operation="get_schedule"),
        delete=(Call(operation="delete_schedule"),),
        identity={"Name": "name"},
        id="input.name",
    ),
)
