"""What AWS itself records of the account: who called what, what looks like an attack, what is configured how."""

from infra.aws.deletion_attempts import DeletionAttempts, DeletionAttemptsArgs
from infra.aws.recorder import Recorder, RecorderArgs
from infra.aws.threat_detection import ThreatDetection, ThreatDetectionArgs
from infra.aws.trail import Trail, TrailArgs
from infra.layers.foundation import Foundation
from infra.layers.history import History
from infra.layers.site import Site


def declare_evidence(site: Site, below: Foundation, history: History) -> None:
    """Declare the trail with its alarm on attempts to delete evidence, threat detection, and the configuration's recorder."""
    chosen, names, topic = site.chosen, site.names, below.notifications.topic_arn
    if chosen.evidence.trail:
        trail = Trail(
            "trail",
            TrailArgs(
                names=names,
                place=site.place,
                lifetime=chosen.lifetime,
                lock=chosen.audit,
                retention_days=chosen.evidence.log_days,
                evidence_key_arn=below.keys.evidence,
                logs_key_arn=below.keys.logs,
                watched_bucket_arns=[bucket.arn for bucket in history.audited],
            ),
        )
        if chosen.alarms.enabled:
            DeletionAttempts(
                "deletion-attempts",
                DeletionAttemptsArgs(
                    names=names,
                    log_group_name=trail.log_group_name,
                    bucket_names=[bucket.physical_name for bucket in history.audited],
                    topic_arn=topic,
                ),
            )
    if chosen.evidence.account:
        ThreatDetection(
            "threat-detection", ThreatDetectionArgs(names=names, lifetime=chosen.lifetime, topic_arn=topic)
        )
        Recorder(
            "recorder",
            RecorderArgs(
                names=names,
                place=site.place,
                lifetime=chosen.lifetime,
                evidence_key_arn=below.keys.evidence,
                topic_arn=topic,
                retention_days=chosen.evidence.log_days,
                global_resources=not chosen.recovery.standby,
            ),
        )
