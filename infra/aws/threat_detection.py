"""Threat detection: AWS looks for attackers in what the account does."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.event_notice import EventNotice, EventNoticeArgs
from infra.aws.options import holding_data
from infra.names import Names
from infra.settings.lifetime import Lifetime

# Amazon GuardDuty User Guide, "GuardDuty features activation": what this platform has something of.
FEATURES = {
    "S3_DATA_EVENTS": "buckets",
    "EKS_AUDIT_LOGS": "cluster",
    "RUNTIME_MONITORING": "processes",
    "RDS_LOGIN_EVENTS": "database",
    "EBS_MALWARE_PROTECTION": "volumes",
}
# The agents that GuardDuty installs itself: nodes are EKS's, and there is nothing else for one to run on.
AGENTS = {
    "EKS_ADDON_MANAGEMENT": "ENABLED",
    "ECS_FARGATE_AGENT_MANAGEMENT": "DISABLED",
    "EC2_AGENT_MANAGEMENT": "DISABLED",
}
# Amazon GuardDuty User Guide, "Findings severity levels": from 4.0 on medium, high and critical.
MEDIUM_SEVERITY = 4


@dataclass(frozen=True, kw_only=True)
class ThreatDetectionArgs:
    """Inputs of :class:`ThreatDetection`."""

    names: Names
    lifetime: Lifetime
    topic_arn: pulumi.Input[str]


class ThreatDetection(pulumi.ComponentResource):
    """The GuardDuty detector of the account in this region; findings of medium severity and above are told to people.

    An account has one detector in a region: GuardDuty refuses a second, so one stack owns it.

    Produces ``Detector``, a ``DetectorFeature`` for each of ``FEATURES`` and an :class:`EventNotice`.

    Source: Amazon GuardDuty User Guide, "Processing GuardDuty findings with Amazon EventBridge".
    """

    def __init__(
        self, name: str, args: ThreatDetectionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:ThreatDetection", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        detector = aws.guardduty.Detector(
            name,
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            tags=args.names.tags(layer="audit", classification="restricted"),
            # Its findings go with it.
            opts=holding_data(self, lifetime=args.lifetime),
        )
        for feature, noun in FEATURES.items():
            watches_processes = feature == "RUNTIME_MONITORING"
            aws.guardduty.DetectorFeature(
                f"{name}-{noun}",
                detector_id=detector.id,
                name=feature,
                status="ENABLED",
                additional_configurations=[
                    {"name": agent, "status": status} for agent, status in AGENTS.items()
                ]
                if watches_processes
                else None,
                opts=child,
            )
        EventNotice(
            name,
            EventNoticeArgs(
                names=args.names,
                description="Findings of GuardDuty, of medium severity and above",
                pattern={
                    "source": ["aws.guardduty"],
                    "detail-type": ["GuardDuty Finding"],
                    "detail": {"severity": [{"numeric": [">=", MEDIUM_SEVERITY]}]},
                },
                topic_arn=args.topic_arn,
            ),
            opts=child,
        )
        self.register_outputs({})
