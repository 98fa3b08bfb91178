"""Ten thousand documents beside ten million: ``python -m bench.ten_million``, or with another number than ten million.

Two platforms of their own, so that tables, indexes and caches have the two sizes; the same requests in turns, so that both meet the
same noise, on schedule whatever the answers do. Keys are hashes: neither loading nor reading is in the order of an index.

Needs Go for the load generator (vegeta, built once), and about 1 GB of disk per million documents. Ten million write
``bench/results/ten_million.json``.
"""

import base64
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from bench import many
from bench.machine import facts
from bench.open_loop import attack
from bench.served import TOKEN, Served, served

SMALL, LARGE = 10_000, 10_000_000
ROUNDS, RATE, SECONDS, CONNECTIONS = 5, 250, 4, 64
_ASKED = RATE * SECONDS
# 210 bytes, the size of a small state of an agent.
BODY = json.dumps({"state": "working", "step": 7, "plan": "x" * 168})
RESULTS = Path(__file__).parent / "results"
_AT_ONCE = 250_000
_BAR = 1.5

_LOAD = many.loading("$4::text")
_SIZES = """
select relname as name, pg_relation_size(oid) as rows, pg_indexes_size(oid) as indexes, pg_total_relation_size(oid) as total
from pg_class where oid in ('vanta.document'::regclass, 'vanta.document_version'::regclass) order by relname
"""


def main(large: int) -> None:
    """Load, measure, print and, for :data:`LARGE`, write."""
    machine = facts()
    with ExitStack() as stack:
        sides = [Side(stack.enter_context(served()), count) for count in (SMALL, large)]
        for side in sides:
            side.load()
        for number in range(ROUNDS):
            for kind in ("GET miss", "GET hit", "PUT"):
                for side in sides:
                    side.measure(kind, number)
        found = [side.found() for side in sides]
    ratios = {
        kind: round(found[1][f"{kind} p99"] / found[0][f"{kind} p99"], 2)
        for kind in ("GET miss", "GET hit", "PUT")
    }
    for one in found:
        print(json.dumps(one, indent=1))  # noqa: T201 - a benchmark prints its table
    for kind, ratio in ratios.items():
        verdict = "within" if ratio <= _BAR else "BEYOND"
        print(f"{kind}: p99 with {large} documents is {ratio} x that with {SMALL}, {verdict} {_BAR} x")  # noqa: T201
    if large == LARGE:
        content = {"machine": machine, "unit": "seconds; bytes", "sides": found, "p99Ratios": ratios}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "ten_million.json").write_text(json.dumps(content, indent=1) + "\n")


@dataclass
class Side:
    """A platform with ``count`` documents."""

    api: Served
    count: int
    latencies: dict[str, list[float]] = field(default_factory=dict)
    errors: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    def load(self) -> None:
        """Documents, each with one version, as writes would leave them but for the events, which are dropped in time."""
        began = time.monotonic()
        for first in range(0, self.count, _AT_ONCE):
            last = min(first + _AT_ONCE, self.count)
            self.api.sql(_LOAD, self.api.tenant, first, last, BODY)
            print(f"{last} of {self.count} documents are loaded", file=sys.stderr)  # noqa: T201 - it takes minutes
            # Nobody restores this database, and its log is larger than it.
            for segment in self.api.database.archive.iterdir():
                segment.unlink(missing_ok=True)
        self.facts["loadSeconds"] = round(time.monotonic() - began, 1)
        for table in ("vanta.document", "vanta.document_version"):
            self.api.sql(f"vacuum analyze {table}")
        self.api.sql("checkpoint")
        self.facts["tables"] = {row["name"]: dict(row) for row in self.api.sql(_SIZES)}
        total = sum(table["total"] for table in self.facts["tables"].values())
        self.facts["bytesPerDocument"] = round(total / self.count)

    def measure(self, kind: str, number: int) -> None:
        """One turn. Half of the keys are read, a part in each round, first as nobody has and then again; the others are written."""
        chosen = random.Random(number)  # noqa: S311 - the same in every run
        half = self.count // 2
        if kind == "PUT":
            asked = [half + chosen.randrange(half) for _ in range(_ASKED)]
        else:
            part = half // ROUNDS
            asked = chosen.sample(range(number * part, (number + 1) * part), _ASKED)
        before = self._cached_bytes()
        answers = attack(
            "".join(self._targets("PUT" if kind == "PUT" else "GET", asked)), RATE, CONNECTIONS, SECONDS
        )
        if kind == "GET miss" and number == 0:
            self.facts["redisBytesPerDocument"] = round((self._cached_bytes() - before) / _ASKED)
        self.latencies.setdefault(kind, []).extend(answer["latency"] / 1e9 for answer in answers)
        self.errors += sum(not 200 <= answer["code"] < 300 for answer in answers)

    def found(self) -> dict[str, Any]:
        """What was measured, latencies of all rounds together."""
        percentiles = {
            f"{kind} p{percent}": round(sorted(values)[len(values) * percent // 100], 6)
            for kind, values in self.latencies.items()
            for percent in (50, 99)
        }
        return {"documents": self.count, "errors": self.errors, **percentiles, **self.facts}

    def _targets(self, method: str, asked: Sequence[int]) -> Iterator[str]:
        line: dict[str, Any] = {"method": method, "header": {"Authorization": [f"Bearer {self.api.key}"]}}
        if method == "PUT":
            line["header"] |= {"Content-Type": ["application/json"], "Vanta-Concurrency": ["last-write-wins"]}
            line["body"] = base64.b64encode(BODY.encode()).decode()
        for number in asked:
            yield json.dumps({**line, "url": f"{self.api.url}/v1/state/many/{many.key(number)}"}) + "\n"

    def _cached_bytes(self) -> int:
        cache = self.api.cache
        with redis.Redis(
            host=cache.host, port=cache.port, password=TOKEN, ssl=True, ssl_ca_certs=str(cache.ca)
        ) as client:
            return client.info("memory")["used_memory"]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LARGE)
