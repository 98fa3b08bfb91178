"""Fixtures for the tests of what runs on one machine."""

import re
from collections.abc import Iterator

import pytest

from local.aws.emulator import Aws

from .regions import Cluster, World


@pytest.fixture
def world(aws: Aws, request: pytest.FixtureRequest) -> Iterator[World]:
    """Two regions of the test's own."""
    world = World(aws, re.sub(r"[^a-z0-9]+", "-", f"w-{request.node.name[-40:]}"))
    yield world
    world.end()


@pytest.fixture
def own(aws: Aws, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of the test's own: created by the test, deleted after it."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-40:].strip("-")
    cluster = Cluster(aws, f"c-{name}")
    yield cluster
    if cluster.exists:
        cluster.delete()
