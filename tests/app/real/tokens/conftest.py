"""A provider, and a tenant that trusts it."""

import ssl
from collections.abc import Generator
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any

import asyncpg
import pytest

from app.tenancy import issuers
from app.tenancy.authenticator import Authenticator
from app.tenancy.issuers import Issuer
from local import tls
from local.home import Home
from tests.app.real.conftest import Tenant

from .provider import Handler, Keys, Provider


@pytest.fixture
def provider(session_home: Home, monkeypatch: pytest.MonkeyPatch) -> Generator[Provider]:
    files = tls.ensure(session_home)
    served = Keys()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Handler,), {"served": served}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca))
    yield Provider(f"https://127.0.0.1:{server.server_port}", files.ca, served)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def trusted(pool: asyncpg.Pool, provider: Provider, tenant: Tenant) -> Issuer:
    """The provider, as the tenant trusts it."""
    configuration = provider.configuration()
    assert await issuers.put(pool, tenant.id, configuration, by=None, traceparent=None) == "set"
    return configuration


async def who(pool: asyncpg.Pool, text: str) -> Any:
    return await Authenticator(pool).principal(f"Bearer {text}")
