"""``python -m local``: the platform on one machine."""

import json
import sys
from pathlib import Path

import click

from local.api import ApiError
from local.aws.emulator import AwsError
from local.cluster.command import cluster
from local.cluster.error import ClusterError
from local.console import Console
from local.home import FOLDER, REPOSITORY
from local.platform import Platform, PlatformError, Summary
from local.ports import PortError
from local.processes import ProcessError
from local.pulumi.engine import EngineError
from local.usage import lines

_REFUSALS = (PlatformError, ApiError, EngineError, ProcessError, PortError, AwsError, ClusterError)


@click.group()
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=REPOSITORY / FOLDER,
    show_default=".vanta of this checkout",
    help="The folder that holds all state.",
)
@click.pass_context
def main(context: click.Context, home: Path) -> None:
    """Run the whole platform on this machine, without a cloud account.

    \b
    Example:
      python -m local up
      curl -H "Authorization: Bearer $(cat .vanta/api-key)" "$(cat .vanta/url)/v1/state/notes/first"

    Exit codes: 0 done, 1 refused or failed (one line says why), 2 wrong usage.
    """
    console = Console()
    context.obj = (console, Platform(console, home))


main.add_command(cluster)

Context = tuple[Console, Platform]


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON on standard output.")
@click.pass_obj
def up(context: Context, *, as_json: bool) -> None:
    """Bring the platform up, or repair what is down; a second call changes nothing."""
    console, platform = context
    summary = platform.up()
    if as_json:
        facts = {"changed": summary.changed, "seconds": round(summary.seconds, 2), "outputs": summary.outputs}
        click.echo(json.dumps({"url": summary.url, "keyFile": str(summary.key_file), **facts}))
    _show(console, summary)


@main.command()
@click.pass_obj
def down(context: Context) -> None:
    """Stop everything and remove its state."""
    console, platform = context
    count = platform.down()
    console.say(f"\nNothing of this checkout is running any more ({count} processes stopped).")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON on standard output.")
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """Show what runs, with its memory and CPU time."""
    found = context[1].status()
    if as_json:
        click.echo(json.dumps(found))
        return
    if not found["processes"]:
        click.echo("Nothing is running. Start it with: make up")
        return
    click.echo(f"API {found['url']}")
    for line in lines(found["processes"], "make up"):
        click.echo(line)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def attached(context: Context, command: tuple[str, ...]) -> None:
    """Run COMMAND with the in-process providers attached to any pulumi in it; `make up`'s engine is on its PATH.

    \b
    Example, a preview of the development stack without a cloud account, in whatever backend pulumi is logged in to:
      python -m local attached pulumi stack select --create dev
      python -m local attached pulumi preview --stack dev
    """
    from local.attached import run  # noqa: PLC0415 - the providers take seconds to import

    sys.exit(run(command, context[0]))


@main.command()
@click.option("--stack", default="prod", show_default=True, help="The stack, as in Pulumi.<stack>.yaml.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it.  [default: docs/diagrams/<stack>.svg of this checkout]",
)
@click.pass_obj
def diagram(context: Context, *, stack: str, output: Path | None) -> None:
    """Draw the resources of a stack and their dependencies, as the engine previews them, without a cloud account.

    \b
    Example:
      python -m local diagram --stack dev --output dev.svg
    """
    from local.diagram.preview import graph_of  # noqa: PLC0415 - the providers take seconds to import
    from local.diagram.svg import draw  # noqa: PLC0415 - as above

    output = output or REPOSITORY / "docs" / "diagrams" / f"{stack}.svg"
    graph = graph_of(stack, context[0])
    output.write_text(draw(graph), encoding="utf-8")
    click.echo(f"{output}: {len(graph.things)} resources, {len(graph.edges)} dependencies")


def _show(console: Console, summary: Summary) -> None:
    outputs = summary.outputs
    state = "is up" if summary.changed else "was up already; nothing changed"
    console.say(f"\nThe platform {state} ({summary.seconds:.1f} s).")
    console.table(
        "Endpoints",
        {
            "state API": summary.url,
            "API document": f"{summary.url}/openapi.json",
            "PostgreSQL writer": f"{outputs['databaseEndpoint']}:{outputs['databasePort']}",
            "PostgreSQL reader": f"{outputs['databaseReaderEndpoint']}:{outputs['databasePort']}",
            "Redis (TLS)": f"{outputs['cacheEndpoint']}:{outputs['cachePort']}",
            "archive bucket": f"s3://{outputs['archiveBucket']}",
            "audit bucket": f"s3://{outputs['auditBucket']}",
            "tenant's API key": str(summary.key_file),
        },
    )
    console.table(
        "First request",
        {
            "": f"curl -X PUT -H \"Authorization: Bearer $(cat {summary.key_file})\" -H 'Content-Type: application/json' "
            f'-d \'{{"hello": "world"}}\' {summary.url}/v1/state/notes/first'
        },
    )


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        Console().refuse("interrupted; run the same command again to continue.")
        sys.exit(130)
    except _REFUSALS as error:
        Console().refuse(str(error))
        sys.exit(1)
    except OSError as error:
        Console().refuse(
            f"{error.strerror}: {error.filename or 'this machine'}. Put it right and run the same command again."
        )
        sys.exit(1)
