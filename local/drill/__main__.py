"""The command line of the drill."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from local.drill import rounds
from local.drill.pair import DrillError, pair
from local.drill.picture import picture
from local.drill.record import Drill, Kind, Round, summary
from local.home import Home

KINDS: tuple[Kind, ...] = ("killed", "switchover", "returning", "lagging", "frozen", "full")


def main() -> None:
    """Drill, print, write and draw; ends with 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m local.drill", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="killed", help="how the primary is lost")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--rate", type=float, default=50, help="writes a second")
    parser.add_argument("--results", type=Path, help="write KIND.json and KIND.html into this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vanta-drill-") as folder:
        home = Home.at(Path(folder) / ".vanta")
        try:
            found = asyncio.run(drill(home, options.kind, options.rounds, options.rate, _tell))
        except DrillError as error:
            sys.exit(str(error))
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        content = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
        (options.results / f"{options.kind}.json").write_bytes(content)
        (options.results / f"{options.kind}.html").write_text(picture(found))
    print(msgspec.json.format(msgspec.json.encode(found.summary), indent=1).decode())  # noqa: T201
    sys.exit(bool(found.summary.broken))


async def drill(home: Home, kind: Kind, count: int, rate: float, tell: Callable[[int, Round], None]) -> Drill:
    """``count`` rounds of ``kind`` in ``home`` under ``rate`` writes a second, each told of when it is over."""
    machine = {"cores": os.cpu_count(), "loadBefore": round(os.getloadavg()[0], 2)}
    found: list[Round] = []
    async with pair(home) as regions:
        for number in range(count):
            name = f"{number:03}"
            if kind == "switchover":
                to = (rounds.STANDBY, rounds.PRIMARY)[number % 2]
                one = await rounds.switchover(regions, name, to, rate)
            else:
                one = await rounds.loss(regions, kind, name, rate)
            found.append(one)
            tell(number, one)
    return Drill(machine=machine, kind=kind, rate=rate, summary=summary(found), rounds=found)


def _tell(number: int, one: Round) -> None:
    steps = ", ".join(f"{step} {seconds:.2f}" for step, seconds in one.steps.items())
    print(  # noqa: T201
        f"{number + 1:>3}  {one.seconds:6.2f} s ({steps})  {len(one.lost)} of {one.acknowledged} writes lost"
        f"  {'; '.join(one.broken)}",
        flush=True,
    )


if __name__ == "__main__":
    main()
