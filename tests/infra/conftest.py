"""The program under a recording mock engine: what would be registered, without an engine and without AWS.

Everything a test needs comes as a fixture: test folders are no packages, so nothing here can be imported.
"""

import asyncio
import copy
import gc
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pulumi
import pytest
import yaml
from pulumi.runtime import config, rpc
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.stack import Stack

from infra.reference import configuration_schema

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "111122223333"
REGION = "eu-west-1"
# Open until the process ends: the mock engine's threads have loops of their own, which nobody closes before.
LOOP = asyncio.new_event_loop()

Given = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One registration as the engine sees it: inputs by their wire names, secrets unwrapped and listed by top-level name.

    ``dependencies`` are given as ``LogGroup database``.
    """

    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    secrets: frozenset[str]
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool
    ignore_changes: frozenset[str]
    dependencies: frozenset[str]


@dataclass(kw_only=True)
class Recorded:
    """What a program registered and exported."""

    resources: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def all(self, kind: str) -> list[Registered]:
        """Registrations whose token ends in ``:kind``, in order of name."""
        return sorted((r for r in self.resources if r.type.endswith(f":{kind}")), key=lambda r: r.name)

    def one(self, kind: str, name: str | None = None) -> Registered:
        """The only registration of a kind, or the only one of that name."""
        (found,) = [r for r in self.all(kind) if name in (None, r.name)]
        return found


class EngineRefusal(grpc.RpcError):
    """How the engine says that it cannot answer."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return str(self)


class Cloud(pulumi.runtime.Mocks):
    """Answers as AWS would: outputs echo inputs, and what AWS makes up is made up."""

    def __init__(self, region: str, zones: int, stacks: Mapping[str, Mapping[str, Any]]) -> None:
        self.region = region
        self.zones = [f"{region}{letter}" for letter in "cab"[:zones]]
        self.stacks = stacks

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        region = args.inputs.get("region", self.region)
        service = args.typ.split(":")[1].split("/")[0]
        arn = f"arn:aws:{service}:{region}:{ACCOUNT}:{args.name}"
        if args.typ == "aws:iam/role:Role":
            arn = f"arn:aws:iam::{ACCOUNT}:role/{args.inputs['name']}"
        made = {
            "arn": arn,
            "keyId": f"{args.name}-key",
            "result": f"Generated1{args.name}",
            "port": 4242,
            "prefixListId": f"pl-{args.name}",
            "endpoint": f"{args.name}.writer.example",
            "readerEndpoint": f"{args.name}.reader.example",
            "primaryEndpointAddress": f"{args.name}.primary.example",
            "configurationEndpointAddress": f"{args.name}.configuration.example",
            "readerEndpointAddress": f"{args.name}.replica.example",
            "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{args.inputs.get('name')}",
            "certificateAuthority": {"data": "Q0E="},
            "latestVersion": 1,
            "arnSuffix": f"{args.name}/0123",
            "dnsName": f"{args.name}.balancer.example",
            "zoneId": f"{args.name}-zone",
            "nameServers": [f"{args.name}.server.example"],
            "domainValidationOptions": [
                {
                    "domainName": host,
                    "resourceRecordName": f"_proof.{host}.",
                    "resourceRecordType": "CNAME",
                    "resourceRecordValue": "_proof.acm-validations.aws.",
                }
                for host in sorted(args.inputs.get("subjectAlternativeNames", []), reverse=True)
            ],
            "masterUserSecrets": [
                {"secretArn": f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:rds!cluster"}
            ],
        }
        if args.typ.startswith("kubernetes:"):
            # What has no name is given one, as by the real provider.
            metadata = {"name": f"{args.name}-0a1b2c3d", **args.inputs.get("metadata", {})}
            return f"{args.name}-id", {**args.inputs, "metadata": metadata}
        return f"{args.name}-id", {**made, **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:  # ty: ignore[incompatible-method-override]  # the base class is typed for a pair, and accepts a mapping
        if args.token == "pulumi:pulumi:readStackOutputs":
            *_, stack = args.args["name"].split("/")
            if stack not in self.stacks:
                raise EngineRefusal(f'unknown stack "{stack}"')
            return {"outputs": copy.deepcopy(dict(self.stacks[stack]))}
        answers = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:index/getRegion:getRegion": {"region": self.region},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": self.zones},
        }
        return answers[args.token]


class Monitor(MockMonitor):
    """A mock monitor that also keeps what :class:`MockResourceArgs` leaves out: options and secrets."""

    def __init__(self, mocks: pulumi.runtime.Mocks, recorded: Recorded) -> None:
        super().__init__(mocks)
        self.recorded = recorded

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the name is the protocol's
        if request.type != "pulumi:pulumi:Stack":
            wrapped = rpc.deserialize_properties(request.object)
            self.recorded.resources.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    parent=request.parent,
                    inputs={key: _plain(value) for key, value in wrapped.items()},
                    secrets=frozenset(key for key, value in wrapped.items() if rpc.is_rpc_secret(value)),
                    protect=request.protect,
                    retain_on_delete=request.retainOnDelete,
                    delete_before_replace=request.deleteBeforeReplace,
                    ignore_changes=frozenset(request.ignoreChanges),
                    dependencies=frozenset(_called(urn) for urn in request.dependencies),
                )
            )
        return super().RegisterResource(request)


def _called(urn: str) -> str:
    """``LogGroup database`` of a URN: names alone are unique only within a type."""
    *_, types, name = urn.split("::")
    return f"{types.split(':')[-1]} {name}"


def _plain(value: Any) -> Any:
    value = rpc.unwrap_rpc_secret(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _lines(stack: str) -> Given:
    """What a committed stack file says; nothing when there is none."""
    file = ROOT / f"Pulumi.{stack}.yaml"
    return yaml.safe_load(file.read_text())["config"] if file.exists() else {}


def _merged(base: Given, changes: Mapping[str, Any]) -> Given:
    merged = copy.deepcopy(base)
    for key, value in changes.items():
        merged[key] = _merged(merged[key], value) if isinstance(value, Mapping) and key in merged else value
    return merged


@pytest.fixture(scope="session")
def configuration() -> Callable[..., Given]:
    """``configuration(stack, changes)``: a stack's values as the engine gives them, defaults included."""

    def values(stack: str = "dev", changes: Mapping[str, Any] | None = None) -> Given:
        given: Given = {}
        for entry in configuration_schema():
            *rooms, leaf = entry.key.split(".")
            here = given
            for room in rooms:
                here = here.setdefault(room, {})
            here[leaf] = entry.default
        lines = _lines(stack).items()
        own = {key.removeprefix("vanta:"): value for key, value in lines if key.startswith("vanta:")}
        return _merged(_merged(given, own), changes or {})

    return values


@pytest.fixture
def recorded() -> Recorded:
    """Nothing yet: give it to ``declare`` as ``into``."""
    return Recorded()


@pytest.fixture(scope="session")
def declare(configuration: Callable[..., Given]) -> Callable[..., Recorded]:
    """``declare(stack, changes)``: run the whole program and give back what it registered.

    ``zones`` is how many the region has, which is that of the stack's file unless ``region`` is given; ``others`` are
    the outputs of the stacks that are up, ``prod`` unless said; ``into`` is filled even if the program stops. What was
    declared before is not run again.
    """
    known: dict[str, Recorded] = {}

    def run(
        stack: str = "dev",
        changes: Mapping[str, Any] | None = None,
        *,
        zones: int = 3,
        region: str | None = None,
        others: Mapping[str, Mapping[str, Any]] | None = None,
        into: Recorded | None = None,
    ) -> Recorded:
        from infra.program import program

        asked = json.dumps([stack, changes, zones, region, others])
        if into is None and asked in known:
            return known[asked]
        given = configuration(stack, changes)
        if given["recovery"]["role"] == "standby" and others is None:
            others = {"prod": run("prod").outputs}
        cloud = Cloud(region or _lines(stack).get("aws:region", REGION), zones, others or {})
        monitor = Monitor(cloud, Recorded() if into is None else into)
        # The mock engine runs on the thread's event loop, of which asynchronous tests before it have left none.
        asyncio.set_event_loop(LOOP)
        pulumi.runtime.set_mocks(monitor.mocks, project="vanta", stack=stack, monitor=monitor)
        config.set_all_config({f"vanta:{key}": _text(value) for key, value in given.items()})
        root = pulumi.runtime.get_root_resource()
        assert isinstance(root, Stack)
        root.outputs.clear()  # the mock engine has one stack a process

        def declared() -> pulumi.Output[None]:
            program()
            return pulumi.Output.from_input(root.outputs).apply(monitor.recorded.outputs.update)

        _run(declared)
        return known.setdefault(asked, monitor.recorded)

    return run


@pytest.fixture(scope="session")
def alone() -> Callable[[Callable[[], object]], Recorded]:
    """``alone(make)``: declare a part of the program, and give back what it registered."""

    def run(make: Callable[[], object]) -> Recorded:
        monitor = Monitor(Cloud(REGION, 3, {}), Recorded())
        asyncio.set_event_loop(LOOP)
        pulumi.runtime.set_mocks(monitor.mocks, project="vanta", stack="part", monitor=monitor)
        _run(make)
        return monitor.recorded

    return run


def _run(declare: Callable[[], object]) -> None:
    # Where in the program each resource stands is a third of the time, and nobody here asks.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulumi.runtime.resource._get_stack_trace", source_pb2.StackTrace)
        # Half of the rest would be spent in search of garbage among the SDK's thousands of classes.
        gc.disable()
        try:
            pulumi.runtime.test(declare)()
        finally:
            gc.enable()


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


@pytest.fixture(scope="session")
def dev(declare: Callable[..., Recorded]) -> Recorded:
    """The throw-away stack as committed."""
    return declare("dev")


@pytest.fixture(scope="session")
def prod(declare: Callable[..., Recorded]) -> Recorded:
    """The permanent stack as committed."""
    return declare("prod")


@pytest.fixture(scope="session")
def standby(declare: Callable[..., Recorded]) -> Recorded:
    """The stack that follows the permanent one, as committed."""
    return declare("prod-dr")


@pytest.fixture(scope="session")
def everything(declare: Callable[..., Recorded]) -> Recorded:
    """The permanent stack with what no committed stack asks for: secrets that rotate, copies that no global cluster makes."""
    return declare("prod", {"secrets": {"rotationDays": 30}, "database": {"globalCluster": False}})
