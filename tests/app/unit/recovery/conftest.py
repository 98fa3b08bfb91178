"""Programs that stand for those that an operator has."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """``program(name, script)`` is found first on PATH; its calls are lines of the file that is returned."""

    def make(name: str, script: str) -> Path:
        folder, calls = tmp_path / "programs", tmp_path / f"{name}.calls"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n{script}\n')
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return calls

    return make
