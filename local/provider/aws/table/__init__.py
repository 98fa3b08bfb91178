"""The table: every AWS resource type that the program uses, one entry each."""

from local.provider.aws.table import (
    appautoscaling,
    cloudwatch,
    ec2,
    elasticache,
    iam,
    kms,
    logs,
    rds,
    s3,
    secretsmanager,
    sns,
)

TABLE = {
    entry.token: entry
    for module in (appautoscaling, cloudwatch, ec2, elasticache, iam, kms, logs, rds, s3, secretsmanager, sns)
    for entry in module.TYPES
}
