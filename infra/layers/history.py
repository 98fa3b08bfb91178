"""The third and fourth layer's storage: the archive and the audit bucket, with the copies of both in another region."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.aws.archive import Archive, ArchiveArgs
from infra.aws.audit import Audit, AuditArgs
from infra.aws.bucket import PrivateBucket
from infra.aws.copies import Copies, CopiesArgs
from infra.aws.records import Records, RecordsArgs
from infra.layers.foundation import Foundation
from infra.layers.site import Site
from infra.layers.state import State


@dataclass(frozen=True, kw_only=True)
class Store:
    """A bucket by name and ARN, whichever stack declares it."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class History:
    """Where history and evidence are kept; ``audited`` are the buckets of this stack that nobody may delete from.

    A standby declares none: it writes to the copies that its primary keeps in its region.
    """

    archive: Store
    audit: Store
    audited: Sequence[PrivateBucket]
    records: Records | None
    copies: Copies | None


def declare_history(site: Site, below: Foundation, state: State) -> History:
    """Declare archive and audit bucket, their records, and their copies if there is a recovery region."""
    if site.primary:
        return History(
            archive=_held(site, site.primary.archive_bucket),
            audit=_held(site, site.primary.audit_bucket),
            audited=(),
            records=None,
            copies=None,
        )
    chosen, names = site.chosen, site.names
    archive = Archive(
        "archive",
        ArchiveArgs(
            names=names,
            settings=chosen.archive,
            lifetime=chosen.lifetime,
            kms_key_arn=below.keys.archive,
        ),
    )
    audit = Audit(
        "audit",
        AuditArgs(names=names, settings=chosen.audit, lifetime=chosen.lifetime, kms_key_arn=below.keys.audit),
    )
    records = Records(
        "audit-logs",
        RecordsArgs(
            names=names,
            lifetime=chosen.lifetime,
            buckets=[archive.bucket, audit.bucket],
            keep_days=chosen.audit.access_log_days,
        ),
    )
    copies = _copy(site, below, state, archive, audit) if chosen.recovery.region else None
    return History(
        archive=Store(name=archive.name, arn=archive.arn),
        audit=Store(name=audit.name, arn=audit.arn),
        audited=[audit.bucket, *([copies.audit.bucket] if copies else ())],
        records=records,
        copies=copies,
    )


def _held(site: Site, name: str) -> Store:
    arn = f"arn:{site.place.partition}:s3:::{name}"
    return Store(name=pulumi.Output.from_input(name), arn=pulumi.Output.from_input(arn))


def _copy(site: Site, below: Foundation, state: State, archive: Archive, audit: Audit) -> Copies:
    chosen = site.chosen
    secrets = {"database-app": state.database.app_secret_arn, "cache": state.cache.secret_arn}
    if chosen.database.global_cluster:
        secrets["database-master"] = state.database.master_secret_arn
    return Copies(
        "copies",
        CopiesArgs(
            names=site.names,
            region=chosen.recovery.region,
            lifetime=chosen.lifetime,
            keys=below.keys,
            secret_arns=secrets,
            archive=archive,
            archive_settings=chosen.archive,
            audit=audit,
            audit_settings=chosen.audit,
            topic_arn=below.notifications.topic_arn,
            email=chosen.alarms.email,
            alarms=chosen.alarms.enabled,
        ),
    )
