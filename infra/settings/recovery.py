"""What a stack file says of the loss of its region."""

import re
from dataclasses import dataclass
from typing import Literal

from infra.refusal import refusal

Role = Literal["primary", "standby"]

# AWS General Reference, "AWS service endpoints": every region's name so far.
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")


@dataclass(frozen=True, kw_only=True)
class RecoverySettings:
    """Whether the stack is the ``primary`` or stands by for ``primary_stack``, and which region holds the primary's copies.

    A primary without ``region`` copies nothing: what its region loses is lost.
    """

    role: Role
    region: str
    primary_stack: str

    @property
    def standby(self) -> bool:
        """Whether the stack follows another one."""
        return self.role == "standby"


def check_recovery(recovery: RecoverySettings) -> None:
    """The two roles have each their own key, and neither the other's."""
    if recovery.standby and not recovery.primary_stack:
        raise refusal(
            "recovery.primaryStack",
            "",
            "but vanta:recovery.role is standby, which follows a stack",
            "Name the stack, such as prod",
        )
    if recovery.primary_stack and not recovery.standby:
        raise refusal(
            "recovery.primaryStack",
            recovery.primary_stack,
            "but vanta:recovery.role is primary, which follows nobody",
            "Remove it, or set the role to standby",
        )
    if recovery.standby and recovery.region:
        raise refusal(
            "recovery.region",
            recovery.region,
            "but vanta:recovery.role is standby: its primary decides which region holds the copies",
            "Remove it",
        )
    if recovery.region and not REGION.fullmatch(recovery.region):
        raise refusal("recovery.region", recovery.region, "which is no region", "Write it like eu-central-1")


def check_region(recovery: RecoverySettings, region: str) -> None:
    """The copies are kept in another region than ``region``, where the stack stands."""
    if recovery.region == region:
        raise refusal(
            "recovery.region",
            recovery.region,
            "but the stack stands there itself: the copies would be lost with their originals",
            "Use another region",
        )
