"""The tags of what the bootstrap makes; `stack` is no stack's name, so that no stack's role may touch it."""

from infra.names import PROJECT

TAGS = {
    "project": PROJECT,
    "stack": "all",
    "layer": "foundation",
    "owner": "platform",
    "data-classification": "restricted",
    "managed-by": "bootstrap",
}
# As S3 and IAM take them.
LISTED = [{"Key": key, "Value": value} for key, value in TAGS.items()]
