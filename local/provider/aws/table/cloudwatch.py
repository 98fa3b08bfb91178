"""CloudWatch alarms and dashboards."""

from local.provider.aws.types import Call, ResourceType, Tagging

TYPES = (
    ResourceType(
        token="aws:cloudwatch/metricAlarm:MetricAlarm",
        service="cloudwatch",
        create=Call(operation="put_metric_alarm"),
        # The call replaces the whole alarm; its name is what it is found by.
        updates=(Call(operation="put_metric_alarm", whole=True),),
        read=Call(operation="describe_alarms", build=lambda s: {"AlarmNames": [s["id"]]}),
        answer="MetricAlarms[0]",
        delete=(Call(operation="delete_alarms", build=lambda s: {"AlarmNames": [s["id"]]}),),
        id="input.name",
        names={"name": "AlarmName", "arn": "AlarmArn"},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="ResourceARN"),
    ),
    ResourceType(
        token="aws:cloudwatch/dashboard:Dashboard",
        service="cloudwatch",
        create=Call(operation="put_dashboard"),
        updates=(Call(operation="put_dashboard", whole=True),),
        read=Call(operation="get_dashboard"),
        delete=(Call(operation="delete_dashboards", build=lambda s: {"DashboardNames": [s["id"]]}),),
        identity={"DashboardName": "id"},
        id="input.dashboardName",
        outputs={"dashboardArn": "DashboardArn"},
    ),
)
