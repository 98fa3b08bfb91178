"""The command that says how to begin anew in another region."""

from pathlib import Path

import click

from app.cli.refusals import FAILED, UNREACHABLE, end
from app.recovery.errors import LostError, RecoveryError
from app.recovery.plan import plan
from app.recovery.stacks import Pulumi, Saved


@click.command(
    "plan", epilog="Example: python -m app dr plan --region eu-central-1 --from prod --stack prod-anew"
)
@click.option("--region", required=True, help="Where the new stack is to be.")
@click.option(
    "--from", "source", required=True, metavar="STACK", help="The stack whose copies it begins with."
)
@click.option("--stack", required=True, help="The new stack.")
@click.option(
    "--outputs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with <stack>.json, as `pulumi stack output --json` prints it.",
)
def plan_(*, region: str, source: str, stack: str, outputs: Path | None) -> None:
    """Write the configuration of a new stack that begins from the newest snapshot in a region.

    It is written to Pulumi.STACK.yaml in the current folder, which must not be there yet; `pulumi up` does the rest.
    """
    path = Path(f"Pulumi.{stack}.yaml")
    try:
        known = Saved(outputs) if outputs else Pulumi()
        planned = plan(source, known.outputs(source), name=stack, region=region)
        # Never over the file of a stack that is there.
        with path.open("x", encoding="utf-8") as file:
            file.write(planned.file)
    except FileExistsError:
        end(f"{path} is there already: name another stack, or remove it.", FAILED)
    except LostError as error:
        end(str(error), UNREACHABLE)
    except RecoveryError as error:
        end(str(error), FAILED)
    click.secho(f"{path} begins with {planned.snapshot} of {planned.taken:%Y-%m-%dT%H:%M:%SZ}.", fg="green")
    click.echo(f"Next: pulumi stack init {stack}, then pulumi up --stack {stack}")
