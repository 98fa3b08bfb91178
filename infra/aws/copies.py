"""The copies: what a lost region must not take with it, kept in another one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi

from infra.aws.alarms import Alarm, Alarms, AlarmsArgs
from infra.aws.archive import Archive, ArchiveArgs
from infra.aws.audit import Audit, AuditArgs
from infra.aws.keys import Keys
from infra.aws.notifications import Notifications, NotificationsArgs
from infra.aws.records import Records, RecordsArgs
from infra.aws.replication import Replication, ReplicationArgs, alarms_at_destination, alarms_at_source
from infra.names import Names
from infra.settings.archive import ArchiveSettings
from infra.settings.audit import AuditSettings
from infra.settings.lifetime import Lifetime


@dataclass(frozen=True, kw_only=True)
class CopiesArgs:
    """Inputs of :class:`Copies`: the originals with their settings, the topic of their region, and ``region``, the other one.

    ``keys`` and the secrets of ``secret_arns`` (by any names) have replicas there. Without ``alarms`` nobody is told when
    copies are late.
    """

    names: Names
    region: str
    lifetime: Lifetime
    keys: Keys
    secret_arns: Mapping[str, pulumi.Output[str]]
    archive: Archive
    archive_settings: ArchiveSettings
    audit: Audit
    audit_settings: AuditSettings
    topic_arn: pulumi.Input[str]
    email: str
    alarms: bool


class Copies(pulumi.ComponentResource):
    """An archive and an audit bucket in the recovery region that have what the originals have, and the other way round.

    Both directions are there from the start: whichever region is written to, after a fail-over the other follows, and
    nothing has to be copied to come back. The audit copy is as locked as its original; a deletion in the archive hides
    the object in both, and the versions stay for their time.

    Produces :class:`Archive`, :class:`Audit`, :class:`Records` and :class:`Notifications` in the recovery region,
    four :class:`Replication`, and :class:`Alarms` in both regions, because S3 tells failures where the source is and
    delays where the destination is. ``key_arns`` are those of the keys there by class of data, ``secret_arns`` those of the
    copies of the given secrets.

    Source: Amazon S3 User Guide, "Replicating objects within and across Regions".
    """

    region: str
    archive: Archive
    audit: Audit
    topic_arn: pulumi.Output[str]
    key_arns: Mapping[str, pulumi.Output[str]]
    secret_arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: CopiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Copies", name, None, opts)
        child, there = pulumi.ResourceOptions(parent=self), replace(args.names, region=args.region)
        self.region = args.region
        self.key_arns = keys = args.keys.copies
        self.secret_arns = {noun: _in(args.region, arn) for noun, arn in args.secret_arns.items()}

        self.archive = Archive(
            "archive-copy",
            ArchiveArgs(
                names=there,
                settings=args.archive_settings,
                lifetime=args.lifetime,
                kms_key_arn=keys["archive"],
            ),
            opts=child,
        )
        self.audit = Audit(
            "audit-copy",
            AuditArgs(
                names=there, settings=args.audit_settings, lifetime=args.lifetime, kms_key_arn=keys["audit"]
            ),
            opts=child,
        )
        Records(
            "audit-logs-copy",
            RecordsArgs(
                names=there,
                lifetime=args.lifetime,
                buckets=[self.archive.bucket, self.audit.bucket],
                keep_days=args.audit_settings.access_log_days,
            ),
            opts=child,
        )
        topic = Notifications(
            "notifications-copy",
            NotificationsArgs(
                names=there,
                account_id=there.account_id,
                kms_key_arn=keys["notifications"],
                email=args.email,
            ),
            opts=child,
        )
        self.topic_arn = topic.topic_arn
        here, across = self._replicate(args)
        if args.alarms:
            Alarms(
                "copies",
                AlarmsArgs(names=args.names, topic_arn=args.topic_arn, alarms=here),
                opts=child,
            )
            Alarms(
                "copies-there",
                AlarmsArgs(names=there, topic_arn=self.topic_arn, alarms=across),
                opts=child,
            )
        self.register_outputs(
            {"archive": self.archive.name, "audit": self.audit.name, "topicArn": self.topic_arn}
        )

    def _replicate(self, args: CopiesArgs) -> tuple[list[Alarm], list[Alarm]]:
        """Both directions of both pairs, and what to watch in the stack's own region and in the other."""
        locks = [args.audit.lock, self.audit.lock]
        pairs = [
            ("archive", args.archive.bucket, self.archive.bucket, []),
            ("audit", args.audit.bucket, self.audit.bucket, locks),
        ]
        here: list[Alarm] = []
        across: list[Alarm] = []
        for noun, original, copy, ready in pairs:
            directions = [("out", original, copy, here, across), ("back", copy, original, across, here)]
            for direction, source, destination, at_source, at_destination in directions:
                Replication(
                    f"{noun}-{direction}",
                    ReplicationArgs(
                        source=source,
                        destination=destination,
                        deletions=not source.args.object_lock,
                        ready=ready,
                    ),
                    opts=pulumi.ResourceOptions(parent=self),
                )
                at_source.extend(alarms_at_source(source, destination))
                at_destination.extend(alarms_at_destination(source, destination))
        return here, across


def _in(region: str, arn: pulumi.Output[str]) -> pulumi.Output[str]:
    """The ARN of a secret's copy: its own but for the region."""

    def moved(original: str) -> str:
        head, partition, service, _, rest = original.split(":", 4)
        return f"{head}:{partition}:{service}:{region}:{rest}"

    return arn.apply(moved)
