"""A tenant's data goes back in time while everything around it goes on, as when a recovery loses what was acknowledged last."""

from .conftest import Database, Tenant

_TABLES = ("document_version", "document", "outbox", "event_cursor", "webhook", "tenant_head")


class Past:
    """What ``tenant`` has now, to go back to once; tables of ``but`` stay as they are."""

    def __init__(self, database: Database, tenant: Tenant, *, but: tuple[str, ...] = ()) -> None:
        self._database = database
        self._tenant = tenant
        self._kept = f"past_{tenant.id.hex}"
        self._tables = [table for table in _TABLES if table not in but]
        self._do(
            f"create schema {self._kept}",
            *(
                f"create table {self._kept}.{table} as select * from vanta.{table} {self._own}"  # noqa: S608 - names of ours
                for table in self._tables
            ),
        )

    def return_to_it(self) -> None:
        """All at once: nobody sees half of it."""
        self._do(
            *(f"delete from vanta.{table} {self._own}" for table in self._tables),  # noqa: S608 - names of ours
            *(f"insert into vanta.{table} select * from {self._kept}.{table}" for table in self._tables),  # noqa: S608 - as above
            f"drop schema {self._kept} cascade",
        )

    @property
    def _own(self) -> str:
        return f"where tenant_id = '{self._tenant.id}'"

    def _do(self, *statements: str) -> None:
        # One statement, for PostgreSQL to do in one transaction.
        self._database.query("do $$ begin " + "; ".join(statements) + "; end $$")
