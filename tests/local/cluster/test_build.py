"""Kubernetes is built once, a half-built cache is noticed, and a failure says what to do."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from local.cluster.build import build_binaries, find_binaries
from local.cluster.command import cluster
from local.cluster.error import ClusterError

GO = """#!/bin/sh
case "$1" in
    list) printf 'a\\nb\\nc\\n' ;;
    build) printf 'a\\nb\\nc\\n' >&2
           while [ "$1" != -o ]; do shift; done
           echo program > "$2" ;;
esac
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Go tool chain that builds at once."""
    command = tmp_path / "tools" / "go"
    command.parent.mkdir()
    command.write_text(GO)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/bin:/usr/bin")
    return command


@pytest.mark.usefixtures("go")
def test_what_was_built_is_found_again(tmp_path: Path) -> None:
    assert find_binaries(tmp_path) is None
    seen: list[tuple[int, int]] = []
    built = build_binaries(lambda done, total: seen.append((done, total)), tmp_path)
    assert find_binaries(tmp_path) == built
    assert seen == [(1, 3), (2, 3), (3, 3)] * 3


@pytest.mark.usefixtures("go")
def test_a_half_built_cache_is_completed_and_its_remains_are_removed(tmp_path: Path) -> None:
    built = build_binaries(lambda *_: None, tmp_path)
    before = built.kubernetes.stat().st_mtime_ns
    built.coredns.unlink()
    remains = built.coredns.with_suffix(".4711")
    remains.write_text("half")
    assert find_binaries(tmp_path) is None
    assert build_binaries(lambda *_: None, tmp_path) == built
    assert built.coredns.exists()
    assert not remains.exists()
    assert built.kubernetes.stat().st_mtime_ns == before


def test_a_failed_build_says_what_go_said_and_leaves_nothing(go: Path, tmp_path: Path) -> None:
    go.write_text("#!/bin/sh\n[ \"$1\" = list ] || { echo 'no space left on device' >&2; exit 1; }\n")
    with pytest.raises(
        ClusterError, match=r"kubernetes, the build failed(?s:.*)no space left(?s:.*)Free 6 GB"
    ):
        build_binaries(lambda *_: None, tmp_path)
    assert not [path for path in tmp_path.rglob("kubernetes*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.usefixtures("go")
def test_the_command_builds_and_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = CliRunner().invoke(cluster, ["--home", str(tmp_path / "home"), "build"])
    binaries = find_binaries()
    assert binaries is not None
    assert done.stdout == f"{binaries.kubernetes.parent}\n"
    assert not (tmp_path / "home").exists()
