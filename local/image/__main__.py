"""``python -m local.image``: what ``make image`` runs."""

from pathlib import Path

import click

from local.image.build import ARCHIVE, BuildError, build


@click.command()
@click.option(
    "--archive",
    type=click.Path(path_type=Path),
    default=ARCHIVE,
    show_default=True,
    help="Where the image goes, in the format of `docker load`.",
)
@click.option("--fresh", is_flag=True, help="Build without anything that an earlier build left in a cache.")
def main(archive: Path, *, fresh: bool) -> None:
    """Build the state API's image with Docker, Podman, or buildah on a Debian base where neither runs.

    Exit codes: 0 done, 1 failed (one line says why), 2 wrong usage.
    """
    try:
        click.echo(f"built with {build(archive, fresh=fresh)}: {archive}")
    except BuildError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main(prog_name="python -m local.image")
