"""What the platform refuses before it starts anything."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.console import Console
from local.platform import Platform, PlatformError


def test_too_little_disk_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 << 20))
    with pytest.raises(PlatformError, match="has 100 MiB free and the platform needs 1024: free some space"):
        Platform(Console(), tmp_path / ".vanta").up()
    assert not (tmp_path / ".vanta").exists()


def test_the_status_of_what_never_ran_is_empty(tmp_path: Path) -> None:
    assert Platform(Console(), tmp_path / ".vanta").status() == {"processes": {}, "url": None}
    assert not (tmp_path / ".vanta").exists()


def test_down_of_what_never_ran_stops_nothing(tmp_path: Path) -> None:
    assert Platform(Console(), tmp_path / ".vanta").down() == 0
