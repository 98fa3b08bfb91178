"""The commands that undo what was written, by going back to a second before it."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec
import structlog

from app.cli.database import with_both
from app.cli.progress import teller
from app.cli.refusals import FAILED, UNREACHABLE, end, refusals
from app.recovery import difference
from app.recovery.errors import LostError, RecoveryError
from app.recovery.exchange import exchange
from app.recovery.restore import Restore
from app.recovery.stacks import Pulumi, Saved, Stack
from app.settings import MAX_PORT, MIN_PORT


def _going_back(command: Callable[..., None]) -> Callable[..., None]:
    """What both take that make and exchange clusters, and how they refuse."""

    @click.option("--stack", required=True, help="The stack whose database it is.")
    @click.option(
        "--at",
        required=True,
        type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
        help="The second to go back to, in UTC.",
    )
    @click.option(
        "--outputs",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="A folder with <stack>.json, as `pulumi stack output --json` prints it.",
    )
    @wraps(command)
    def wrapped(*, stack: str, at: dt.datetime, outputs: Path | None, **options: Any) -> None:
        # Each step is told of already.
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        try:
            source = Saved(outputs) if outputs else Pulumi()
            command(Restore(Stack.of(stack, source.outputs(stack)), at.replace(tzinfo=dt.UTC)), **options)
        except LostError as error:
            end(str(error), UNREACHABLE)
        except RecoveryError as error:
            end(str(error), FAILED)

    return wrapped


@click.command("restore", epilog="Example: python -m app dr restore --stack prod --at 2026-11-23T03:14:15Z")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: cluster, host, port.")
@click.option("--only", type=click.Choice(["cluster", "host", "port"]), help="Print one of these alone.")
@_going_back
def restore_(going_back: Restore, *, as_json: bool, only: str | None) -> None:
    """Make a cluster beside the stack's own, as that was at a second; changes nothing else, and repeated nothing at all."""
    made = going_back.make()
    found = {"cluster": going_back.restored, "host": made["Endpoint"], "port": made["Port"]}
    if only:
        click.echo(found[only])
    elif as_json:
        click.echo(msgspec.json.encode(found))
    else:
        click.secho(f"{found['cluster']} answers at {found['host']}, port {found['port']}.", fg="green")


@click.command(epilog="Example: python -m app dr swap --stack prod --at 2026-11-23T03:14:15Z")
@click.option("--api-stopped", is_flag=True, help="No pods serve here, and the API was ended otherwise.")
@_going_back
def swap(going_back: Restore, *, api_stopped: bool) -> None:
    """Let the cluster that `restore` made take the place and the name of the stack's own.

    Nobody is served meanwhile. The other one stays under a name that says until when it served: `dr lost` with its address
    lists what was acknowledged since. What was interrupted goes on when it is repeated, and the record of it is in the audit bucket.
    """
    exchange(going_back, teller(), api_stopped=api_stopped)
    click.secho(
        f"{going_back.name} is as it was then; {going_back.replaced} is what it had become.", fg="green"
    )


@click.command(
    epilog="Example: python -m app dr compare --host before.cluster-abc.eu-west-1.rds.amazonaws.com"
)
@click.option("--host", required=True, help="Where the restored database answers.")
@click.option(
    "--port", type=click.IntRange(MIN_PORT, MAX_PORT), help="Its port.  [default: that of the other]"
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON array: tenant, name, documents, events, complete."
)
@refusals
def compare(*, host: str, port: int | None, as_json: bool) -> None:
    """Say what became of each tenant's documents since the moment that was restored.

    Run it with the environment of the API, which names the database of now. All that is shown would be given up by going back.
    """
    found = with_both(host, port, difference.compare)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        more = "" if one.complete else ", and more of which the outbox knows nothing any more"
        click.echo(f"{one.name}: {len(one.documents)} documents differ, {len(one.events)} changes{more}")
        for document in one.documents:
            click.echo(
                f"  {document.collection}/{document.key}: revision {_shown(document.then)} then, {_shown(document.now)} now"
            )
    documents, events = (sum(len(getattr(one, of)) for one in found) for of in ("documents", "events"))
    click.echo(f"{documents} documents of {len(found)} tenants differ, after {events} changes.")


def _shown(revision: int | None) -> str:
    return "none" if revision is None else str(revision)
