"""The engine's side of a provider: Pulumi's ResourceProvider gRPC service in front of a :class:`~local.provider.protocol.Provider`."""

from collections.abc import Generator, Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import code_pb2, status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.provider.diff import differences
from local.provider.protocol import Failure, PartlyCreatedError, Provider, State, root
from local.provider.values import from_struct, has_unknown, in_clear, overlaid, to_struct

# A plan with secrets and long policies is larger than gRPC's default of 4 MiB.
_MAX_MESSAGE = 400 * 1024 * 1024

_KINDS = provider_pb2.PropertyDiff


class ProviderServicer(provider_pb2_grpc.ResourceProviderServicer):
    """Translates between the wire and one provider; every failure becomes a status whose message names the resource.

    Source: ``pulumi/provider.proto`` of the Pulumi SDK.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._instances: dict[str, Provider] = {}

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse()

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        with self._reporting(request.urn, context):
            failures = self._provider.check_config(in_clear(from_struct(request.news)))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        old, new = in_clear(from_struct(request.old_inputs)), in_clear(from_struct(request.news))
        with self._reporting(request.urn, context):
            replaces = self._provider.config_replaces(old, new)
        return _diff_response(differences(old, new), replaces)

    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:
        with self._reporting(request.urn, context):
            self._instances[context.peer()] = self._provider.configure(in_clear(from_struct(request.args)))
        # Without acceptSecrets the engine hands values over in clear and marks them secret again itself.
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        token, name = _token(request.urn), request.urn.rsplit("::", maxsplit=1)[-1]
        with self._reporting(request.urn, context):
            provider = self._instance(context)
            given = from_struct(request.news)
            inputs = provider.completed(token, name, from_struct(request.olds), given)
            failures = provider.check(token, inputs)
        return provider_pb2.CheckResponse(
            # As it came, where nothing was added: a null of the program's is another thing than nothing.
            inputs=request.news if inputs == given else to_struct(inputs),
            failures=_failures(failures),
        )

    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        token, old, new = _token(request.urn), from_struct(request.old_inputs), from_struct(request.news)
        found = {
            path: kind
            for path, kind in differences(old, new).items()
            if not any(_within(path, ignored) for ignored in request.ignoreChanges)
        }
        with self._reporting(request.urn, context):
            provider = self._instance(context)
            replaces = provider.replaces(token, set(found), new)
            deletes_first = bool(replaces) and provider.deletes_first(token, old, new)
        return _diff_response(found, replaces, deletes_first=deletes_first)

    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:
        token, inputs = _token(request.urn), from_struct(request.properties)
        with self._reporting(request.urn, context):
            if request.preview or has_unknown(inputs):
                planned = self._instance(context).planned(token, None, inputs)
                return provider_pb2.CreateResponse(
                    properties=request.properties if planned == inputs else to_struct(planned)
                )
            state = self._instance(context).create(token, inputs)
        return provider_pb2.CreateResponse(id=state.id, properties=to_struct(state.properties))

    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:
        token, inputs = _token(request.urn), from_struct(request.inputs)
        with self._reporting(request.urn, context):
            provider = self._instance(context)
            state = provider.read(token, State(request.id, from_struct(request.properties)), inputs)
            if state is None:
                return provider_pb2.ReadResponse()
            inputs = provider.observed_inputs(token, state, inputs)
        return provider_pb2.ReadResponse(
            id=state.id, properties=to_struct(overlaid(state.properties, inputs)), inputs=to_struct(inputs)
        )

    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:
        token, new = _token(request.urn), from_struct(request.news)
        state = State(request.id, from_struct(request.olds))
        with self._reporting(request.urn, context):
            provider = self._instance(context)
            if request.preview:
                return provider_pb2.UpdateResponse(properties=to_struct(provider.planned(token, state, new)))
            done = provider.update(token, state, from_struct(request.old_inputs), new)
        return provider_pb2.UpdateResponse(properties=to_struct(done.properties))

    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        with self._reporting(request.urn, context):
            state = State(request.id, from_struct(request.properties))
            self._instance(context).delete(_token(request.urn), state)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:
        with self._reporting(request.tok, context):
            answer = self._instance(context).invoke(request.tok, from_struct(request.args))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(answer))  # `return` is a keyword of Python
        return response

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def _instance(self, context: Any) -> Provider:
        """The provider as this connection configured it: the engine opens one for each provider instance, and names none in its calls."""
        if context.peer() in self._instances:
            return self._instances[context.peer()]
        if len(self._instances) > 1:
            raise RuntimeError(
                f"The engine's connection broke, and which of the {len(self._instances)} configurations of {self._provider.name} "
                "the new one means cannot be told: run the command again."
            )
        return next(iter(self._instances.values()), self._provider)

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


def _within(path: str, ignored: str) -> bool:
    """Whether ``path`` is the property ``ignored`` or lies in it."""
    return path == ignored or path.startswith((f"{ignored}.", f"{ignored}["))


def _failures(found: Iterable[Failure]) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in found]


def _diff_response(
    found: Mapping[str, str], replaces: Set[str], *, deletes_first: bool = False
) -> provider_pb2.DiffResponse:
    """The answer to a diff: what differs how, by path, and which of it means a replacement."""
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted({root(path) for path in found}),
        replaces=sorted({root(path) for path in replaces}),
        deleteBeforeReplace=deletes_first,
        hasDetailedDiff=True,
        detailedDiff={
            path: _KINDS(
                kind=_KINDS.Kind.Value(f"{kind}_REPLACE" if path in replaces else kind), inputDiff=True
            )
            for path, kind in found.items()
        },
    )


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
