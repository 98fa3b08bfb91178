"""The command that looks."""

import asyncio
import os
import sys
from contextlib import suppress

import click
import msgspec
import structlog

from app.cli.address import url as own_url
from app.cli.refusals import refusals
from app.db.postgres import UNREACHABLE
from app.monitor import screen
from app.monitor.monitor import Monitor
from app.monitor.picture import Picture
from app.settings import Settings


@click.command(epilog="Example: python -m app monitor --every 2")
@click.option(
    "--every",
    type=click.FloatRange(0.1, 3600),
    default=2.0,
    show_default=True,
    help="Seconds from look to look.",
)
@click.option("--once", is_flag=True, help="Look once and end; rates are of --every seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a look instead of a screen.")
@click.option("--url", help="Where the API is.  [default: where this environment makes it listen]")
@refusals
def monitor(*, every: float, once: bool, as_json: bool, url: str | None) -> None:
    """Show how everything is doing until Ctrl-C.

    The API, the database with its replicas and slow statements, the cache and its epoch, events that wait, the schema and
    whoever migrates, and the tenants that write most.
    """
    url = url or own_url()
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("must start with http:// or https://", param_hint="--url")
    settings = Settings.from_environment(os.environ)
    # What is lost is on the screen; lines between would break it.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with suppress(KeyboardInterrupt):
        asyncio.run(_watch(Monitor(settings, url), every, once=once, as_json=as_json))


async def _watch(monitor: Monitor, every: float, *, once: bool, as_json: bool) -> None:
    async with monitor:
        picture = await monitor.look()
        if once:
            await asyncio.sleep(every)
            picture = await monitor.look()
        _show(picture, as_json=as_json)
        while not once:
            await asyncio.sleep(every)
            try:
                _show(await monitor.look(), as_json=as_json)
            except UNREACHABLE as error:
                click.secho(f"PostgreSQL cannot be reached ({type(error).__name__}).", fg="red", err=True)


def _show(picture: Picture, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(picture))
        return
    if sys.stdout.isatty():
        click.clear()
    click.echo("\n".join(screen.lines(picture)))
