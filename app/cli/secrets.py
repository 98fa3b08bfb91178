"""Commands about the keys that secrets are sealed with."""

import asyncio
import json
import os
import sys

import click
import msgspec
import structlog

from app.cli.refusals import FAILED, REFUSED_SETTINGS, UNREACHABLE, end, refusals
from app.db import postgres
from app.secrets.data_keys import DataKeys
from app.secrets.errors import KmsUnavailableError
from app.secrets.kms import Kms
from app.secrets.rewrap import Rewrap, Rewrapped
from app.settings import Settings


@click.command(epilog="Example: python -m app rewrap --json")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object: tenants, dataKeys, versions, webhooks, removedKeys, damaged.",
)
@refusals
def rewrap(*, as_json: bool) -> None:
    """Bring all secrets under the newest keys: run it after VANTA_KMS_KEY_ARN has changed, and every month.

    Data keys that another KMS key wraps, or that were wrapped more than VANTA_DATA_KEY_DAYS ago, are wrapped again; secrets
    and those of webhooks that an older data key sealed are sealed with the newest; data keys that nothing is sealed with
    are removed, by the next run at the earliest. Values stay as they are. It needs KMS to open both
    keys, runs as the application's own role while the API serves, and goes on where it was when it is run again.
    """
    settings = Settings.from_environment(os.environ)
    # Standard output is for what was asked.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if settings.kms_key is None:
        end(
            "VANTA_KMS_KEY_ARN is not set: set it to what the stack's output appEnvironment says.",
            REFUSED_SETTINGS,
        )
        return
    try:
        done = asyncio.run(_rewrap(settings, settings.kms_key))
    except KmsUnavailableError as error:
        end(f"{error} Run it again once it can; what was done stays done.", UNREACHABLE)
        return
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(done)))
    else:
        click.echo(
            f"{done.tenants} tenants: {done.data_keys} data keys wrapped, {done.versions} versions and {done.webhooks} "
            f"webhooks sealed anew, {done.removed_keys} data keys removed."
        )
    if done.damaged:
        end(f"{done.damaged} keys or versions do not open: restore them from a backup.", FAILED)


async def _rewrap(settings: Settings, kms_key: str) -> Rewrapped:
    pool = await postgres.pool(settings, 2)
    kms = Kms(kms_key)
    try:
        keys = DataKeys(pool, kms, seconds=settings.data_key_seconds, days=settings.data_key_days)
        rewrap = Rewrap(
            pool,
            kms,
            kms_key,
            keys,
            days=settings.data_key_days,
            seconds=settings.data_key_seconds,
        )
        return await rewrap.run()
    finally:
        kms.close()
        pool.terminate()
