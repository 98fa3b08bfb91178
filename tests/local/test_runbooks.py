"""Runbooks: what they may say, the Markdown beside them, and every step of each, run on two real regions."""

import asyncio
import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import jmespath
import pytest

from local import runbooks
from local.aws.emulator import Aws
from local.drill.clients import Clients, put
from local.drill.old import Old
from local.drill.pair import Pair, pair
from local.drill.region import Region
from local.home import Home
from local.runbooks import Runbook, RunbookError, Step

FILES = sorted(runbooks.FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_markdown_is_what_the_data_say(path: Path) -> None:
    written = path.with_suffix(".md").read_text()
    assert written == runbooks.markdown(runbooks.load(path), path.name), "run `python -m local.runbooks`"


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("run: rm -rf everything", "runs none of app, local, pulumi and aws"),
        ("run: python -m app dr status --to $nobody", "uses $nobody, which nothing gives"),
        ("run: python -m app health\n    pod: nobody", "uses $nobody, which nothing gives"),
        ("run: python -m app health\n    sudo: true", "sudo"),
    ],
)
def test_what_is_no_runbook_is_refused(tmp_path: Path, step: str, complaint: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "title: t\nversion: 1\nwhen: w\nloses: l\nvariables: {}\nleft: []\n"
        f"steps:\n  - title: s\n    why: w\n    {step}\n"
    )
    with pytest.raises(RunbookError, match=re.escape(complaint)):
        runbooks.load(path)


class Operator:
    """Follows runbooks on a pair of regions, each step as it is written."""

    def __init__(self, regions: Pair) -> None:
        self._pair = regions
        self._regions = dict(regions.regions)
        self.followed: set[str] = set()

    def add(self, region: Region) -> None:
        """Know one more stack."""
        self._regions[region.name] = region

    async def follow(
        self, name: str, meanwhile: Mapping[str, Callable[[], Awaitable[None]]] | None = None, **values: str
    ) -> dict[str, str]:
        """Run every step of ``name``: what was said, and what steps printed; ``meanwhile`` happens before a step."""
        runbook: Runbook = runbooks.load(runbooks.FOLDER / f"{name}.yaml")
        assert set(values) == set(runbook.variables)
        for step in runbook.steps:
            if meanwhile and (happens := meanwhile.get(step.title)):
                await happens()
            words = runbooks.command(step, values)
            printed = await asyncio.to_thread(self._run, step, words, values)
            values[step.keep or "printed"] = printed.strip()
        self.followed.add(name)
        return values

    def _run(self, step: Step, words: list[str], values: Mapping[str, str]) -> str:
        if words[0] == "aws":
            return self._aws(words[1], words[2], words[3:])
        environment = self._pair.environment
        if step.pod:
            environment |= self._regions[values[step.pod]].environment
        if step.title == "Exchange":
            # There are no pods here, so the API was ended otherwise.
            words = [*words, "--api-stopped"]
        done = subprocess.run(
            [sys.executable, *words[1:]],
            cwd=self._pair.home.folder("drill"),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step.title}: {done.stderr}"
        return done.stdout

    def _aws(self, service: str, operation: str, words: list[str]) -> str:
        """What the AWS CLI would do: its options are the parameters of the operation, in another spelling."""
        given = dict(zip(words[::2], words[1::2], strict=True))
        place = given.pop("--region")
        query, form = given.pop("--query", None), given.pop("--output", None)
        region: Region = next(one for one in self._regions.values() if one.region == place)
        client = region.client(service)
        name = client.meta.method_to_api_mapping[operation.replace("-", "_")]
        shape = client.meta.service_model.operation_model(name).input_shape
        spelled = {member.lower(): member for member in shape.members}
        parameters = {spelled[name.removeprefix("--").replace("-", "")]: text for name, text in given.items()}
        answer = getattr(client, operation.replace("-", "_"))(**parameters)
        assert (query is None) == (form is None)
        if query is None:
            return ""
        # The CLI asks its query of what it prints, in which times are text.
        return str(jmespath.search(query, json.loads(json.dumps(answer, default=str))))


async def test_every_step_of_every_runbook_of_two_regions_does_what_it_says(home: Home) -> None:
    async with pair(home) as regions:
        operator = Operator(regions)
        west = regions.regions["west"]
        async with Clients(regions.name.url, regions.key).http() as http:
            assert await put(http, "kept")

        await operator.follow("switchover", standby="central")
        await regions.ready("central")
        await operator.follow("switchover", standby="west")
        await regions.ready("west")

        old = Old(regions, "west")
        await old.lose("killed")

        async def come_back() -> None:
            await old.come_back()
            await asyncio.to_thread(regions.revive)

        back = {"Find what the old leader had": come_back}
        found = await operator.follow("lost-region", back, standby="central", region=west.region)
        assert found["snapshot"].startswith("rds:unplanned-global-failover")
        assert json.loads(found["printed"]) == []

        await operator.follow("failback", primary="west")
        await operator.follow("events-after-a-loss", serving="west")
        await operator.follow("cache-lost", serving="west")
        await go_back(operator, regions)
        # The remaining one needs the engine: tests/local/engine/test_cold.py.
        assert operator.followed == {path.stem for path in FILES} - {"cold-start"}


async def go_back(operator: Operator, regions: Pair) -> None:
    """Overwrite something in a stack that stands by for nobody, and follow what is to be done then."""
    alone = Region(Aws(regions.home), "alone", "eu-north-1")
    alone.create()
    alone.prepare()
    key = alone.migrate()
    alone.serve()
    regions.save(alone, {})
    operator.add(alone)
    clients = Clients(f"http://127.0.0.1:{alone.port}", key)
    await alone.ready()
    async with clients.http() as http:
        assert await put(http, "kept")
        moment = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=1)
        while dt.datetime.now(dt.UTC) <= moment:  # noqa: ASYNC110 - the clock sets no event
            await asyncio.sleep(0.02)
        assert await put(http, "given-up")

    async def end() -> None:
        alone.end()

    async def begin() -> None:
        await asyncio.to_thread(alone.forget)
        alone.serve()
        await alone.ready()

    around = {"Exchange": end, "See that it serves": begin}
    await operator.follow("point-in-time", around, stack="alone", moment=f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    subjects = [event.subject for event in await clients.feed()]
    assert [one for one in subjects if one.startswith("state/drill/")] == ["state/drill/kept"]
