"""The ``kubernetes`` provider: manifests checked against the API server's own schemas, and applied where there is a cluster."""
