"""Which resources hold data, and which of them a preview would lose or keep for less long."""

from infra.review.keeping import shortenings
from infra.review.preview import Change, Preview

# Deleting or replacing one of these loses what cannot be made again from the program. A test holds this list against
# what the program protects; whatever is protected in the state counts as well.
HOLDING = {
    "aws:backup/vault:Vault": "the backups of everything else",
    "aws:cloudwatch/logGroup:LogGroup": "logs, which are evidence and exist nowhere else",
    "aws:ecr/repository:Repository": "the images that running pods are started from again",
    "aws:eks/cluster:Cluster": "whatever Kubernetes alone knows, such as which volume belongs to whom",
    "aws:guardduty/detector:Detector": "the findings of GuardDuty, which go with it",
    "aws:kms/key:Key": "the key without which everything that it encrypted is unreadable for ever",
    "aws:kms/replicaKey:ReplicaKey": "the key without which the other region's copies are unreadable",
    "aws:rds/cluster:Cluster": "every document, session and event of every tenant, and the point-in-time backups",
    "aws:rds/globalCluster:GlobalCluster": "the replication to the other region, which would have to begin anew",
    "aws:route53/zone:Zone": "the zone's name servers, to which its parent delegates",
    "aws:s3/bucket:Bucket": "the objects of the archive, the audit log or its access log",
    "kubernetes:postgresql.cnpg.io/v1:Cluster": "the series of analytics since the last write-ahead log in S3",
    "aws:secretsmanager/secret:Secret": "credentials, with the ARN by which running programs find them",
}


def losses(preview: Preview) -> list[Change]:
    """The changes that need an allowance: those that delete or replace what holds data, then those that keep less."""
    return [*gone(preview), *shortened(preview)]


def gone(preview: Preview) -> list[Change]:
    """The changes that would delete or replace what holds data."""
    return [change for change in preview.changes if _goes(change)]


def shortened(preview: Preview) -> list[Change]:
    """The other changes after which data is kept for less long, or less firmly."""
    return [change for change in preview.changes if not _goes(change) and shortenings(change)]


def _goes(change: Change) -> bool:
    return change.action in ("delete", "replace") and (change.type in HOLDING or change.protected)


def holds(change: Change) -> str:
    """What is lost with it."""
    return HOLDING.get(change.type, "whatever the program protects it for")
