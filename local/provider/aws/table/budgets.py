"""Budgets and whom they notify."""

from typing import Any

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties

_BUDGET = frozenset({"limitAmount", "limitUnit", "filterExpression", "metrics", "budgetType", "timeUnit"})


def _budget(state: Properties) -> dict[str, Any]:
    tags = [
        {"Tags": {"Key": each["tags"]["key"], "Values": each["tags"]["values"]}}
        for each in state.get("filterExpression", {}).get("ands", [])
    ]
    return {
        "BudgetName": state["name"],
        "BudgetType": state["budgetType"],
        "TimeUnit": state["timeUnit"],
        "BudgetLimit": {"Amount": state["limitAmount"], "Unit": state["limitUnit"]},
        "FilterExpression": {"And": tags},
        "Metrics": [state["metrics"]],
    }


def _new(state: Properties) -> Params:
    return {
        "AccountId": state["accountId"],
        "Budget": _budget(state),
        "NotificationsWithSubscribers": [
            {
                "Notification": {
                    "NotificationType": each["notificationType"],
                    "ComparisonOperator": each["comparisonOperator"],
                    "Threshold": each["threshold"],
                    "ThresholdType": each["thresholdType"],
                },
                "Subscribers": [
                    {"SubscriptionType": "SNS", "Address": arn} for arn in each["subscriberSnsTopicArns"]
                ],
            }
            for each in state["notifications"]
        ],
        "ResourceTags": [{"Key": key, "Value": value} for key, value in state["tags"].items()],
    }


TYPES = (
    ResourceType(
        token="aws:budgets/budget:Budget",
        service="budgets",
        create=Call(
            operation="create_budget",
            takes=frozenset({"accountId", "name", "notifications", "tags", *_BUDGET}),
            build=_new,
        ),
        updates=(
            Call(
                operation="update_budget",
                takes=_BUDGET,
                build=lambda s: {"AccountId": s["accountId"], "NewBudget": _budget(s)},
            ),
        ),
        read=Call(
            operation="describe_budget",
            build=lambda s: {"AccountId": s["accountId"], "BudgetName": s["id"]},
        ),
        answer="Budget",
        delete=(
            Call(
                operation="delete_budget",
                build=lambda s: {"AccountId": s["accountId"], "BudgetName": s["id"]},
            ),
        ),
        id="input.name",
        computed=lambda s: {"arn": f"arn:aws:budgets::{s['accountId']}:budget/{s['name']}"},
        tagging=Tagging(
            add="tag_resource", remove="untag_resource", target="ResourceARN", keys="ResourceTagKeys"
        ),
    ),
)
