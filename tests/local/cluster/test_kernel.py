"""The machine's own settings come back, whatever was set in between and by however many clusters."""

from pathlib import Path

import pytest

from local.cluster import kernel


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kernel, "_PROC", tmp_path)
    monkeypatch.setattr(kernel, "_KEPT", tmp_path / "kept.json")
    path = tmp_path / "kernel" / "panic"
    path.parent.mkdir()
    path.write_text("1\n")
    return path


def test_what_a_kubelet_set_is_given_back(setting: Path) -> None:
    kernel.remember()
    setting.write_text("10\n")
    kernel.give_back()
    assert setting.read_text().strip() == "1"


def test_a_second_cluster_does_not_take_the_settings_of_the_first_for_the_machines(setting: Path) -> None:
    kernel.remember()
    setting.write_text("10\n")
    kernel.remember()
    kernel.give_back()
    assert setting.read_text().strip() == "1"


def test_what_was_never_remembered_is_left_alone(setting: Path) -> None:
    setting.write_text("7\n")
    kernel.give_back()
    assert setting.read_text() == "7\n"
