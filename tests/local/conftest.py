"""Fixtures for the tests of what runs on one machine."""

import re
from collections.abc import Iterator

import pytest

from local.aws.emulator import Aws

from .regions import World


@pytest.fixture
def world(aws: Aws, request: pytest.FixtureRequest) -> Iterator[World]:
    """Two regions of the test's own."""
    world = World(aws, re.sub(r"[^a-z0-9]+", "-", f"w-{request.node.name[-40:]}"))
    yield world
    world.end()
