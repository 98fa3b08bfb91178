"""Clients read and write while something is broken: whatever they were told must fit one order of what was written."""

import asyncio
from pathlib import Path

import pytest

from .checker import check
from .faults import FAULTS, Fault, Nemesis
from .history import save
from .platform import Platform
from .workload import Recorder, final_reads, load

_CLIENTS = 12
FAMILIES: dict[str, dict[str, Fault]] = {
    **FAULTS,
    "everything": {k: v for faults in FAULTS.values() for k, v in faults.items()},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_answer_fits_one_order_of_the_writes(
    broken: Platform, family: str, seed: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    broken.heal()
    broken.open_cache()
    recorder = Recorder(broken)
    seconds = request.config.getoption("--minutes") * 60 / len(FAMILIES)
    nemesis = Nemesis(broken, FAMILIES[family], seed)
    asyncio.run(load(recorder, nemesis, clients=_CLIENTS, seed=seed, seconds=seconds))
    asyncio.run(final_reads(recorder))
    versions = recorder.versions()
    file = tmp_path / "history.jsonl"
    save(file, recorder.operations, versions)
    print(f"{len(recorder.operations)} operations, {len(versions)} versions, {nemesis.done}: {file}")  # noqa: T201 - shown with a failure
    wrong = check(recorder.operations, versions, after=recorder.after)
    assert not wrong, f"--seed {seed}, {file}: " + "\n".join(wrong[:10])
    assert len(versions) > 100, "hardly anything was written, so hardly anything was tried"
