"""Step Functions: state machines."""

from local.provider.aws.types import Call, ResourceType, Tagging

TYPES = (
    ResourceType(
        token="aws:sfn/stateMachine:StateMachine",
        service="stepfunctions",
        create=Call(operation="create_state_machine"),
        updates=(Call(operation="update_state_machine"),),
        read=Call(operation="describe_state_machine"),
        delete=(Call(operation="delete_state_machine"),),
        identity={"stateMachineArn": "id"},
        id="answer.stateMachineArn",
        names={"arn": "stateMachineArn"},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="resourceArn", keys="tagKeys"),
    ),
)
