"""CloudWatch log groups."""

from local.provider.aws.types import Call, ResourceType, Tagging

TYPES = (
    ResourceType(
        token="aws:cloudwatch/logGroup:LogGroup",
        service="logs",
        create=Call(operation="create_log_group"),
        updates=(
            Call(operation="put_retention_policy", takes=frozenset({"retentionInDays"})),
            Call(operation="associate_kms_key", takes=frozenset({"kmsKeyId"})),
        ),
        read=Call(operation="describe_log_groups", build=lambda s: {"logGroupNamePrefix": s["id"]}),
        answer="logGroups[?logGroupName=='$id'] | [0]",
        delete=(Call(operation="delete_log_group"),),
        identity={"logGroupName": "id"},
        id="input.name",
        names={"name": "logGroupName"},
        unsent=frozenset({"skipDestroy"}),
        computed=lambda s: {"arn": s["arn"].removesuffix(":*")},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="resourceArn", keys="tagKeys"),
    ),
    ResourceType(
        token="aws:cloudwatch/logMetricFilter:LogMetricFilter",
        service="logs",
        create=Call(operation="put_metric_filter"),
        updates=(Call(operation="put_metric_filter", whole=True),),
        read=Call(
            operation="describe_metric_filters",
            build=lambda s: {"logGroupName": s["logGroupName"], "filterNamePrefix": s["name"]},
        ),
        answer="metricFilters[?filterName=='$id'] | [0]",
        delete=(Call(operation="delete_metric_filter", takes=frozenset()),),
        identity={"logGroupName": "logGroupName", "filterName": "name"},
        id="input.name",
        names={
            "name": "filterName",
            "pattern": "filterPattern",
            "metricTransformation": "metricTransformations[]",
            "metricTransformation.name": "metricName",
            "metricTransformation.namespace": "metricNamespace",
            "metricTransformation.value": "metricValue",
        },
        unsent=frozenset({"applyOnTransformedLogs"}),
    ),
)
