"""What AWS, and sense, refuse: plain functions over plain values, each limit with its source.

They run before anything is registered and ask AWS nothing.
"""

import ipaddress
import re
from typing import TYPE_CHECKING

from infra.limits import check_log_retention, within
from infra.names import STACK_NAME_LENGTH
from infra.refusal import SettingsError, refusal

if TYPE_CHECKING:
    from infra.settings import (
        AlarmsSettings,
        ArchiveSettings,
        AuditSettings,
        KeysSettings,
        NetworkSettings,
    )

# RFC 1918 and RFC 6598 (carrier-grade NAT, which AWS accepts for a VPC and Kubernetes pods like to use).
PRIVATE_RANGES = tuple(
    ipaddress.IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
# Amazon VPC User Guide, "VPC CIDR blocks": some AWS services use this range themselves.
RESERVED_RANGE = ipaddress.IPv4Network("172.17.0.0/16")
# Amazon VPC User Guide, "VPC CIDR blocks": /16 is the largest. Below /20 the data subnets (a 64th each, /26) have too
# few addresses for a fail-over to start its replacements, and the private ones (an eighth, /23) for the pods of a zone.
VPC_PREFIXES = range(16, 21)
# Aurora and ElastiCache subnet groups need two zones; no region has more than six.
ZONES = range(2, 7)
# AWS KMS API: ScheduleKeyDeletion, PendingWindowInDays, and EnableKeyRotation, RotationPeriodInDays.
KEY_DELETION_DAYS = range(7, 31)
KEY_ROTATION_DAYS = range(90, 2561)
# Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle": an object stays 30 days in STANDARD before
# STANDARD_IA. The S3 API reference has since allowed any age, that of the regions in China has not: 30 is right in both.
STANDARD_DAYS = 30
# Amazon S3 User Guide, "Comparing the Amazon S3 storage classes": minimum storage durations of STANDARD_IA and
# GLACIER_IR, which are paid for whether used or not.
WARM_DAYS = 30
COLD_DAYS = 90
# Amazon S3 User Guide, "Managing Object Lock": at most 100 years, or 36,500 days.
LOCK_DAYS = range(1, 36_501)

_PERIOD = re.compile(r"([0-9]{1,5}) (day|year)s?")
_DAYS_PER_YEAR = 365


def check_stack_name(stack: str) -> None:
    """Names of resources carry the stack's name, so it has to be acceptable to the pickiest service."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", stack) or len(stack) > STACK_NAME_LENGTH:
        raise SettingsError(
            f'The stack name "{stack}" cannot be part of resource names. Use at most {STACK_NAME_LENGTH} '
            "lower-case letters, digits and single hyphens, beginning with a letter."
        )


def check_owner(owner: str) -> None:
    """The owner is a tag value: what AWS allows in one, and not empty."""
    if not re.fullmatch(r"[A-Za-z0-9 _.:/=+@-]{1,64}", owner):
        raise refusal(
            "owner", owner, "but is a tag's value", "Use 1 to 64 letters, digits, spaces or _.:/=+@-"
        )


def check_network(network: "NetworkSettings") -> None:
    """A private range that is large enough and nobody else's, over a number of zones that the data services accept."""
    cidr = _network("network.cidr", network.cidr)
    if not any(cidr.subnet_of(private) for private in PRIVATE_RANGES):
        raise refusal(
            "network.cidr", network.cidr, "which is not a private range", "Use a part of 10.0.0.0/8"
        )
    within("network.cidr", cidr.prefixlen, VPC_PREFIXES, shown=network.cidr, noun="a network from /{} to /{}")
    if cidr.overlaps(RESERVED_RANGE):
        raise refusal(
            "network.cidr",
            network.cidr,
            f"but AWS services use {RESERVED_RANGE} themselves",
            "Use a part of 10.0.0.0/8",
        )
    for text in filter(None, (part.strip() for part in network.connected_cidrs.split(","))):
        if cidr.overlaps(_network("network.connectedCidrs", text)):
            raise refusal(
                "network.cidr",
                network.cidr,
                f"but overlaps {text}, which vanta:network.connectedCidrs says it will be connected to",
                "Use a range of its own",
            )
    within("network.zones", network.zones, ZONES, noun="{} to {} availability zones")
    check_log_retention("network.flowLogDays", network.flow_log_days)


def _network(key: str, text: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        raise refusal(key, text, "but must be an IPv4 network", "Write it like 10.20.0.0/16") from None


def check_keys(keys: "KeysSettings") -> None:
    """The ranges of AWS KMS."""
    within("keys.deletionDays", keys.deletion_days, KEY_DELETION_DAYS)
    within("keys.rotationDays", keys.rotation_days, KEY_ROTATION_DAYS)


def check_archive(archive: "ArchiveSettings") -> None:
    """The order of the tiers, what S3 refuses, and what it would charge for without giving it."""
    hot, warm, expiry = archive.warm_after_days, archive.cold_after_days, archive.expire_after_days
    if hot < STANDARD_DAYS:
        raise refusal(
            "archive.warmAfterDays",
            hot,
            f"but not every S3 moves objects to STANDARD_IA before {STANDARD_DAYS} days",
            f"Use {STANDARD_DAYS} or more",
        )
    if warm < hot + WARM_DAYS:
        raise refusal(
            "archive.coldAfterDays",
            warm,
            f"but objects are paid for {WARM_DAYS} days in STANDARD_IA after vanta:archive.warmAfterDays ({hot})",
            f"Use {hot + WARM_DAYS} or more",
        )
    if expiry < warm + COLD_DAYS:
        raise refusal(
            "archive.expireAfterDays",
            expiry,
            f"but objects are paid for {COLD_DAYS} days in GLACIER_IR after vanta:archive.coldAfterDays ({warm})",
            f"Use {warm + COLD_DAYS} or more",
        )
    within("archive.noncurrentDays", archive.noncurrent_days, range(1, 3651))
    within("archive.multipartDays", archive.multipart_days, range(1, 31))


def check_audit(audit: "AuditSettings", *, permanent: bool, stack: str) -> None:
    """A lock that S3 accepts and that the stack's own lifetime can bear."""
    days = lock_days(audit.lock_period)
    if days not in LOCK_DAYS:
        raise refusal(
            "audit.lockPeriod", audit.lock_period, "but S3 locks for 1 day to 100 years", "Use 7 years"
        )
    if audit.lock_mode == "COMPLIANCE" and not permanent:
        raise refusal(
            "audit.lockMode",
            audit.lock_mode,
            f'but stack "{stack}" is throw-away: its bucket could not be deleted for {audit.lock_period}',
            "Use GOVERNANCE, or set vanta:lifetime to permanent",
        )
    if audit.access_log_days < 1:
        raise refusal(
            "audit.accessLogDays",
            audit.access_log_days,
            "but logs that nobody keeps prove nothing",
            "Use 400",
        )


def check_alarms(alarms: "AlarmsSettings") -> None:
    """An address that can be one; whether it exists its owner says by confirming."""
    if alarms.email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", alarms.email):
        raise refusal(
            "alarms.email", alarms.email, "which is no e-mail address", "Write it like oncall@example.com"
        )


def lock_days(period: str) -> int:
    """``7 years`` or ``1 day`` in days, a year counted as S3 counts it for the limits: 365 days.

    Raises:
        SettingsError: the text is no period.
    """
    return lock_period(period)[0] * (_DAYS_PER_YEAR if lock_period(period)[1] == "years" else 1)


def lock_period(period: str) -> tuple[int, str]:
    """``7 years`` as ``(7, "years")``; the unit is ``days`` or ``years``, which S3 keeps apart.

    Raises:
        SettingsError: the text is no period.
    """
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise refusal("audit.lockPeriod", period, "which is no period", "Write it like 7 years or 1 day")
    return int(match[1]), f"{match[2]}s"
