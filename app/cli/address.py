"""Where the API of this environment answers."""

import os


def url() -> str:
    """Where this environment makes it listen; needs no other settings."""
    host, port = os.environ.get("VANTA_LISTEN_HOST", "127.0.0.1"), os.environ.get("VANTA_LISTEN_PORT", "8080")
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - comparing, not binding
        host = "127.0.0.1"
    return f"http://{host}:{port}"
