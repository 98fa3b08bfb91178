"""How recovery refuses."""


class RecoveryError(Exception):
    """It was refused, or cannot go on: one sentence with its remedy."""


class LostError(RecoveryError):
    """Something that is needed cannot be reached now."""
