"""How large the image is, how soon it serves, and whether it builds the same twice: ``python -m bench.image``.

Needs root, runc and buildah. Prints its figures and writes ``bench/results/image.json``.
"""

import json
import signal
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench.machine import facts, free_port
from local.image.archive import Image
from local.image.build import build
from local.image.container import Container

ROUNDS = 7
RESULTS = Path(__file__).parent / "results"
SECRETS = "/run/secrets/vanta"


def main() -> None:
    """Build twice, measure, print and write."""
    machine = facts()
    with tempfile.TemporaryDirectory(prefix="vanta-bench-") as name:
        folder = Path(name)
        builds = [_built(folder / f"{number}.tar") for number in range(2)]
        image = Image(folder / "0.tar")
        rootfs = folder / "rootfs"
        rootfs.mkdir()
        image.unpack(rootfs)
        content: dict[str, Any] = {
            "machine": machine,
            "unit": "seconds; bytes",
            "builds": builds,
            "layers": image.sizes(),
            "filesAboveTheBase": sum(entry.isfile() for entry in image.files(-1).values()),
            "help": [_help(image, rootfs, folder) for _ in range(ROUNDS)],
            "startToFirstHealthy": [_serve(image, rootfs, folder) for _ in range(ROUNDS)],
        }
    (RESULTS / "image.json").write_text(json.dumps(content, indent=1) + "\n")
    lines = [f"two fresh builds give the same layers: {builds[0]['layers'] == builds[1]['layers']}"]
    compressed = [layer["gzipBytes"] / 1e6 for layer in content["layers"]]
    lines.append(f"compressed {sum(compressed):.1f} MB, {compressed[-1]:.1f} MB above the base")
    for figure in ("help", "startToFirstHealthy"):
        rounds = content[figure]
        lines.append(f"{figure:<22}{statistics.median(rounds):>7.2f}s median{max(rounds):>7.2f}s worst")
    print("\n".join(lines))  # noqa: T201 - a benchmark prints its table


def _built(archive: Path) -> dict[str, Any]:
    started = time.monotonic()
    builder = build(archive, fresh=True)
    seconds = round(time.monotonic() - started, 1)
    return {"builder": builder, "seconds": seconds, "layers": Image(archive).layers}


def _help(image: Image, rootfs: Path, folder: Path) -> float:
    container = Container(image, rootfs, folder, arguments=["--help"])
    started = time.monotonic()
    container.run().check_returncode()
    return round(time.monotonic() - started, 3)


def _serve(image: Image, rootfs: Path, folder: Path) -> float:
    """From the start of the container to the first answer of /healthz, which needs no engine."""
    port = free_port()
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    engines = {
        f"VANTA_{kind}_{k}": v for kind in ("DATABASE", "CACHE") for k, v in (("HOST", "::1"), ("PORT", "1"))
    }
    listen = {"VANTA_LISTEN_HOST": "127.0.0.1", "VANTA_LISTEN_PORT": str(port), "VANTA_DRAIN_SECONDS": "0"}
    environment = {**engines, **listen, "VANTA_DATABASE_NAME": "vanta", "VANTA_SECRETS_DIR": SECRETS}
    container = Container(
        image, rootfs, folder, arguments=["serve"], environment=environment, mounts={SECRETS: secrets}
    )
    started = time.monotonic()
    process = container.start()
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", deadline=started + 60)
        seconds = round(time.monotonic() - started, 3)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    finally:
        container.remove()
    return seconds


def _wait(url: str, *, deadline: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the URL is the container's own
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


if __name__ == "__main__":
    main()
