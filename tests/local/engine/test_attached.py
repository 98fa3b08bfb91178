"""Previews on the in-process providers, as the README has them pasted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.home import REPOSITORY

CHECKOUT = ("Pulumi.yaml", "Pulumi.dev.yaml", "pyproject.toml")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the commands see of a checkout; they write into its configuration, so it is a copy."""
    for name in CHECKOUT:
        shutil.copy(REPOSITORY / name, tmp_path)
    for name in ("infra", "local"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "Makefile").write_text("setup: ;\n")
    return tmp_path


def without_an_account() -> str:
    """The block of the README."""
    after = (REPOSITORY / "README.md").read_text().split("Without an account", 1)[1]
    return "\n".join(line.strip() for line in after.split("\n\n")[1].splitlines())


@pytest.mark.real
@pytest.mark.usefixtures("engine")
def test_the_preview_without_an_account_needs_no_cli(checkout: Path) -> None:
    # Without whatever else of pulumi's this machine has.
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "TMPDIR": str(checkout)}
    done = subprocess.run(
        ["bash", "-euc", without_an_account()],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "to create" in done.stdout
