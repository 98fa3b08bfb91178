"""What a stack file says of the roles that the stack makes."""

import re
from dataclasses import dataclass

from infra.refusal import refusal

_POLICY = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:policy/[\w+=,.@/-]+")


@dataclass(frozen=True, kw_only=True)
class RolesSettings:
    """``boundary`` is the ARN of the policy beyond which no role of the stack reaches; empty sets none."""

    boundary: str


def check_roles(roles: RolesSettings) -> None:
    """An ARN that can be one of a policy."""
    if roles.boundary and not _POLICY.fullmatch(roles.boundary):
        raise refusal(
            "roles.boundary",
            roles.boundary,
            "which is no policy's ARN",
            "Write the one that `python -m infra.bootstrap` printed",
        )
