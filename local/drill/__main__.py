"""The command line of the drill."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from local.drill import rounds
from local.drill.pair import DrillError, pair
from local.drill.picture import picture
from local.drill.record import Drill, Kind, Round, summary
from local.home import Home, write

KINDS: tuple[Kind, ...] = ("killed", "switchover", "returning", "lagging", "frozen", "full", "cut")


def main() -> None:
    """Drill, print, write and draw; ends with 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m local.drill", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="killed", help="how the primary is lost")
    parser.add_argument("--rounds", type=_one_or_more, default=1)
    parser.add_argument("--rate", type=float, default=50, help="writes a second")
    parser.add_argument("--results", type=Path, help="write KIND.json and KIND.html into this folder")
    options = parser.parse_args()

    def tell(found: Drill) -> None:
        _tell(found)
        if options.results:
            keep(found, options.results)

    with tempfile.TemporaryDirectory(prefix="vanta-drill-") as folder:
        home = Home.at(Path(folder) / ".vanta")
        try:
            found = asyncio.run(drill(home, options.kind, options.rounds, options.rate, tell))
        except DrillError as error:
            sys.exit(str(error))
    print(msgspec.json.format(msgspec.json.encode(found.summary), indent=1).decode())  # noqa: T201
    sys.exit(bool(found.summary.broken))


def _one_or_more(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} rounds show nothing: say 1 or more")
    return number


async def drill(home: Home, kind: Kind, count: int, rate: float, tell: Callable[[Drill], None]) -> Drill:
    """``count`` rounds of ``kind``, 1 or more, in ``home`` under ``rate`` writes a second; all so far are told of after each."""
    machine = {"cores": os.cpu_count(), "loadBefore": _load()}
    found: list[Round] = []
    async with pair(home) as regions:
        while True:
            number = len(found)
            name, load, began = f"{number:03}", _load(), time.monotonic()
            if kind == "switchover":
                to = (rounds.STANDBY, rounds.PRIMARY)[number % 2]
                one = await rounds.switchover(regions, name, to, rate)
            else:
                one = await rounds.loss(regions, kind, name, rate)
            one.took_seconds, one.load_before = round(time.monotonic() - began, 1), load
            found.append(one)
            whole = Drill(machine=machine, kind=kind, rate=rate, summary=summary(found), rounds=found)
            tell(whole)
            if len(found) == count:
                return whole


def keep(found: Drill, folder: Path) -> None:
    """Write what was found, so that a drill that is stopped keeps its rounds."""
    folder.mkdir(parents=True, exist_ok=True)
    content = msgspec.json.format(msgspec.json.encode(found), indent=1).decode()
    write(folder / f"{found.kind}.json", f"{content}\n", mode=0o644)
    write(folder / f"{found.kind}.html", picture(found), mode=0o644)


def _load() -> float:
    return round(os.getloadavg()[0], 2)


def _tell(found: Drill) -> None:
    one = found.rounds[-1]
    steps = ", ".join(f"{step} {seconds:.2f}" for step, seconds in one.steps.items())
    print(  # noqa: T201
        f"{len(found.rounds):>3}  {one.seconds:6.2f} s ({steps})  {len(one.lost)} of {one.acknowledged} writes lost,"
        f" round of {one.took_seconds:.0f} s  {'; '.join(one.broken)}",
        flush=True,
    )


if __name__ == "__main__":
    main()
