"""The real program on a real cluster: the state API's pods serve, with the engines of this machine behind them."""

import json
from urllib.request import Request, urlopen

from bench.released import NAMESPACE, Released
from local.pulumi.stack import Change


def test_a_document_is_kept_through_the_pods(released: Released, deployed: Change) -> None:
    assert set(deployed.operations) == {"create"}
    headers = {"Authorization": f"Bearer {released.key}", "Content-Type": "application/json"}
    place = f"{released.platform.url()}/v1/state/notes/first"
    with urlopen(Request(place, b'{"hello": "world"}', headers, method="PUT"), timeout=10) as response:  # noqa: S310 - http, as above
        assert response.status == 201
    with urlopen(Request(place, None, headers), timeout=10) as response:  # noqa: S310 - as above
        assert json.loads(response.read()) == {"hello": "world"}


def test_a_second_up_changes_nothing(released: Released) -> None:
    assert not released.platform.up(released.image).changed


def test_all_replicas_are_ready_and_admitted_as_restricted(released: Released) -> None:
    assert released.ready() == released.deployment()["spec"]["replicas"]
    labels = json.loads(released.kubectl("get", "namespace", NAMESPACE, "-o", "json"))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
