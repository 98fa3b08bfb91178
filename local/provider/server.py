"""The engine's side of a provider: Pulumi's ResourceProvider gRPC service in front of a :class:`~local.provider.protocol.Provider`."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import code_pb2, status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.provider.diff import differences
from local.provider.protocol import PartlyCreatedError, Provider, State
from local.provider.values import from_struct, has_unknown, to_struct

# A plan with secrets and long policies is larger than gRPC's default of 4 MiB.
_MAX_MESSAGE = 400 * 1024 * 1024

_KINDS = provider_pb2.PropertyDiff


class ProviderServicer(provider_pb2_grpc.ResourceProviderServicer):
    """Translates between the wire and one provider; every failure becomes a status whose message names the resource.

    Source: ``pulumi/provider.proto`` of the Pulumi SDK.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse()

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:
        self._provider.configure({k: v for k, v in from_struct(request.args).items() if isinstance(v, str)})
        # Without acceptSecrets the engine hands values over in clear and marks them secret again itself.
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        token = _token(request.urn)
        with self._reporting(request.urn, context):
            failures = self._provider.check(token, from_struct(request.news))
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in failures],
        )

    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        found = {
            path: kind
            for path, kind in differences(old, new).items()
            if _root(path) not in request.ignoreChanges
        }
        with self._reporting(request.urn, context):
            replaces = self._provider.replaces(_token(request.urn), {_root(path) for path in found}, new)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted({_root(path) for path in found}),
            replaces=sorted(replaces),
            hasDetailedDiff=True,
            detailedDiff={
                path: _KINDS(kind=_kind(kind, replaces=_root(path) in replaces), inputDiff=True)
                for path, kind in found.items()
            },
        )

    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:
        inputs = from_struct(request.properties)
        if request.preview or has_unknown(inputs):
            return provider_pb2.CreateResponse(properties=request.properties)
        with self._reporting(request.urn, context):
            state = self._provider.create(_token(request.urn), inputs)
        return provider_pb2.CreateResponse(id=state.id, properties=to_struct(state.properties))

    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:
        token, inputs = _token(request.urn), from_struct(request.inputs)
        with self._reporting(request.urn, context):
            state = self._provider.read(token, State(request.id, from_struct(request.properties)), inputs)
            if state is None:
                return provider_pb2.ReadResponse()
            inputs = self._provider.observed_inputs(token, state, inputs)
        return provider_pb2.ReadResponse(
            id=state.id, properties=to_struct({**state.properties, **inputs}), inputs=to_struct(inputs)
        )

    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:
        if request.preview:
            return provider_pb2.UpdateResponse(
                properties=to_struct({**from_struct(request.olds), **from_struct(request.news)})
            )
        state = State(request.id, from_struct(request.olds))
        with self._reporting(request.urn, context):
            done = self._provider.update(
                _token(request.urn), state, from_struct(request.old_inputs), from_struct(request.news)
            )
        return provider_pb2.UpdateResponse(properties=to_struct(done.properties))

    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        with self._reporting(request.urn, context):
            self._provider.delete(_token(request.urn), State(request.id, from_struct(request.properties)))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:
        with self._reporting(request.tok, context):
            answer = self._provider.invoke(request.tok, from_struct(request.args))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(answer))  # `return` is a keyword of Python
        return response

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    @contextmanager
    def _reporting(self, urn: str, context: Any) -> Generator[None]:
        """Turn whatever the provider raises into a status that names the resource."""
        try:
            yield
        except PartlyCreatedError as error:
            _abort_partly_created(context, error)
        except Exception as error:  # noqa: BLE001 - any other failure must reach the engine as a status, not as a dead thread
            context.abort(grpc.StatusCode.UNKNOWN, f"{urn.rsplit('::', maxsplit=1)[-1]}: {error}")


def _abort_partly_created(context: Any, error: PartlyCreatedError) -> NoReturn:
    """Tell the engine that the resource exists, so that the next update repairs it instead of making a second one."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.state.id, properties=to_struct(error.state.properties), reasons=[str(error)]
        )
    )
    status = status_pb2.Status(code=code_pb2.UNKNOWN, message=str(error), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError("abort raises")


def _token(urn: str) -> str:
    """The type token in a URN ``urn:pulumi:stack::project::parent$type::name``."""
    return urn.split("::")[2].rsplit("$", maxsplit=1)[-1]


def _root(path: str) -> str:
    return path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]


def _kind(kind: str, *, replaces: bool) -> provider_pb2.PropertyDiff.Kind.ValueType:
    return _KINDS.Kind.Value(f"{kind}_REPLACE" if replaces else kind)


@contextmanager
def serving(*providers: Provider) -> Generator[str]:
    """Serve ``providers`` on free loopback ports; yields the value for ``PULUMI_DEBUG_PROVIDERS``."""
    servers = []
    attached = []
    try:
        for provider in providers:
            options = [
                ("grpc.max_receive_message_length", _MAX_MESSAGE),
                ("grpc.max_send_message_length", _MAX_MESSAGE),
            ]
            server = grpc.server(ThreadPoolExecutor(16), options=options)
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(ProviderServicer(provider), server)
            attached.append(f"{provider.name}:{server.add_insecure_port('127.0.0.1:0')}")
            server.start()
            servers.append(server)
        yield ",".join(attached)
    finally:
        for server in servers:
            server.stop(grace=None).wait()
