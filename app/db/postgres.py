"""Connections to PostgreSQL."""

import asyncio
import ssl
from typing import Any

import asyncpg

from app import metrics
from app.db import tls
from app.settings import Settings, SettingsError

CONNECT_SECONDS = 5
# A statement that runs longer holds up its tenant; the API would have answered 503 before.
STATEMENT_MILLISECONDS = 3000
# A server that does not even say that it cancelled the statement is lost.
_COMMAND_SECONDS = 4

#: What a lost, refusing or overloaded server looks like from here.
UNREACHABLE = (
    OSError,
    asyncio.TimeoutError,
    ssl.SSLError,
    asyncpg.InterfaceError,
    # Its word for a connection whose end the server has announced and the network not yet brought.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    # Chosen to give way to another transaction, a deadlock for one: rolled back, and worth another try.
    asyncpg.TransactionRollbackError,
    SettingsError,
)


class Connection(asyncpg.Connection):
    """A connection that goes back to its pool without the round trip that resets it.

    Nothing here leaves session state behind: statements run in their own transaction and settings are local to it.
    """

    def get_reset_query(self) -> str:
        """No reset."""
        return ""


async def connect(settings: Settings, login: str, **options: Any) -> asyncpg.Connection:
    """One connection as the login in secret file ``login``, which is read now; raises one of :data:`UNREACHABLE`."""
    who = settings.secrets.login(login)
    return await asyncpg.connect(
        host=settings.database.host,
        port=settings.database.port,
        database=settings.database_name,
        user=who.username,
        password=who.password,
        ssl=tls.context(settings.database),
        timeout=CONNECT_SECONDS,
        **options,
    )


async def pool(settings: Settings, size: int) -> asyncpg.Pool:
    """A pool of at most ``size`` connections as the application's own role; it connects at first use."""

    async def dial(*_: Any, connection_class: type[Connection] = Connection, **__: Any) -> asyncpg.Connection:
        return await connect(
            settings,
            "database-app",
            connection_class=connection_class,
            command_timeout=_COMMAND_SECONDS,
            server_settings={
                "application_name": "vanta-api",
                "statement_timeout": str(STATEMENT_MILLISECONDS),
                "idle_in_transaction_session_timeout": "10000",
                # Compiling costs more than these statements take.
                "jit": "off",
            },
        )

    return await asyncpg.create_pool(connect=dial, connection_class=Connection, min_size=0, max_size=size)


def measure(name: str, pool: asyncpg.Pool) -> None:
    """Show how many connections ``pool`` has, whenever metrics are asked for."""
    metrics.POOL_CONNECTIONS.labels(name, "busy").set_function(lambda: pool.get_size() - pool.get_idle_size())
    metrics.POOL_CONNECTIONS.labels(name, "idle").set_function(pool.get_idle_size)
