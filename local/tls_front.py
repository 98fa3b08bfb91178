"""TLS in front of a server on a unix socket: ``python -m local.tls_front``.

The Redis of this platform is built without TLS, its clients insist on it.
"""

import argparse
import asyncio
import ssl
from pathlib import Path


class Side(asyncio.Protocol):
    """One side of a connection: what it receives goes to its ``peer``, at the pace the peer can take."""

    peer: "Side"
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows asyncio's own type
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.peer.transport.write(data)

    def pause_writing(self) -> None:
        self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.peer.transport.close()


class Front(Side):
    """The TLS side: reads nothing before the server behind has been reached."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.peer = Side()
        self.peer.peer = self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self.connecting = asyncio.create_task(self.connect())

    async def connect(self) -> None:
        """Connect the other side; a client is let go when there is no server."""
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self.peer, self.path)
        except OSError:
            self.transport.close()
        else:
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.connecting.cancel()
        if hasattr(self.peer, "transport"):
            super().connection_lost(exc)


async def serve(host: str, port: int, path: str, context: ssl.SSLContext) -> None:
    """Serve until cancelled."""
    server = await asyncio.get_running_loop().create_server(lambda: Front(path), host, port, ssl=context)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--socket", required=True, help="path of the server's unix socket")
    parser.add_argument("--certificate", required=True, type=Path)
    parser.add_argument("--key", required=True, type=Path)
    options = parser.parse_args()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate, options.key)
    asyncio.run(serve(options.host, options.port, options.socket, context))


if __name__ == "__main__":
    main()
