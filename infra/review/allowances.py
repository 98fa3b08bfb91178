"""Allowances: who may lose which data, why, and until when.

A deletion or replacement of what holds data, or a change that keeps it for less long or less firmly, is refused unless an
entry of ``allowances.yaml`` names it. The entry lives for one change: once expired, or when nothing needs it any more, it is an error itself.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.review.preview import Change

FILE = Path(__file__).with_name("allowances.yaml")
# Long enough for a review and a deployment; longer and nobody remembers why.
LONGEST = dt.timedelta(days=30)
_KEYS = {"stack", "resource", "reason", "owner", "expires"}


class AllowanceError(Exception):
    """The file of allowances cannot be used; the message names the entry and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One entry; ``resource`` is a URN, or type token and name: ``aws:rds/cluster:Cluster database``."""

    stack: str
    resource: str
    reason: str
    owner: str
    expires: dt.date

    def names(self, change: Change) -> bool:
        """Whether this entry is about that resource."""
        return self.resource in (change.urn, f"{change.type} {change.name}")


def load(path: Path) -> list[Allowance]:
    """The entries of a file.

    Raises:
        AllowanceError: it cannot be read, or an entry lacks a key or has an unknown one.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise AllowanceError(
            f"{path} cannot be read: {error}. Write `allowances: []` if there are none."
        ) from None
    if not isinstance(document, Mapping) or set(document) != {"allowances"}:
        raise AllowanceError(
            f"{path} must have the one key allowances. Write `allowances: []` if there are none."
        )
    return [
        _allowance(entry, f"{path}, entry {number}")
        for number, entry in enumerate(document["allowances"] or [], 1)
    ]


def _allowance(entry: Any, where: str) -> Allowance:
    given = set(entry) if isinstance(entry, Mapping) else set()
    if given != _KEYS:
        raise AllowanceError(f"{where} must have exactly the keys {', '.join(sorted(_KEYS))}. Correct it.")
    if type(entry["expires"]) is not dt.date:
        raise AllowanceError(
            f"{where}: expires is {entry['expires']} but must be a date. Write it as 2030-12-31."
        )
    for key in sorted(_KEYS - {"expires"}):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise AllowanceError(f"{where}: {key} must be text that is not empty. Write it.")
    return Allowance(**entry)


def judge(
    allowances: Sequence[Allowance], lost: Sequence[Change], *, stack: str, today: dt.date
) -> tuple[dict[str, Allowance], list[str]]:
    """The entry that allows each loss, by URN, and what is wrong with the entries themselves."""
    allowed: dict[str, Allowance] = {}
    wrong: list[str] = []
    for allowance in allowances:
        called = f"The allowance of {allowance.owner} for {allowance.resource} in {allowance.stack}"
        named = [change for change in lost if allowance.stack == stack and allowance.names(change)]
        if allowance.expires < today:
            wrong.append(f"{called} expired on {allowance.expires}: remove it, or have it reviewed anew.")
        elif allowance.expires - today > LONGEST:
            wrong.append(
                f"{called} expires on {allowance.expires}: at most {LONGEST.days} days from now can be allowed."
            )
        elif allowance.stack == stack and not named:
            wrong.append(f"{called} is not needed by this preview: remove it.")
        else:
            allowed |= {change.urn: allowance for change in named}
    return allowed, wrong
