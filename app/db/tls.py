"""The one TLS policy towards engines: the certificate must be valid for the host that was asked for."""

import ssl

from app.settings import Engine


def context(engine: Engine) -> ssl.SSLContext:
    """A client context that verifies chain and host name (what libpq calls verify-full), TLS 1.2 or newer."""
    made = ssl.create_default_context(cafile=None if engine.ca is None else str(engine.ca))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
