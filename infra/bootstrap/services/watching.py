"""What tells that something is wrong: logs, alarms, trails, findings."""

from collections.abc import Mapping

from infra.bootstrap.services.grant import Grant, Service

SERVICES: Mapping[str, Service] = {
    "budgets": Service(
        reads=("ListTagsForResource", "ViewBudget"),
        changes=(
            Grant(
                sid="BudgetSet",
                need="somebody hears of what costs more than was meant",
                actions=("ModifyBudget", "TagResource", "UntagResource"),
                resources=("arn:{partition}:budgets::{account}:budget/vanta-{stack}-*",),
            ),
        ),
    ),
    "cloudwatch": Service(
        reads=("DescribeAlarms", "GetDashboard", "ListTagsForResource"),
        changes=(
            Grant(
                sid="AlarmsSet",
                need="database and cache raise alarms",
                actions=("DeleteAlarms", "PutMetricAlarm", "TagResource", "UntagResource"),
                resources=("arn:{partition}:cloudwatch:*:{account}:alarm:vanta-{stack}-*",),
            ),
            Grant(
                sid="DashboardsDrawn",
                need="what an operator looks at first",
                actions=("DeleteDashboards", "PutDashboard"),
                resources=("arn:{partition}:cloudwatch::{account}:dashboard/vanta-{stack}-*",),
            ),
        ),
    ),
    "logs": Service(
        reads=("Describe*", "ListTagsForResource"),
        changes=(
            Grant(
                sid="LogGroupsMade",
                need="the database's log and the network's",
                actions=(
                    "AssociateKmsKey",
                    "CreateLogGroup",
                    "DeleteLogGroup",
                    "DeleteMetricFilter",
                    "DeleteRetentionPolicy",
                    "DisassociateKmsKey",
                    "PutMetricFilter",
                    "PutRetentionPolicy",
                    "TagResource",
                    "UntagResource",
                ),
                resources=(
                    "arn:{partition}:logs:*:{account}:log-group:/aws/*/vanta-{stack}-*",
                    # AWS WAF writes only to groups of this prefix.
                    "arn:{partition}:logs:*:{account}:log-group:aws-waf-logs-vanta-{stack}-*",
                ),
            ),
            Grant(
                sid="LogsDelivered",
                need="AWS WAF is let write to its log group by whoever turns its log on",
                actions=("CreateLogDelivery", "DeleteLogDelivery", "PutResourcePolicy"),
            ),
        ),
    ),
    "sns": Service(
        reads=(
            "GetSubscriptionAttributes",
            "GetTopicAttributes",
            "ListSubscriptionsByTopic",
            "ListTagsForResource",
        ),
        changes=(
            Grant(
                sid="TopicsMade",
                need="alarms reach people",
                actions=(
                    "CreateTopic",
                    "DeleteTopic",
                    "SetTopicAttributes",
                    "Subscribe",
                    "TagResource",
                    "UntagResource",
                ),
                resources=("arn:{partition}:sns:*:{account}:vanta-{stack}-*",),
            ),
            Grant(
                sid="SubscriptionsEnded",
                need="SNS authorises these on no resource",
                actions=("SetSubscriptionAttributes", "Unsubscribe"),
            ),
        ),
    ),
    "cloudtrail": Service(
        reads=(
            "DescribeTrails",
            "GetEventSelectors",
            "GetInsightSelectors",
            "GetTrail",
            "GetTrailStatus",
            "ListTags",
        ),
        changes=(
            Grant(
                sid="TrailMade",
                need="calls to the account's API are written down",
                actions=(
                    "AddTags",
                    "CreateTrail",
                    "DeleteTrail",
                    "PutEventSelectors",
                    "PutInsightSelectors",
                    "RemoveTags",
                    "StartLogging",
                    "StopLogging",
                    "UpdateTrail",
                ),
                resources=("arn:{partition}:cloudtrail:*:{account}:trail/vanta-{stack}-*",),
            ),
        ),
        passed_to=("cloudtrail.amazonaws.com",),
    ),
    "config": Service(
        reads=("Describe*", "ListTagsForResource"),
        changes=(
            Grant(
                sid="ConfigurationRecorded",
                need="AWS Config records and judges what there is; a region has one recorder, and rules go by an id",
                actions=(
                    "DeleteConfigRule",
                    "DeleteConfigurationRecorder",
                    "DeleteDeliveryChannel",
                    "PutConfigRule",
                    "PutConfigurationRecorder",
                    "PutDeliveryChannel",
                    "StartConfigurationRecorder",
                    "StopConfigurationRecorder",
                    "TagResource",
                    "UntagResource",
                ),
            ),
        ),
        passed_to=("config.amazonaws.com",),
        linked=("config.amazonaws.com",),
    ),
    "events": Service(
        reads=("DescribeRule", "ListTagsForResource", "ListTargetsByRule"),
        changes=(
            Grant(
                sid="EventsRouted",
                need="findings reach people",
                actions=(
                    "DeleteRule",
                    "DisableRule",
                    "EnableRule",
                    "PutRule",
                    "PutTargets",
                    "RemoveTargets",
                    "TagResource",
                    "UntagResource",
                ),
                resources=("arn:{partition}:events:*:{account}:rule/vanta-{stack}-*",),
            ),
        ),
    ),
    "guardduty": Service(
        reads=("GetDetector", "ListDetectors", "ListTagsForResource"),
        changes=(
            Grant(
                sid="ThreatsDetected",
                need="GuardDuty watches the account; a region has one detector, which goes by an id",
                actions=(
                    "CreateDetector",
                    "DeleteDetector",
                    "TagResource",
                    "UntagResource",
                    "UpdateDetector",
                ),
                resources=("arn:{partition}:guardduty:*:{account}:detector/*",),
            ),
        ),
        linked=("guardduty.amazonaws.com", "malware-protection.guardduty.amazonaws.com"),
    ),
}
