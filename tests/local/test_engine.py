"""The engine is found where it is, built where it is not, and a failed build leaves nothing behind."""

from pathlib import Path

import pytest

from local.pulumi.engine import EngineError, build_engine, find_engine


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with the system's basic commands and whatever a test puts into this folder."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    return folder


GO = """
case "$1" in
    list) printf 'a\\nb\\nc\\n' ;;
    build) printf 'a\\nb\\nc\\n' >&2
           while [ "$1" != -o ]; do shift; done
           echo engine > "$2" ;;
esac
"""


def test_an_engine_on_path_is_used_wherever_it_lies(tools: Path, tmp_path: Path) -> None:
    command = script(tools / "pulumi", "echo v3.300.0")
    assert find_engine(tmp_path) == command


def test_an_engine_on_path_that_is_too_old_is_passed_over(tools: Path, tmp_path: Path) -> None:
    script(tools / "pulumi", "echo v3.9.0")
    assert find_engine(tmp_path) is None


def test_an_engine_that_was_built_is_found_again(tools: Path, tmp_path: Path) -> None:
    script(tools / "go", GO)
    seen: list[tuple[int, int]] = []
    built = build_engine(lambda done, total: seen.append((done, total)), tmp_path)
    assert find_engine(tmp_path) == built
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_failed_build_says_what_go_said_and_leaves_no_engine(tools: Path, tmp_path: Path) -> None:
    script(tools / "go", f"{GO}\n[ \"$1\" = list ] || {{ echo 'no space left on device' >&2; exit 1; }}")
    with pytest.raises(EngineError, match=r"no space left on device(?s:.*)run the command again"):
        build_engine(lambda *_: None, tmp_path)
    assert find_engine(tmp_path) is None
    assert not [path for path in tmp_path.rglob("pulumi*") if path.is_file()]


def test_modules_that_cannot_be_fetched_are_said(tools: Path, tmp_path: Path) -> None:
    script(tools / "go", "echo 'dial tcp: no such host' >&2; exit 1")
    with pytest.raises(EngineError, match=r"modules could not be fetched(?s:.*)no such host"):
        build_engine(lambda *_: None, tmp_path)


def test_without_go_and_without_uv_the_remedy_is_named(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(EngineError, match=r"there is no Go tool chain(?s:.*)install Go, uv or pulumi"):
        build_engine(lambda *_: None, tmp_path)
