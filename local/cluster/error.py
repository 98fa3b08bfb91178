"""What a cluster refuses."""


class ClusterError(Exception):
    """The cluster cannot be built, started or reached; the message says what, why and the remedy in one sentence."""
