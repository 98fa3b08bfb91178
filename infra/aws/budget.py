"""The budget: people hear of a month that gets too dear before it is over."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws.budgets import BudgetNotificationArgsDict

from infra.names import PROJECT, Names

# Of the limit: what has been spent, and what the month will come to. AWS Budgets notifies once a month for each.
ACTUAL_PERCENT = (80, 100)
FORECAST_PERCENT = 100


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    """Inputs of :class:`Budget`; the limit is of a calendar month, in US dollars."""

    names: Names
    monthly_usd: int
    topic_arn: pulumi.Input[str]


class Budget(pulumi.ComponentResource):
    """A limit for what carries this stack's tags, told of at 80 % and 100 % spent and when the forecast exceeds it.

    It counts only what is tagged once `project` and `stack` have been activated as cost allocation tags, which the account
    that pays does for all of its organisation.

    Produces ``Budget``.

    Source: AWS Cost Management User Guide, "Managing your costs with AWS Budgets"; AWS Billing User Guide, "Activating
    user-defined cost allocation tags".
    """

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Budget", name, None, opts)
        tags = {"project": PROJECT, "stack": args.names.stack}
        aws.budgets.Budget(
            name,
            account_id=args.names.account_id,
            name=args.names.of(name),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(args.monthly_usd),
            limit_unit="USD",
            # Both: the values of one cost filter would be alternatives.
            filter_expression={
                "ands": [{"tags": {"key": key, "values": [value]}} for key, value in tags.items()]
            },
            metrics="UnblendedCost",
            notifications=[
                *(_notification("ACTUAL", percent, args) for percent in ACTUAL_PERCENT),
                _notification("FORECASTED", FORECAST_PERCENT, args),
            ],
            tags=args.names.tags(layer="foundation", classification="internal"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _notification(kind: str, percent: int, args: BudgetArgs) -> BudgetNotificationArgsDict:
    return {
        "comparison_operator": "GREATER_THAN",
        "notification_type": kind,
        "threshold": percent,
        "threshold_type": "PERCENTAGE",
        "subscriber_sns_topic_arns": [args.topic_arn],
    }
