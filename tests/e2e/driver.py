"""The command line of a platform, as a user would type it."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import httpx

from local.home import REPOSITORY, Home


@dataclass(frozen=True)
class Platform:
    """A platform in a home of its own, driven through its command line."""

    home: Home

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m local`` on this home."""
        command = [sys.executable, "-m", "local", "--home", str(self.home.root), *arguments]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    def operate(self, *arguments: str) -> str:
        """Run ``python -m app`` with the environment that the platform leaves for it, and return what it printed."""
        exports = shlex.split((self.home.root / "environment").read_text())
        environment = dict(word.split("=", 1) for word in exports if word != "export")
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def up(self) -> dict[str, Any]:
        """Bring it up and return the summary."""
        done = self.run("up", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def client(self) -> httpx.Client:
        """A client of the state API with the tenant's key."""
        key = (self.home.root / "api-key").read_text()
        return httpx.Client(
            base_url=(self.home.root / "url").read_text(),
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
        )
