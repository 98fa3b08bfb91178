"""How long a stack is meant to live, and what follows from it for its data."""

from enum import StrEnum


class Lifetime(StrEnum):
    """What a stack file says of the stack's end."""

    THROWAWAY = "throwaway"
    PERMANENT = "permanent"
    RETIRING = "retiring"

    @property
    def protected(self) -> bool:
        """Whether nothing that holds data may be deleted: the engine refuses to, AWS refuses to, and it is retained."""
        return self is Lifetime.PERMANENT

    @property
    def kept(self) -> bool:
        """Whether data outlives a deletion: final snapshots, recovery windows, buckets that only go when empty."""
        return self is not Lifetime.THROWAWAY
