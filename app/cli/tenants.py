"""Commands about one tenant: taken along, suspended, resumed, erased."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import asyncpg
import click
import hiredis
import msgspec
import structlog

from app.cli.database import with_database
from app.cli.refusals import FAILED, UNREACHABLE, end, refusals
from app.db import postgres
from app.db.redis import Redis, RedisLostError
from app.settings import Settings
from app.tenancy import tenants
from app.tenancy.erasure import Eraser, NotErasedError
from app.tenancy.export import lines
from app.tenancy.tenants import Changes, Tenant

# Who has done it, for events and the tombstone: not an operator's key.
_BY = "command line"
_CONNECT_SECONDS = 5.0

_as_json = click.option("--json", "as_json", is_flag=True, help="Print the tenant as one JSON object.")


@click.command(epilog="Example: python -m app tenant export acme --output acme.ndjson")
@click.argument("name")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to; it must not exist yet.  [default: standard output]",
)
@refusals
def export(*, name: str, output: Path | None) -> None:
    """Print everything of tenant NAME, a JSON object a line, as it was at one moment.

    It is whole only if its last line is {"type":"end","data":<lines before it>}, and then exit code 0. Secrets are in it without
    their values.
    """
    tenant = _read(name)
    settings = Settings.from_environment(os.environ)
    if output is None:
        count = asyncio.run(_export(settings, tenant, sys.stdout.buffer))
    else:
        try:
            # Others of this machine have no business with it.
            with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                count = asyncio.run(_export(settings, tenant, file))
        except FileExistsError:
            end(f"{output} exists already: name a file that does not.", FAILED)
    click.echo(f"{count} lines of tenant {name}.", err=True)


@click.command(epilog="Example: python -m app tenant suspend acme")
@click.argument("name")
@_as_json
@refusals
def suspend(*, name: str, as_json: bool) -> None:
    """Refuse every request of tenant NAME, in every process within 5 seconds, until it is resumed."""
    _change(name, suspended=True, as_json=as_json)


@click.command(epilog="Example: python -m app tenant resume acme")
@click.argument("name")
@_as_json
@refusals
def resume(*, name: str, as_json: bool) -> None:
    """Answer requests of tenant NAME again."""
    _change(name, suspended=False, as_json=as_json)


@click.command(epilog="Example: python -m app tenant erase acme --confirm acme")
@click.argument("name")
@click.option("--confirm", metavar="NAME", help="The name once more.  [default: asked for]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: tenantId, name, erased.")
@refusals
def erase(*, name: str, confirm: str | None, as_json: bool) -> None:
    """End tenant NAME for good: its keys at once, then all it has in PostgreSQL and the cache.

    What stays is that it was: its id, the time, and that it was done here. If this is interrupted, run it again. Export first what may be
    needed: only backups have it afterwards, until they expire.
    """
    tenant = _find(name)
    if confirm is None:
        try:
            confirm = click.prompt(f"All that tenant {name} has goes for good. Its name once more", err=True)
        except click.Abort:
            end(f"Nobody answers, so nothing of {name} was erased: repeat its name with --confirm.", FAILED)
    if confirm != name:
        end(f"The names differ: nothing of {name} was erased.", FAILED)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        asyncio.run(_erase(Settings.from_environment(os.environ), tenant, name))
    except NotErasedError:
        end(f"Tenant {name} changed meanwhile: see `python -m app tenant list`.", FAILED)
    except (RedisLostError, hiredis.ReplyError) as error:
        end(
            f"Redis cannot be reached ({error}), and may still have something of {name}: run this again.",
            UNREACHABLE,
        )
    if as_json:
        click.echo(json.dumps({"tenantId": str(tenant), "name": name, "erased": True}))
    else:
        click.echo(f"Tenant {name} ({tenant}) is erased.")


def _find(name: str) -> UUID:
    found = with_database(lambda database: tenants.named(database, name))
    if found is None:
        end(f"There is no tenant {name}: see `python -m app tenant list`.", FAILED)
    return found


def _read(name: str) -> Tenant:
    tenant = _find(name)

    async def work(database: asyncpg.Connection) -> Tenant | None:
        return await tenants.read(database, tenant)

    found = with_database(work)
    if found is None:
        end(f"Tenant {name} was erased just now.", FAILED)
    return found


def _change(name: str, *, suspended: bool, as_json: bool) -> None:
    tenant = _find(name)

    async def work(database: asyncpg.Connection) -> Tenant | None:
        await tenants.change(database, tenant, Changes(suspended=suspended), by=_BY, traceparent=None)
        return await tenants.read(database, tenant)

    changed = with_database(work)
    if changed is None or changed.erasing:
        end(f"Tenant {name} is being erased: nothing was changed.", FAILED)
    elif as_json:
        click.echo(msgspec.json.encode(changed))
    else:
        click.echo(f"Tenant {name} is {'suspended' if suspended else 'active'}.")


async def _export(settings: Settings, tenant: Tenant, to: BinaryIO) -> int:
    pool = await postgres.pool(settings, 1)
    count = 0
    try:
        async for line in lines(pool, tenant):
            to.write(line)
            count += 1
        to.flush()
    finally:
        pool.terminate()
    return count


async def _erase(settings: Settings, tenant: UUID, name: str) -> None:
    pool = await postgres.pool(settings, 1)
    redis = Redis(settings)
    connection = asyncio.create_task(redis.run())
    try:
        # Asked before anything is done: without the cache an erasure could not be finished.
        async with asyncio.timeout(_CONNECT_SECONDS):
            while redis.server_id is None:  # noqa: ASYNC110 - the client has no event to wait for
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise RedisLostError("no answer") from None
    else:
        await Eraser(pool, redis, lambda _: None).erase(tenant, name, by=_BY, traceparent=None)
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)
        pool.terminate()
