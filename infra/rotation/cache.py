"""The token of the cache, which accepts its two most recent ones: the one in use outlives the next rotation.

Source: Amazon ElastiCache User Guide, "Modifying the AUTH token on an existing cluster".
"""

import time
from datetime import datetime
from typing import Any

from infra.rotation.secret import Document, RotationError, password

# A change of the token takes minutes; AWS Lambda ends a function after 15.
DEADLINE_SECONDS = 600
POLL_SECONDS = 5


class Cache:
    """The token of one replication group."""

    def __init__(self, elasticache: Any, *, group: str) -> None:
        self._elasticache = elasticache
        self._group = group

    def successor(self, current: Document) -> Document:
        """A new token of the same length."""
        return {**current, "authToken": password(len(current["authToken"]))}

    def accept(self, _: Document, pending: Document, written: datetime) -> None:
        """Add the token, once: added twice, it would be the two most recent ones, and the current one gone.

        ``SET`` is never asked for: it would cut off who has not read the new token yet.
        """
        changed = self._describe().get("AuthTokenLastModifiedDate")
        if changed is not None and changed > written:
            return
        self._elasticache.modify_replication_group(
            ReplicationGroupId=self._group,
            AuthToken=pending["authToken"],
            AuthTokenUpdateStrategy="ROTATE",
            ApplyImmediately=True,
        )

    def check(self, _: Document) -> None:
        """That the change has reached every node; without a way into the network nobody can log in from here."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (group := self._describe())["Status"] != "available" or "AuthTokenStatus" in group.get(
            "PendingModifiedValues", {}
        ):
            if time.monotonic() > deadline:
                raise RotationError(
                    f"{self._group} is {group['Status']} and has not taken the new token yet."
                )
            time.sleep(POLL_SECONDS)

    def _describe(self) -> dict[str, Any]:
        (group,) = self._elasticache.describe_replication_groups(ReplicationGroupId=self._group)[
            "ReplicationGroups"
        ]
        return group
