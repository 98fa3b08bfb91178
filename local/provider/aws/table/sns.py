"""SNS topics, their policies and subscriptions."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties


def _topic(state: Properties) -> Params:
    key = state.get("kmsMasterKeyId")
    return {"Name": state["name"], "Attributes": {"KmsMasterKeyId": key} if key else {}}


def _policy(state: Properties) -> Params:
    return {"TopicArn": state["arn"], "AttributeName": "Policy", "AttributeValue": state["policy"]}


TYPES = (
    ResourceType(
        token="aws:sns/topic:Topic",
        service="sns",
        create=Call(operation="create_topic", takes=frozenset({"name", "kmsMasterKeyId"}), build=_topic),
        updates=(
            Call(
                operation="set_topic_attributes",
                takes=frozenset({"kmsMasterKeyId"}),
                build=lambda s: {
                    "TopicArn": s["id"],
                    "AttributeName": "KmsMasterKeyId",
                    "AttributeValue": s.get("kmsMasterKeyId", ""),
                },
            ),
        ),
        read=Call(operation="get_topic_attributes"),
        answer="Attributes",
        delete=(Call(operation="delete_topic", takes=frozenset()),),
        identity={"TopicArn": "id"},
        id="answer.TopicArn",
        names={"arn": "TopicArn"},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="ResourceArn", source="id"),
    ),
    # A topic always has a policy: one that is taken away stays until the topic goes.
    ResourceType(
        token="aws:sns/topicPolicy:TopicPolicy",
        service="sns",
        create=Call(
            operation="set_topic_attributes",
            takes=frozenset({"arn", "policy"}),
            build=_policy,
        ),
        updates=(Call(operation="set_topic_attributes", takes=frozenset({"policy"}), build=_policy),),
        read=Call(operation="get_topic_attributes"),
        answer="Attributes",
        identity={"TopicArn": "id"},
        id="input.arn",
        names={"arn": "TopicArn"},
    ),
    ResourceType(
        token="aws:sns/topicSubscription:TopicSubscription",
        service="sns",
        create=Call(operation="subscribe", further=lambda _: {"ReturnSubscriptionArn": True}),
        read=Call(operation="get_subscription_attributes"),
        answer="Attributes",
        delete=(Call(operation="unsubscribe"),),
        identity={"SubscriptionArn": "id"},
        id="answer.SubscriptionArn",
        names={"topic": "TopicArn", "arn": "SubscriptionArn"},
    ),
)
