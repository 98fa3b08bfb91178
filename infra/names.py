"""Names and tags: the one place where resources of a stack get theirs.

Physical names are explicit, so that policies, alarms and runbooks can name a resource that does not exist yet.
"""

from dataclasses import dataclass
from typing import Literal

Layer = Literal["foundation", "state", "configuration", "analytics", "audit"]
Classification = Literal["public", "internal", "confidential", "restricted"]

PROJECT = "vanta"
# Amazon S3: 63 characters for `vanta-<stack>-<noun>-<account>-<region>`, less the longest noun and region name.
BUCKET_LENGTH = 63
LONGEST_REGION = 14
ACCOUNT_LENGTH = 12
BUCKET_NOUNS = ("archive", "audit", "audit-logs", "edge-logs", "recorder", "timescale", "trail")
STACK_NAME_LENGTH = (
    BUCKET_LENGTH - len(f"{PROJECT}----") - max(map(len, BUCKET_NOUNS)) - ACCOUNT_LENGTH - LONGEST_REGION
)


@dataclass(frozen=True, kw_only=True)
class Names:
    """How the resources of one stack in one account and region are called and tagged."""

    stack: str
    owner: str
    account_id: str
    region: str

    def of(self, noun: str) -> str:
        """A name that is unique within the account and region: ``vanta-<stack>-<noun>``."""
        return f"{PROJECT}-{self.stack}-{noun}"

    def bucket(self, noun: str) -> str:
        """A name that is unique in the world; bucket names are."""
        return f"{self.of(noun)}-{self.account_id}-{self.region}"

    def tags(
        self, *, layer: Layer, classification: Classification, name: str | None = None
    ) -> dict[str, str]:
        """The six tags every resource carries; ``name`` adds the one by which the EC2 console calls a resource."""
        tags = {
            "project": PROJECT,
            "stack": self.stack,
            "layer": layer,
            "owner": self.owner,
            "data-classification": classification,
            "managed-by": "pulumi",
        }
        return tags if name is None else {"Name": self.of(name), **tags}
