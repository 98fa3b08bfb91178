"""Releases on a real cluster: no client notices a new version, and a broken one never takes over."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from bench.clients import Clients
from bench.released import API, NAMESPACE, Released
from bench.versions import SITE_PACKAGES
from local.cluster.error import ClusterError
from local.home import write
from local.pulumi.engine import EngineError

Unnoticed = Callable[[], AbstractContextManager[Clients]]

# Python runs such a line at its start. The migration comes before the pods, and is to succeed.
BROKEN = "import os, sys; 'serve' in sys.orig_argv and os._exit(1)\n"


def test_a_new_version_and_the_way_back_cost_no_request(released: Released, unnoticed: Unnoticed) -> None:
    newer = released.version("newer", {"version": "newer"})
    with unnoticed():
        released.platform.up(newer)
        assert released.images() == {newer}
        released.platform.up(released.image)
        assert released.images() == {released.image}


def test_changed_configuration_rolls_the_pods_and_costs_no_request(
    released: Released, unnoticed: Unnoticed
) -> None:
    before = {pod["metadata"]["uid"] for pod in released.pods()}
    usual = released.home.root / "kubernetes" / "environment"
    changed = released.home.root / "kubernetes" / "environment-changed"
    write(changed, f"{usual.read_text()}VANTA_STREAM_LENGTH=5000\n")
    with unnoticed():
        released.platform.up(released.image, {"environmentFile": str(changed)})
        rolled = released.pods()
        released.platform.up(released.image)
    assert not before & {pod["metadata"]["uid"] for pod in rolled}
    name = rolled[0]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]
    assert rolled[0]["status"]["phase"] == "Running"
    assert name != released.pods()[0]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]


def test_a_migration_that_fails_stops_the_rollout(released: Released, unnoticed: Unnoticed) -> None:
    failing = released.version(
        "failing", {f"{SITE_PACKAGES}/app/db/migrations/9999_fails.sql": "select 1 / 0;\n"}
    )
    before = {pod["metadata"]["uid"] for pod in released.pods()}
    with unnoticed():
        with pytest.raises(EngineError, match="migration"):
            released.platform.up(failing)
        assert released.images() == {released.image}
        assert before <= {pod["metadata"]["uid"] for pod in released.pods()}
        released.platform.up(released.image)


def test_a_version_that_does_not_serve_is_refused_and_the_old_pods_serve_on(
    released: Released, unnoticed: Unnoticed, meanwhile: Callable[..., AbstractContextManager[None]]
) -> None:
    broken = released.version("broken", {f"{SITE_PACKAGES}/broken.pth": BROKEN})
    before = {pod["metadata"]["uid"] for pod in released.pods()}

    def impatient() -> bool:
        """Five minutes, in which a rollout may come forward, are too long for a test."""
        if broken not in released.images():
            return False
        released.patch("deployment", API, {"progressDeadlineSeconds": 20})
        return True

    with unnoticed():
        try:
            with meanwhile(impatient), pytest.raises(EngineError, match="is not ready"):
                released.platform.up(broken)
        finally:
            # As the program says: a field that somebody else changed would be a conflict.
            released.patch("deployment", API, {"progressDeadlineSeconds": 300})
        assert before <= {pod["metadata"]["uid"] for pod in released.pods()}
        released.platform.up(released.image)
    assert released.images() == {released.image}


def test_an_image_that_does_not_exist_is_refused_before_anything_changes(
    released: Released, unnoticed: Unnoticed, meanwhile: Callable[..., AbstractContextManager[None]]
) -> None:
    missing = f"{released.image.rpartition(':')[0]}:missing"
    before = {pod["metadata"]["uid"] for pod in released.pods()}

    def impatient() -> bool:
        """The migration comes first, and may take ten minutes."""
        for job in released.get("jobs")["items"]:
            if job["spec"]["template"]["spec"]["containers"][0]["image"] == missing:
                released.patch("job", job["metadata"]["name"], {"activeDeadlineSeconds": 5})
                return True
        return False

    with unnoticed():
        with meanwhile(impatient), pytest.raises(EngineError, match="active longer than specified deadline"):
            released.platform.up(missing)
        assert before == {pod["metadata"]["uid"] for pod in released.pods()}
        released.platform.up(released.image)
    assert released.images() == {released.image}


def test_pods_that_could_gain_privileges_are_refused(released: Released) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged", "namespace": NAMESPACE},
        "spec": {
            "containers": [{"name": "one", "image": released.image, "securityContext": {"privileged": True}}]
        },
    }
    with pytest.raises(ClusterError, match="violates PodSecurity"):
        released.kubectl.apply([pod])
