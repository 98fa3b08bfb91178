"""What a stack file says of its alarms."""

import re
from dataclasses import dataclass

from infra.refusal import refusal


@dataclass(frozen=True, kw_only=True)
class AlarmsSettings:
    """Whether trouble is watched for, and who is told; no ``email``, nobody."""

    enabled: bool
    email: str


def check_alarms(alarms: "AlarmsSettings") -> None:
    """An address that can be one; whether it exists its owner says by confirming."""
    if alarms.email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", alarms.email):
        raise refusal(
            "alarms.email", alarms.email, "which is no e-mail address", "Write it like oncall@example.com"
        )
