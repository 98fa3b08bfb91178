"""What the platform refuses before it starts anything."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from local import platform
from local.console import Console
from local.home import Home
from local.platform import Platform, PlatformError


def test_too_little_disk_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 << 20))
    with pytest.raises(PlatformError, match="has 100 MiB free and the platform needs 1024: free some space"):
        Platform(Console(), tmp_path / ".vanta").up()
    assert not (tmp_path / ".vanta").exists()


@pytest.mark.parametrize(
    ("left", "kept"), [("settled", True), ("outputs.json", True), ("nothing else", False)]
)
def test_up_starts_over_only_if_no_up_ever_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str, kept: bool
) -> None:
    class ReachedError(Exception):
        """It came as far as the emulator."""

    def emulator(_: Home) -> None:
        raise ReachedError

    monkeypatch.setattr(platform, "find_engine", lambda: Path("pulumi"))
    monkeypatch.setattr(platform, "Aws", emulator)
    home = Home.at(tmp_path / ".vanta")
    home.folder("stack")
    (home.root / left).write_text("{}")
    documents = home.databases / "documents"
    documents.write_text("of a tenant")
    with pytest.raises(ReachedError):
        Platform(Console(), home.root).up()
    assert documents.exists() is kept


def test_the_status_of_what_never_ran_is_empty(tmp_path: Path) -> None:
    assert Platform(Console(), tmp_path / ".vanta").status() == {"processes": {}, "url": None}
    assert not (tmp_path / ".vanta").exists()


def test_down_of_what_never_ran_stops_nothing(tmp_path: Path) -> None:
    assert Platform(Console(), tmp_path / ".vanta").down() == 0
