"""The program in this process, for an engine that has no language host beside it."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from pulumi.automation import PulumiFn

# The Automation API's own, which it lends to nobody: it runs a function instead of a folder.
from pulumi.automation._server import LanguageServer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2, language_pb2_grpc


class _Language(LanguageServer):
    """Answers too what an engine asks of a host that it attaches to, and did not start."""

    def Handshake(  # noqa: N802 - the name of the call
        self,
        request: language_pb2.LanguageHandshakeRequest,  # noqa: ARG002 - the engine's address, which each run brings anew
        context: grpc.ServicerContext,  # noqa: ARG002 - as all calls have it
    ) -> language_pb2.LanguageHandshakeResponse:
        return language_pb2.LanguageHandshakeResponse()


@contextmanager
def speaking(program: PulumiFn) -> Generator[str]:
    """Serve ``program`` on a free loopback port; yields the value for ``PULUMI_DEBUG_LANGUAGES``."""
    server = grpc.server(ThreadPoolExecutor(4), options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(_Language(program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"python:{port}"
    finally:
        server.stop(grace=None).wait()
