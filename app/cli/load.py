"""The command that tests under load."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from app.cli.address import url as own_url
from app.cli.refusals import FAILED, UNREACHABLE, end
from app.load.answers import Answer, Outcome, outcome
from app.load.profile import PROFILES, Profile, constant
from app.load.report import report as html

# A generator that was this late measures itself.
_LATE_SECONDS = 0.1


@click.command(epilog="Example: python -m app load --profile steady --key-file api-key --report load.html")
@click.option(
    "--profile",
    "name",
    type=click.Choice(sorted(PROFILES)),
    default="smoke",
    show_default=True,
    help="What is sent: docs/reference/load.md has each.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Requests a second, in place of the profile's stages.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="How long, with --rate.",
)
@click.option("--url", help="Where the API is.  [default: where this environment makes it listen]")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="A file with the API key of a tenant for tests.",
)
@click.option(
    "--availability",
    type=click.FloatRange(0, 1),
    help="The share that must succeed.  [default: the profile's]",
)
@click.option(
    "--read-p99",
    type=click.FloatRange(min=0),
    help="Milliseconds for 99 of 100 reads.  [default: the profile's]",
)
@click.option(
    "--write-p99",
    type=click.FloatRange(min=0),
    help="Milliseconds for 99 of 100 writes.  [default: the profile's]",
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a report as HTML.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def load(
    *,
    name: str,
    rate: float | None,
    seconds: float,
    url: str | None,
    key_file: Path,
    availability: float | None,
    read_p99: float | None,
    write_p99: float | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Send requests on schedule, account for each, and say whether the objectives were held.

    The documents lie in the collection load-test of the key's tenant and expire within an hour. Exit code 1 says that an
    objective was missed. Needs the extra `load` (from a checkout: pip install '/path/to/vanta[load]').
    """
    profile = PROFILES[name]
    if rate is not None:
        profile = msgspec.structs.replace(profile, stages=constant(rate, seconds))
    asked = {"availability": availability, "read_p99_ms": read_p99, "write_p99_ms": write_p99}
    objectives = msgspec.structs.replace(
        profile.objectives, **{key: value for key, value in asked.items() if value is not None}
    )
    profile = msgspec.structs.replace(profile, objectives=objectives)
    url = url or own_url()
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("must start with http:// or https://", param_hint="--url")
    started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    try:
        answers, late = asyncio.run(_run(url, key_file.read_text().strip(), profile))
    except ModuleNotFoundError:
        end("The load test needs aiohttp; from a checkout: pip install '/path/to/vanta[load]'.", FAILED)
        return
    found = outcome(answers, profile.objectives)
    if report:
        report.write_text(html(url, started, profile, found), encoding="utf-8")
    if late > _LATE_SECONDS:
        click.secho(
            f"Requests left up to {late:.2f} s late: this machine could not send so many, and its waiting is in the figures.",
            fg="yellow",
            err=True,
        )
    if as_json:
        click.echo(
            msgspec.json.encode(
                {"url": url, "started": started, "profile": profile, "late": late, "outcome": found}
            )
        )
    else:
        _show(found, report)
    if not found.held:
        raise SystemExit(FAILED)


async def _run(url: str, key: str, profile: Profile) -> tuple[list[Answer], float]:
    # The extra `load` has it, and only this command needs it.
    from app.load.generator import Generator, LoadError  # noqa: PLC0415

    async with Generator(url, key, profile) as generator:
        try:
            await generator.prepare()
        except LoadError as error:
            end(str(error), UNREACHABLE)
        answers = await generator.run(_progress(profile))
        return answers, generator.late


def _progress(profile: Profile) -> Callable[[int, int, int], None]:
    """Told each second: a line that is written over on a terminal, every tenth a line elsewhere."""
    terminal = sys.stderr.isatty()

    def tell(second: int, sent: int, failed: int) -> None:
        if terminal or not second % 10:
            line = f"{second} of {profile.seconds:g} s: {sent} sent, {failed} failed"
            click.echo(f"\r{line} " if terminal else line, nl=not terminal, err=True)

    return tell


def _show(found: Outcome, report: Path | None) -> None:
    for kind, latency in found.kinds.items():
        if latency.count:
            times = (
                ""
                if latency.p99 is None
                else f", p50 {latency.p50:.1f} ms, p99 {latency.p99:.1f} ms, max {latency.max:.1f} ms"
            )
            click.echo(f"{kind:<6} {latency.count} requests, {latency.failed} failed{times}")
    for why, count in found.failures.items():
        click.echo(f"  failed with {why}: {count}")
    for one in found.objectives:
        seen = "nothing to measure" if one.seen is None else f"{one.seen:.6g}"
        click.secho(
            f"{'held' if one.held else 'missed':<7}{one.name}: {seen}, asked {one.asked:g}",
            fg="green" if one.held else "red",
        )
    if report:
        click.echo(f"Report: {report}")
