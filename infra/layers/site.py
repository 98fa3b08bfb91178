"""What every layer is told: how the stack is configured, where it is, how it names things, and whom it follows."""

from dataclasses import dataclass

from infra.aws.place import Place
from infra.names import Names
from infra.primary import Primary
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Site:
    """One stack in one region; ``primary`` is None for a stack that stands on its own."""

    chosen: Settings
    place: Place
    names: Names
    primary: Primary | None

    @property
    def joins(self) -> bool:
        """Whether the database follows the primary's; one restored from a snapshot goes on without it."""
        return self.primary is not None and not self.chosen.database.restore_snapshot
