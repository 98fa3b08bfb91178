"""What a cluster refuses before it changes anything: one sentence, with its remedy."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from local.cluster import cgroup, preflight
from local.cluster.control_plane import API
from local.cluster.error import ClusterError
from local.cluster.kubectl import named
from local.cluster.light import serving
from local.home import Home
from local.processes import Command, Processes

ELSEWHERE = "name the kubeconfig of another cluster with --kubeconfig FILE --context NAME"
PROGRAM, HOME = Path("kubernetes"), Path("/nowhere/.vanta-cluster")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that has all that a node needs."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda tool: f"/usr/bin/{tool}")
    monkeypatch.setattr(cgroup, "missing", list)
    monkeypatch.setattr(preflight, "_has", lambda *_: True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 40))
    return monkeypatch


def without(*tools: str) -> Callable[[str], str | None]:
    return lambda tool: None if tool in tools else f"/usr/bin/{tool}"


@pytest.mark.usefixtures("machine")
def test_a_machine_that_has_everything_is_taken_without_a_word() -> None:
    said: list[str] = []
    preflight.check(said.append, HOME)
    assert not said


def test_without_root_the_remedy_is_root_or_another_cluster(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match=f"a node needs root.*run the command as root, or {ELSEWHERE}"):
        preflight.check(print, HOME)


def test_another_system_than_linux_is_sent_to_kind(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(sys, "platform", "darwin")
    with pytest.raises(ClusterError, match="this is darwin: use kind or k3d"):
        preflight.check(print, HOME)


def test_missing_packages_are_installed_with_a_word(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(shutil, "which", without("containerd", "ctr", "runc"))
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        ran.append(command)
        return SimpleNamespace(returncode=0)

    machine.setattr(subprocess, "run", run)
    said: list[str] = []
    preflight.check(said.append, HOME)
    assert said == ["  installing from Debian: containerd runc"]
    assert ran[-1][-2:] == ["containerd", "runc"]


def test_without_containerd_and_without_debian_the_package_is_named(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(shutil, "which", without("containerd", "apt-get"))
    with pytest.raises(
        ClusterError, match=r"containerd is missing and this is no Debian.*install it yourself"
    ):
        preflight.check(print, HOME)


def test_an_installation_that_fails_is_said_with_its_reason(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(shutil, "which", without("containerd"))
    failed = SimpleNamespace(returncode=100, stderr="no network")
    machine.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(ClusterError, match=r"`apt-get update` failed: no network. Install it yourself"):
        preflight.check(print, HOME)


def test_a_full_disk_is_refused_with_what_is_needed(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    with pytest.raises(
        ClusterError, match=r"^/ has 1024 MiB free, and a node .* needs 2048: free some space"
    ):
        preflight.check(print, HOME)


def test_a_missing_cgroup_controller_is_named(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(cgroup, "missing", lambda: ["memory"])
    with pytest.raises(ClusterError, match=f"no cgroup controller memory.*cgroup_enable.*{ELSEWHERE}"):
        preflight.check(print, HOME)


@pytest.mark.parametrize("module", ["br_netfilter", "overlay"])
def test_a_missing_kernel_feature_is_named_with_its_module(machine: pytest.MonkeyPatch, module: str) -> None:
    machine.setattr(preflight, "_has", lambda _, asked: asked != module)
    with pytest.raises(ClusterError, match=f"the kernel has no {module}.*`modprobe {module}`.*{ELSEWHERE}"):
        preflight.check(print, HOME)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    contexts = [{"name": name, "context": {}} for name in ("production", "kind-test")]
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump({"contexts": contexts, "current-context": "production"}))
    return path


def test_the_current_context_of_a_kubeconfig_is_never_taken_unnamed(kubeconfig: Path) -> None:
    with pytest.raises(
        ClusterError,
        match="may lead to somebody's production: choose with --context one of production, kind-test",
    ):
        named(PROGRAM, kubeconfig, None)


def test_a_context_that_the_kubeconfig_does_not_have_is_refused(kubeconfig: Path) -> None:
    with pytest.raises(ClusterError, match="has no context staging: choose with --context one of"):
        named(PROGRAM, kubeconfig, "staging")


def test_a_context_that_is_named_is_used_and_no_other(kubeconfig: Path) -> None:
    reached = named(PROGRAM, kubeconfig, "kind-test")
    assert (reached.kubeconfig, reached.context) == (kubeconfig, "kind-test")


@pytest.mark.parametrize("text", [None, "no: contexts", "- 1", "{"])
def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ClusterError, match="config is no kubeconfig: name a file"):
        named(PROGRAM, path, "kind-test")


def test_a_second_api_server_in_one_home_is_refused(home: Home) -> None:
    Processes(home).start(Command(name=API, argv=["sleep", "1000"], cwd=home.root))
    with (
        pytest.raises(ClusterError, match=r"an API server is running in .* already: end the command"),
        serving(home),
    ):
        pytest.fail("it was served")
