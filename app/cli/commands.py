"""The commands."""

import asyncio
import dataclasses
import json
import os
import sys
import time
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import asyncpg
import click
import msgspec

from app import logs, tracing
from app.cli.address import url as own_url
from app.cli.on_demand import OnDemand
from app.cli.refusals import FAILED, UNREACHABLE, end, refusals
from app.db import migrate as migrations
from app.db import plan as plans
from app.db import postgres, roles
from app.settings import Settings


@click.group(
    cls=OnDemand,
    elsewhere={
        "dr": ("app.cli.recovery", "dr"),
        "load": ("app.cli.load", "load"),
        "monitor": ("app.cli.monitor", "monitor"),
        "onboard": ("app.cli.tenancy", "onboard"),
        "operator-key": ("app.cli.tenancy", "operator_key"),
        "rewrap": ("app.cli.secrets", "rewrap"),
        "tenant": ("app.cli.tenancy", "tenant"),
    },
    epilog="Exit codes: 0 done, 1 failed, 2 wrong command line, 3 an engine or the API cannot be reached, 4 wrong settings.",
)
@click.version_option(package_name="vanta")
def main() -> None:
    """Operate the VANTA state API.

    Settings come from the environment (VANTA_DATABASE_HOST, VANTA_SECRETS_DIR, ...), as the stack's outputs give them.
    """


@main.command(epilog="Example: VANTA_LISTEN_PORT=8080 python -m app serve")
@refusals
def serve() -> None:
    """Serve the API until SIGTERM, then drain.

    On SIGTERM /readyz answers 503 for VANTA_DRAIN_SECONDS while requests are still served; then the listener closes and
    requests under way are answered.
    """
    # granian is only needed, and only loaded, here.
    from app.api import server  # noqa: PLC0415

    settings = Settings.from_environment(os.environ)
    logs.configure(settings.log_level)
    # Said here, in one sentence, and not by each worker that cannot start.
    tracing.wanted(os.environ)
    try:
        server.serve(settings)
    except server.ListenError as error:
        end(str(error), FAILED)


@main.command(epilog="Example: python -m app migrate --plan")
@click.option("--plan", is_flag=True, help="Only show what would be applied, and which tables it would lock.")
@click.option("--json", "as_json", is_flag=True, help="With --plan: print one JSON object a migration.")
@refusals
def migrate(*, plan: bool, as_json: bool) -> None:
    """Bring the database to this version's schema, and give the application its login.

    Each migration is one transaction and gives up rather than wait long for a lock. Safe to run again, and from several
    places at once. A plan rehearses on an empty database beside, which it makes and removes.
    """
    settings = Settings.from_environment(os.environ)
    if as_json and not plan:
        raise click.BadParameter("needs --plan", param_hint="--json")
    asyncio.run(_plan(settings, as_json=as_json) if plan else _migrate(settings))


async def _plan(settings: Settings, *, as_json: bool) -> None:
    connection = await postgres.connect(settings, "database-master")

    async def dial(database: str) -> asyncpg.Connection:
        beside = dataclasses.replace(settings, database_name=database)
        return await postgres.connect(beside, "database-master")

    try:
        planned = await plans.plan(connection, dial, migrations.load())
    finally:
        await connection.close()
    for migration in planned:
        if as_json:
            click.echo(msgspec.json.encode(migration))
            continue
        click.echo(f"would apply {migration.name} ({migration.lines} lines, sha256 {migration.sha256[:12]})")
        for lock in migration.locks:
            click.secho(
                f"  {lock.mode} on {lock.table} ({lock.rows} rows, {lock.size_bytes >> 20} MiB): holds up {lock.holds_up}",
                fg="yellow" if "writes" in lock.holds_up else None,
            )
    if not as_json:
        click.echo(f"{len(planned)} to apply.")


async def _migrate(settings: Settings) -> None:
    started = time.monotonic()
    login = settings.secrets.login("database-app")
    connection = await postgres.connect(settings, "database-master")
    try:
        count = 0
        async for migration in migrations.apply(connection, migrations.load()):
            count += 1
            click.secho(f"applied {migration.name}", fg="green")
        new = await roles.ensure_login(connection, login)
    finally:
        await connection.close()
    click.echo(
        f'{count} applied; login "{login.username}" {"created" if new else "up to date"}; '
        f"{time.monotonic() - started:.1f} s."
    )


@main.command(epilog="Example: python -m app health --url http://127.0.0.1:8080")
@click.option("--url", help="Where the API is.  [default: where this environment makes it listen]")
def health(*, url: str | None) -> None:
    """Ask a running API whether it is ready; exit code 0 if so.

    Needs no other settings, so that it serves as a container's health check.
    """
    url = url or own_url()
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("must start with http:// or https://", param_hint="--url")
    try:
        with urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310 - the scheme was checked above
            readiness = json.load(answer)
    except HTTPError as error:
        readiness = json.load(error)
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        end(f"{url} does not answer ({reason}): is it running?", UNREACHABLE)
        return
    good = readiness["status"] in {"ready", "degraded"}
    click.secho(readiness["status"], fg="green" if good else "red")
    for name, dependency in readiness["dependencies"].items():
        click.echo(f"  {name:<10}{dependency['status']}{'' if dependency['required'] else '  (optional)'}")
    sys.exit(0 if good else FAILED)
