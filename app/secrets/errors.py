"""Why something could not be sealed or opened; no message quotes what it was."""


class SealingError(Exception):
    """Nothing was sealed or opened."""


class NotConfiguredError(SealingError):
    """This process has no KMS key."""


class KmsUnavailableError(SealingError):
    """KMS does not answer, or refuses; the data is as safe as before, and as closed."""


class DamagedError(SealingError):
    """What is stored is not what was sealed under this name: changed, moved, or cut off from its key."""
