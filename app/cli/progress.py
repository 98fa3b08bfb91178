"""How a recovery tells of its steps."""

from collections.abc import Callable

import click

from app.recovery.journal import Done


def teller(*, beside: bool = False) -> Callable[[Done], None]:
    """A line for each step; ``beside`` what is printed for programs."""

    def tell(done: Done) -> None:
        mark = click.style("-", fg="yellow") if done.skipped else click.style("✓", fg="green")
        click.echo(f"{mark} {done.step:<10} {done.seconds:7.1f} s  {done.said}", err=beside)

    return tell
