"""The commands that bring the platform back in another region."""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec
import structlog

from app.cli.database import with_both
from app.cli.plan import plan_
from app.cli.progress import teller
from app.cli.refusals import FAILED, UNREACHABLE, end, refusals
from app.cli.restore import compare, restore_, swap
from app.recovery import lost, run, timeline
from app.recovery.database import GlobalDatabase
from app.recovery.errors import LostError, RecoveryError
from app.recovery.journal import Kind, Operation
from app.recovery.picture import Picture, look
from app.recovery.stacks import Pair, Pulumi, Saved
from app.recovery.steps import Wishes
from app.settings import MAX_PORT, MIN_PORT, Settings


@click.group()
def dr() -> None:
    """Move to another region: planned, after a loss, and back; or go back in time.

    Credentials for AWS come from the environment, as for any AWS tool. Stacks are asked of `pulumi` in the current folder, or read
    from saved outputs when Pulumi's backend is lost as well.
    """


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """What all of them take, and how they refuse."""

    @click.option("--to", required=True, metavar="STACK", help="The stack that is to serve.")
    @click.option(
        "--outputs",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="A folder with <stack>.json of each stack, as `pulumi stack output --json` prints it.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
    @wraps(command)
    def wrapped(*, to: str, outputs: Path | None, as_json: bool, **options: Any) -> None:
        # Lines would break what is shown to people; standard output is for what was asked.
        quiet, beside = structlog.ReturnLoggerFactory(), structlog.PrintLoggerFactory(sys.stderr)
        structlog.configure(logger_factory=beside if as_json else quiet)
        try:
            pair = Pair.find(to, Saved(outputs) if outputs else Pulumi())
            command(pair=pair, as_json=as_json, **options)
        except LostError as error:
            end(str(error), UNREACHABLE)
        except RecoveryError as error:
            end(str(error), FAILED)

    return wrapped


def _changing(command: Callable[..., None]) -> Callable[..., None]:
    """What those take that change something."""
    options = (
        click.option("--url", default="", help="Where the target's API answers.  [default: its own name]"),
        click.option("--reconcile/--no-reconcile", default=True, help="Refresh Pulumi's state at the end."),
    )
    for option in options:
        command = option(command)
    return _common(command)


def _lag_limit(seconds: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "--lag-limit",
        type=click.FloatRange(0),
        default=seconds,
        show_default=True,
        help="Seconds that the target may be behind.",
    )


@dr.command(epilog="Example: python -m app dr status --to prod-dr")
@_common
def status(*, pair: Pair, as_json: bool) -> None:
    """Show how both sides are, and what speaks for taking the other one for lost; changes nothing."""
    picture = look(pair, GlobalDatabase(pair))
    if as_json:
        click.echo(msgspec.json.encode(picture))
    else:
        _show(picture)


@dr.command(epilog="Example: python -m app dr switchover --to prod-dr")
@_lag_limit(10)
@_changing
def switchover(**options: Any) -> None:
    """Let a healthy standby take over; nothing is lost, and writes are refused for a moment."""
    _move("switchover", **options)


@dr.command(epilog="Example: python -m app dr failover --to prod-dr --accept-loss")
@_lag_limit(60)
@click.option("--accept-loss", is_flag=True, help="Lose what had not arrived, however much that is.")
@click.option(
    "--although-healthy", is_flag=True, help="Although too little says that the other side is lost."
)
@_changing
def failover(**options: Any) -> None:
    """Let the standby take over from a region that is lost; what had not arrived is lost."""
    _move("failover", **options)


@dr.command(epilog="Example: python -m app dr failback --to prod")
@_lag_limit(10)
@_changing
def failback(**options: Any) -> None:
    """Let the region that was lost serve again: waits until it has everything, then nothing is lost."""
    _move("failback", **options)


@dr.command(epilog="Example: python -m app dr resume --to prod-dr")
@_lag_limit(60)
@_changing
def resume(*, pair: Pair, as_json: bool, url: str, reconcile: bool, lag_limit: float) -> None:
    """Go on with what was left half way, after its last finished step."""
    wishes = Wishes(lag_limit=lag_limit, url=url, reconcile=reconcile)
    _close(run.resume(pair, wishes, teller(beside=as_json)), as_json=as_json)


@dr.command("new-timeline", epilog="Example: python -m app dr new-timeline")
@refusals
def new_timeline() -> None:
    """Leave what the cache has of a past that the database has given up.

    Run it with the environment of the API, wherever the database went back in time under a cache that went on: after a restore to
    a point in time, and after a fail-over that lost something. `failback` runs it in a pod.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    left = asyncio.run(timeline.leave(Settings.from_environment(os.environ)))
    if left.streams is None:
        end(
            "The cached documents are not used any more, but the cache does not answer: empty it.",
            UNREACHABLE,
        )
    click.echo(f"cached documents are not used any more, {left.streams} streams begin anew")


@dr.command(
    "lost", epilog="Example: python -m app dr lost --host old.cluster-abc.eu-west-1.rds.amazonaws.com"
)
@click.option("--host", required=True, help="Where a database made of the old leader's snapshot answers.")
@click.option(
    "--port", type=click.IntRange(MIN_PORT, MAX_PORT), help="Its port.  [default: the new leader's]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array: tenant, name, events, complete.")
@refusals
def lost_(*, host: str, port: int | None, as_json: bool) -> None:
    """Say exactly what a fail-over lost, tenant by tenant.

    Run it with the environment of the API, which names the new leader. The old one has the same logins: restore the snapshot that
    was made of it (`rds:unplanned-global-failover-...`) to a cluster of its own.
    """
    found = with_both(host, port, lambda new, old: lost.compare(old, new))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        what = (
            f"revisions {one.events[0].revision} to {one.events[-1].revision}" if one.events else "no event"
        )
        more = "" if one.complete else ", and what was dropped from the outbox before"
        click.echo(f"{one.name:<24} {what} ({len(one.events)} changes){more}")
    click.echo(f"{sum(len(one.events) for one in found)} changes of {len(found)} tenants were lost.")


def _move(kind: Kind, *, pair: Pair, as_json: bool, **options: Any) -> None:
    _close(run.begin(kind, pair, Wishes(**options), teller(beside=as_json)), as_json=as_json)


def _close(operation: Operation, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(operation))
        return
    seconds = (operation.alive - operation.started).total_seconds()
    click.secho(
        f"{operation.target} serves: {operation.kind} {operation.id} took {seconds:.1f} s.", fg="green"
    )


def _show(picture: Picture) -> None:
    lag = "unknown" if picture.lag_seconds is None else f"{picture.lag_seconds:.1f} s"
    for name in (picture.target, picture.other):
        parts = ["leads" if picture.leader == name else "follows", f"database {picture.databases[name]}"]
        if name in picture.ready:
            parts.append(f"API {picture.ready[name]}")
        click.echo(f"{name:<12} {', '.join(parts)}")
    if picture.leader != picture.target:
        click.echo(f"lag          {lag}{', has to get everything again' if picture.resyncs else ''}")
    for reason in picture.reasons:
        click.secho(f"{picture.other} may be lost: {reason}", fg="yellow")


for command in (plan_, restore_, compare, swap):
    dr.add_command(command)
