"""Commands about tenants and operators. They work on the database itself, so that they need no key to begin with."""

import json

import asyncpg
import click
import msgspec

from app.cli import tenants as one_tenant
from app.cli.address import url as own_url
from app.cli.database import with_database
from app.cli.refusals import FAILED, end, refusals
from app.tenancy import keys, operators, tenants
from app.tenancy.principal import Rate

_PAGE = 200
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command(epilog="Example: python -m app onboard acme --rate 200 --burst 400")
@click.argument("name")
@click.option("--max-documents", type=click.IntRange(0), help="Documents at one time.  [default: any number]")
@click.option(
    "--max-bytes", type=click.IntRange(0), help="Bytes of all versions kept.  [default: any number]"
)
@click.option("--rate", type=click.IntRange(1, 1_000_000), help="Requests a second.  [default: any number]")
@click.option("--burst", type=click.IntRange(1, 1_000_000), help="Requests at once.  [default: as --rate]")
@click.option("--url", help="Where the API is.  [default: where this environment makes it listen]")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object: tenantId, name, apiKey, example."
)
@refusals
def onboard(
    *,
    name: str,
    max_documents: int | None,
    max_bytes: int | None,
    rate: int | None,
    burst: int | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Make tenant NAME with its quotas, a first document and an admin's API key, which is shown this once."""
    if burst and not rate:
        raise click.UsageError("--burst needs --rate.")
    quotas = tenants.Quotas(
        max_documents=max_documents,
        max_bytes=max_bytes,
        rate=Rate(per_second=rate, burst=burst or rate) if rate else None,
    )
    made = with_database(lambda database: tenants.create(database, name, quotas=quotas, welcome=True))
    example = f"curl -H 'Authorization: Bearer {made.key.text}' {url or own_url()}{tenants.WELCOME_PATH}"
    if as_json:
        shown = {"tenantId": str(made.tenant_id), "name": name, "apiKey": made.key.text, "example": example}
        click.echo(json.dumps(shown))
        return
    click.secho(f"Tenant {made.name} is ready.", fg="green")
    click.echo(f"  id       {made.tenant_id}")
    click.echo(f"  API key  {made.key.text}")
    click.echo("Keep the key now: only its hash is stored. A first request:")
    click.echo(f"  {example}")


@click.group()
def tenant() -> None:
    """Tenants: made, listed, taken along, suspended, resumed, erased."""


# What was its name before there was anything to begin with.
tenant.add_command(onboard, "create")
for command in (one_tenant.export, one_tenant.suspend, one_tenant.resume, one_tenant.erase):
    tenant.add_command(command)


@tenant.command("list", epilog="Example: python -m app tenant list --json")
@_as_json
@refusals
def list_tenants(*, as_json: bool) -> None:
    """Show every tenant with what it uses; as JSON one object a line."""

    async def work(database: asyncpg.Connection) -> list[tenants.Tenant]:
        found: list[tenants.Tenant] = []
        while page := await tenants.page(database, found[-1].tenant_id if found else None, _PAGE):
            found += page
        return found

    for one in with_database(work):
        if as_json:
            click.echo(msgspec.json.encode(one))
        else:
            state = "erasing" if one.erasing else "suspended" if one.suspended else "active"
            click.echo(
                f"{one.tenant_id}  {state:<9}  {one.documents:>9} documents  {one.bytes:>12} bytes  {one.name}"
            )


@click.group("operator-key")
def operator_key() -> None:
    """Keys of those who run the platform: for /v1/tenants, and for no tenant's data."""


@operator_key.command(epilog="Example: python -m app operator-key create --name console --days 90")
@click.option("--name", default="operator", show_default=True, help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="After how many days it ends.  [default: never]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: id, operatorKey.")
@refusals
def create(*, name: str, days: int | None, as_json: bool) -> None:
    """Make an operator's key, which is shown this once."""
    if not 1 <= len(name) <= 100:
        raise click.BadParameter("must have 1 to 100 characters", param_hint="--name")
    key: keys.ApiKey = with_database(lambda database: operators.create(database, name, days))
    if as_json:
        click.echo(json.dumps({"id": key.id, "operatorKey": key.text}))
        return
    click.echo(f"  operator's key  {key.text}")
    click.echo("Keep it now: only its hash is stored.")


@operator_key.command("list", epilog="Example: python -m app operator-key list --json")
@_as_json
@refusals
def list_keys(*, as_json: bool) -> None:
    """Show every operator's key, without its secret; as JSON one object a line."""
    for key in with_database(operators.listed):
        if as_json:
            click.echo(msgspec.json.encode(key))
        else:
            ends = key.expires_at.isoformat(timespec="seconds") if key.expires_at else "never ends"
            click.echo(f"{key.id}  {ends:<25}  {key.name}")


@operator_key.command(epilog="Example: python -m app operator-key revoke 0123456789abcdef")
@click.argument("key_id")
@refusals
def revoke(*, key_id: str) -> None:
    """End the operator's key KEY_ID: every process refuses it within 5 seconds."""
    if not with_database(lambda database: operators.revoke(database, key_id)):
        end(f"There is no operator's key {key_id}: see `python -m app operator-key list`.", FAILED)
