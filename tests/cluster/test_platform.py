"""The real program on a real cluster: the state API's pods serve, with the engines of this machine behind them."""

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from local.cluster.cluster import Running
from local.cluster.platform import ClusterPlatform
from local.home import Home
from local.image.build import ARCHIVE
from local.pulumi.stack import Change


@pytest.fixture(scope="module")
def platform(running: Running, node_home: Home) -> ClusterPlatform:
    return ClusterPlatform(home=node_home, running=running)


@pytest.fixture(scope="module")
def image(platform: ClusterPlatform) -> str:
    return platform.load(ARCHIVE)


@pytest.fixture(scope="module")
def change(platform: ClusterPlatform, image: str) -> Change:
    return platform.up(image)


def test_a_document_is_kept_through_the_pods(platform: ClusterPlatform, change: Change) -> None:
    assert change.operations["create"] > 0
    key = Path(platform.key(change.outputs)).read_text()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    place = f"{platform.url()}/v1/state/notes/first"
    with urlopen(Request(place, b'{"hello": "world"}', headers, method="PUT"), timeout=10) as response:  # noqa: S310 - http, as above
        assert response.status == 201
    with urlopen(Request(place, None, headers), timeout=10) as response:  # noqa: S310 - as above
        assert json.loads(response.read()) == {"hello": "world"}


def test_a_second_up_changes_nothing(platform: ClusterPlatform, image: str, change: Change) -> None:
    assert change.changed
    assert not platform.up(image).changed


def test_all_replicas_are_ready_and_admitted_as_restricted(running: Running, change: Change) -> None:
    assert change.changed
    kubectl = running.kubectl
    kubectl("wait", "--for=condition=Available", "deployment/state-api", "-n", "vanta", "--timeout=60s")
    namespace = json.loads(kubectl("get", "namespace", "vanta", "-o", "json"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
