"""How a command ends when it cannot do what it was asked: one sentence, and an exit code."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import asyncpg
import click

from app.db import migrate, postgres, roles
from app.settings import SettingsError
from app.tenancy import tenants

# Beside 0 (done) and click's 2 (a wrong command line).
FAILED, UNREACHABLE, REFUSED_SETTINGS = 1, 3, 4


def refusals(command: Callable[..., None]) -> Callable[..., None]:
    """Turn the errors an operator can mend into one sentence and an exit code."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:
            # Who read the output has enough of it; click ends quietly.
            raise
        except SettingsError as error:
            end(str(error), REFUSED_SETTINGS)
        except (migrate.MigrationError, roles.RoleError, tenants.TenantError) as error:
            end(str(error), FAILED)
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError, asyncpg.InvalidSchemaNameError):
            end("The database has not this version's schema: run `python -m app migrate` first.", FAILED)
        except asyncpg.InvalidAuthorizationSpecificationError:
            end("PostgreSQL refused the login: check the secret files in VANTA_SECRETS_DIR.", UNREACHABLE)
        except postgres.UNREACHABLE as error:
            reason = str(error) or type(error).__name__
            end(
                f"PostgreSQL cannot be reached ({reason}): check VANTA_DATABASE_HOST, _PORT and _CA.",
                UNREACHABLE,
            )

    return wrapped


def end(message: str, code: int) -> NoReturn:
    """Say ``message`` and end with ``code``."""
    click.secho(message, fg="red", err=True)
    sys.exit(code)
