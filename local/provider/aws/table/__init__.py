"""The table: every AWS resource type that the program uses, one entry each."""

from local.provider.aws.table import ec2, elasticache, iam, kms, logs, rds, s3, secretsmanager

TABLE = {
    entry.token: entry
    for module in (ec2, elasticache, iam, kms, logs, rds, s3, secretsmanager)
    for entry in module.TYPES
}
