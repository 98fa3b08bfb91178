"""GuardDuty: the emulator has none."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties


def _feature(state: Properties) -> Params:
    agents = state.get("additionalConfigurations", [])
    feature = {"Name": state["name"], "Status": state["status"]}
    if agents:
        feature["AdditionalConfiguration"] = [
            {"Name": agent["name"], "Status": agent["status"]} for agent in agents
        ]
    return {"DetectorId": state["detectorId"], "Features": [feature]}


TYPES = (
    ResourceType(
        token="aws:guardduty/detector:Detector",
        service="guardduty",
        create=Call(operation="create_detector"),
        updates=(Call(operation="update_detector"),),
        delete=(Call(operation="delete_detector"),),
        identity={"DetectorId": "id"},
        id="digest",
        computed=lambda s: {
            "accountId": s["@account"],
            "arn": f"arn:aws:guardduty:{s['region']}:{s['@account']}:detector/{s['id']}",
        },
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="ResourceArn"),
        emulated=False,
    ),
    # A feature is a switch of its detector: there is nothing to remove.
    ResourceType(
        token="aws:guardduty/detectorFeature:DetectorFeature",
        service="guardduty",
        create=Call(
            operation="update_detector",
            takes=frozenset({"detectorId", "name", "status", "additionalConfigurations"}),
            build=_feature,
        ),
        updates=(
            Call(
                operation="update_detector",
                takes=frozenset({"status", "additionalConfigurations"}),
                build=_feature,
            ),
        ),
        id="join('/', [input.detectorId, input.name])",
        emulated=False,
    ),
)
