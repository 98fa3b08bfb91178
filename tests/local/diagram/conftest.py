"""Graphs to draw: a small one as the engine prints it, and large ones that are made up."""

import random
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from local.diagram.graph import Graph, Resource

ROOT = "urn:pulumi:test::vanta::pulumi:pulumi:Stack::vanta-test"
TYPES = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:kms/key:Key",
    "aws:ec2/subnet:Subnet",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:eks/nodeGroup:NodeGroup",
    "random:index/randomPassword:RandomPassword",
)


def _urn(path: str, name: str) -> str:
    return f"urn:pulumi:test::vanta::{path}::{name}"


def _step(path: str, name: str, parent: str = ROOT, **state: Any) -> Mapping[str, Any]:
    urn, token = _urn(path, name), path.rsplit("$", maxsplit=1)[-1]
    custom = not token.startswith("vanta:")
    return {
        "op": "create",
        "urn": urn,
        "newState": {"urn": urn, "type": token, "custom": custom, "parent": parent, **state},
    }


@pytest.fixture
def preview() -> dict[str, Any]:
    """Two rooms, one with a part: what ``pulumi preview --json`` prints, less what is not read."""
    keys, store = _urn("vanta:aws:Keys", "keys"), _urn("vanta:aws:Store", "store")
    key, part = _urn("vanta:aws:Keys$aws:kms/key:Key", "state"), _urn("vanta:aws:Store$vanta:aws:Box", "box")
    bucket = _urn("vanta:aws:Store$vanta:aws:Box$aws:s3/bucket:Bucket", "box")
    versioning = _urn("vanta:aws:Store$vanta:aws:Box$aws:s3/bucketVersioning:BucketVersioning", "box")
    return {
        "steps": [
            {
                "op": "create",
                "urn": ROOT,
                "newState": {"urn": ROOT, "type": "pulumi:pulumi:Stack", "custom": False},
            },
            _step("vanta:aws:Keys", "keys"),
            _step("vanta:aws:Keys$aws:kms/key:Key", "state", keys, protect=True),
            _step("vanta:aws:Keys$aws:kms/alias:Alias", "state", keys, dependencies=[key]),
            _step("vanta:aws:Store", "store"),
            _step("vanta:aws:Store$vanta:aws:Box", "box", store),
            _step("vanta:aws:Store$vanta:aws:Box$aws:s3/bucket:Bucket", "box", part, protect=True),
            _step(
                "vanta:aws:Store$vanta:aws:Box$aws:s3/bucketVersioning:BucketVersioning",
                "box",
                part,
                dependencies=[bucket],
            ),
            _step(
                "vanta:aws:Store$vanta:aws:Box$aws:s3/bucketPolicy:BucketPolicy",
                "box",
                part,
                dependencies=[bucket, versioning],
                propertyDependencies={"policy": [key]},
            ),
            _step(
                "vanta:aws:Store$aws:cloudwatch/metricAlarm:MetricAlarm",
                "<full & failing>",
                store,
                dependencies=[bucket],
            ),
            _step("aws:sns/topic:Topic", "alarms", dependencies=[key, store]),
            {"op": "delete", "urn": _urn("aws:sns/topic:Topic", "former"), "oldState": {}},
        ]
    }


@pytest.fixture(scope="session")
def made_up() -> Callable[..., Graph]:
    """A graph of ``count`` resources in rooms with parts; the same ``seed`` gives the same graph."""

    def make(count: int, *, rooms: int = 12, seed: int = 0) -> Graph:
        choose = random.Random(seed)  # noqa: S311 - a picture is no secret
        resources: list[Resource] = []
        components: list[list[str]] = []
        for room in range(rooms):
            own = [_urn("vanta:aws:Room", f"room-{room}")]
            resources.append(_component(own[0], None))
            for part in range(room % 3):
                own.append(_urn("vanta:aws:Room$vanta:aws:Part", f"room-{room}-part-{part}"))
                resources.append(_component(own[-1], own[0]))
            components.append(own)
        things: list[tuple[int, str]] = []
        for number in range(count):
            room = choose.randrange(rooms)
            parent, token = choose.choice(components[room]), choose.choice(TYPES)
            near = [urn for other, urn in things if other == room]
            far = [urn for other, urn in things if other // 4 < room // 4]
            needed = choose.sample(near, min(len(near), choose.choice((0, 1, 1, 2))))
            needed += choose.sample(far, min(len(far), choose.choice((0, 0, 1))))
            name = f"thing-{number}" + "-of-the-second-availability-zone" * (number % 5 == 0)
            urn = f"{parent}${token}::{name}"
            things.append((room, urn))
            resources.append(
                Resource(
                    urn=urn,
                    type=token,
                    name=name,
                    parent=parent,
                    component=False,
                    protected=number % 9 == 0,
                    dependencies=tuple(sorted(needed)),
                )
            )
        ordered = sorted(resources, key=lambda resource: resource.urn)
        return Graph(stack="test", engine="3.0.0", resources=tuple(ordered))

    return make


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], ET.Element]:
    """The elements of a drawn document."""
    return ET.fromstring


def _component(urn: str, parent: str | None) -> Resource:
    token, name = urn.split("::")[2:]
    return Resource(
        urn=urn,
        type=token.split("$")[-1],
        name=name,
        parent=parent,
        component=True,
        protected=False,
        dependencies=(),
    )
