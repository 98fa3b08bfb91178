"""For how long data is kept and how firmly, and which changes would do so less."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.review.preview import ABSENT, Change

# From a value to how much it keeps; what cannot be measured, such as what is known only after the update, keeps nothing.
Measure = Callable[[Any], float]
Place = tuple[str, ...]
# Amazon S3 User Guide, "Managing Object Lock": a year counts as 365 days.
_DAYS_PER_YEAR = 365
_MODES = ("GOVERNANCE", "COMPLIANCE")


@dataclass(frozen=True, kw_only=True)
class Shortening:
    """One property that would keep less; ``old`` and ``new`` are JSON values, secrets masked."""

    path: str
    old: Any
    new: Any


def _amount(value: Any) -> float:
    """Days, or a switch that is on."""
    return value if isinstance(value, int | float) else 0


def _until_expiry(value: Any) -> float:
    """Days after which something goes; where none are given, it stays for ever."""
    return _amount(value) if value else math.inf


def _period(value: Any) -> float:
    """The days of a lock, which S3 takes as days or as years."""
    if not isinstance(value, Mapping):
        return 0
    return _amount(value.get("days")) + _DAYS_PER_YEAR * _amount(value.get("years"))


def _mode(value: Any) -> float:
    """An administrator can lift a lock of governance, and nobody one of compliance."""
    return 1 + _MODES.index(value) if value in _MODES else 0


def _finality(value: Any) -> float:
    """A lock that can be changed for some days only becomes final; one without that limit never does."""
    return 1 if isinstance(value, int | float) else 0


# Amazon CloudWatch Logs and S3 Lifecycle keep for ever where no days are given; the others then keep nothing.
KEEPING: Mapping[str, Mapping[str, Measure]] = {
    "aws:backup/plan:Plan": {"rules.*.lifecycle.deleteAfter": _amount},
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": {
        "changeableForDays": _finality,
        "minRetentionDays": _amount,
    },
    "aws:cloudwatch/logGroup:LogGroup": {"retentionInDays": _until_expiry},
    "aws:eks/cluster:Cluster": {"deletionProtection": _amount},
    "aws:rds/cluster:Cluster": {"backupRetentionPeriod": _amount, "deletionProtection": _amount},
    "aws:rds/globalCluster:GlobalCluster": {"deletionProtection": _amount},
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
        "rules.*.expiration.days": _until_expiry,
        "rules.*.noncurrentVersionExpiration.noncurrentDays": _until_expiry,
    },
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": {
        "rule.defaultRetention": _period,
        "rule.defaultRetention.mode": _mode,
    },
}


def shortenings(change: Change) -> list[Shortening]:
    """The properties of a resource by which it would keep less than before; none of one that is new."""
    if change.action not in ("update", "replace", "delete"):
        return []
    return [
        Shortening(path=".".join(place), old=_shown(old), new=_shown(new))
        for path, measure in KEEPING.get(change.type, {}).items()
        for place in _places(change, path.split("."))
        for old, new in [(_at(change.before, place), _at(change.after, place))]
        if measure(new) < measure(old)
    ]


def _places(change: Change, path: Sequence[str]) -> list[Place]:
    return sorted({*_matching(change.before, path), *_matching(change.after, path)})


def _matching(value: Any, path: Sequence[str]) -> Iterator[Place]:
    """The places that a path means: ``*`` is each rule of a list, by its name."""
    if not path:
        yield ()
        return
    for key in _rules(value) if path[0] == "*" else path[:1]:
        yield from ((key, *rest) for rest in _matching(_at(value, (key,)), path[1:]))


def _rules(value: Any) -> dict[str, Any]:
    """The rules of S3 Lifecycle or AWS Backup that are in force."""
    rules = [rule for rule in value if isinstance(rule, Mapping)] if isinstance(value, list) else []
    return {
        str(rule.get("id") or rule.get("ruleName") or number): rule
        for number, rule in enumerate(rules)
        if rule.get("status") != "Disabled"
    }


def _at(value: Any, place: Place) -> Any:
    """The value there, None if there is none; within what is not known yet nothing is known either."""
    for segment in place:
        if isinstance(value, str):
            return value
        inner = _rules(value) if isinstance(value, list) else value
        value = inner.get(segment) if isinstance(inner, Mapping) else None
    return value


def _shown(value: Any) -> Any:
    return ABSENT if value is None else value
