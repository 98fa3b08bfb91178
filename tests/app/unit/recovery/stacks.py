"""Stacks as recovery sees them."""

from app.recovery.stacks import Stack


def stack(name: str, region: str = "eu-west-1", **outputs: str) -> Stack:
    """A stack with a database and two buckets, and with nothing else unless ``outputs`` say so."""
    known = {
        "account": "111122223333",
        "global_cluster": "",
        "database": f"vanta-{name}-database",
        "archive_bucket": f"archive-{name}",
        "audit_bucket": f"audit-{name}",
        "kubernetes": "",
        "host": "",
        "own_host": "",
        "zone_id": "",
    }
    return Stack(name=name, region=region, **{**known, **outputs})
