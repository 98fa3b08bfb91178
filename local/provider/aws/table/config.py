"""AWS Config: recorder, delivery channel and rules."""

from local.provider.aws.types import Call, Params, ResourceType
from local.provider.values import Properties

_RECORDER = {
    "name": "ConfigurationRecorder.name",
    "roleArn": "ConfigurationRecorder.roleARN",
    "recordingGroup": "ConfigurationRecorder.recordingGroup",
    "recordingMode": "ConfigurationRecorder.recordingMode",
}
_CHANNEL = {
    "name": "DeliveryChannel.name",
    "s3BucketName": "DeliveryChannel.s3BucketName",
    "s3KeyPrefix": "DeliveryChannel.s3KeyPrefix",
    "s3KmsKeyArn": "DeliveryChannel.s3KmsKeyArn",
    "snsTopicArn": "DeliveryChannel.snsTopicARN",
    "snapshotDeliveryProperties": "DeliveryChannel.configSnapshotDeliveryProperties",
}
_RULE = {
    "name": "ConfigRule.ConfigRuleName",
    "description": "ConfigRule.Description",
    "source": "ConfigRule.Source",
    "scope": "ConfigRule.Scope",
    "inputParameters": "ConfigRule.InputParameters",
    "maximumExecutionFrequency": "ConfigRule.MaximumExecutionFrequency",
}


def _tags(state: Properties) -> Params:
    return {
        "ResourceArn": state["arn"],
        "Tags": [{"Key": key, "Value": value} for key, value in state["tags"].items()],
    }


TYPES = (
    ResourceType(
        token="aws:cfg/recorder:Recorder",
        service="config",
        create=Call(operation="put_configuration_recorder"),
        updates=(Call(operation="put_configuration_recorder", whole=True),),
        read=Call(
            operation="describe_configuration_recorders",
            build=lambda s: {"ConfigurationRecorderNames": [s["id"]]},
        ),
        answer="ConfigurationRecorders[0]",
        delete=(Call(operation="delete_configuration_recorder", emulated=False),),
        identity={"ConfigurationRecorderName": "id"},
        id="input.name",
        names=_RECORDER,
    ),
    ResourceType(
        token="aws:cfg/deliveryChannel:DeliveryChannel",
        service="config",
        create=Call(operation="put_delivery_channel"),
        updates=(Call(operation="put_delivery_channel", whole=True),),
        read=Call(
            operation="describe_delivery_channels", build=lambda s: {"DeliveryChannelNames": [s["id"]]}
        ),
        answer="DeliveryChannels[0]",
        delete=(Call(operation="delete_delivery_channel", emulated=False),),
        identity={"DeliveryChannelName": "id"},
        id="input.name",
        names=_CHANNEL,
    ),
    # Whether the recorder records: it stops before it can be removed.
    ResourceType(
        token="aws:cfg/recorderStatus:RecorderStatus",
        service="config",
        create=Call(
            operation="start_configuration_recorder",
            takes=frozenset({"name", "isEnabled"}),
            build=lambda s: {"ConfigurationRecorderName": s["name"]} if s["isEnabled"] else None,
        ),
        updates=(
            Call(
                operation="start_configuration_recorder",
                when=("isEnabled", True),
                takes=frozenset({"isEnabled"}),
                build=lambda s: {"ConfigurationRecorderName": s["name"]},
            ),
            Call(
                operation="stop_configuration_recorder",
                when=("isEnabled", False),
                takes=frozenset({"isEnabled"}),
                build=lambda s: {"ConfigurationRecorderName": s["name"]},
            ),
        ),
        read=Call(
            operation="describe_configuration_recorder_status",
            build=lambda s: {"ConfigurationRecorderNames": [s["id"]]},
        ),
        answer="ConfigurationRecordersStatus[0]",
        delete=(Call(operation="stop_configuration_recorder"),),
        identity={"ConfigurationRecorderName": "id"},
        id="input.name",
        names={"isEnabled": "recording"},
    ),
    ResourceType(
        token="aws:cfg/rule:Rule",
        service="config",
        create=Call(operation="put_config_rule"),
        updates=(
            Call(operation="put_config_rule", takes=frozenset(_RULE), whole=True),
            Call(operation="tag_resource", takes=frozenset({"tags"}), build=_tags, emulated=False),
        ),
        read=Call(operation="describe_config_rules", build=lambda s: {"ConfigRuleNames": [s["id"]]}),
        answer="ConfigRules[0]",
        delete=(Call(operation="delete_config_rule"),),
        identity={"ConfigRuleName": "id"},
        id="input.name",
        names=_RULE,
        outputs={"arn": "ConfigRuleArn", "ruleId": "ConfigRuleId"},
    ),
)
