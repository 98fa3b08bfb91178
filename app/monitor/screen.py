"""A picture as lines of text, in colours that ``click.echo`` leaves out where nobody would see them."""

from collections.abc import Iterator

import click

from app.monitor.picture import Migrations, Picture

_LATE_SECONDS = 10.0
_WIDTH = 100


def lines(picture: Picture) -> Iterator[str]:
    """The screen from top to bottom."""
    database, cache, outbox = picture.database, picture.cache, picture.outbox
    yield click.style(f"VANTA  {picture.at:%Y-%m-%d %H:%M:%S} UTC", bold=True)
    yield ""
    yield _row("api", _marked(picture.api, good=picture.api in {"ready", "degraded"}))
    kind = "standby" if database.standby else "primary"
    yield _row(
        "database",
        _marked("up", good=True),
        f"PostgreSQL {database.version}, {kind}, {database.connections} of {database.max_connections} connections, "
        f"oldest transaction {database.oldest_transaction_seconds:.1f} s",
    )
    used = (
        "" if cache.used_bytes is None else f"{cache.used_bytes / 2**20:.1f} MiB, {cache.clients} clients, "
    )
    trust = "" if cache.trusted else ", not trusted"
    yield _row("cache", _marked(cache.status, good=cache.status == "up"), f"{used}epoch {cache.epoch}{trust}")
    whose = "1 tenant" if outbox.tenants == 1 else f"{outbox.tenants} tenants"
    late = outbox.oldest_seconds > _LATE_SECONDS
    yield _row(
        "outbox",
        _marked("late" if late else "ok", good=not late),
        f"{outbox.events} events of {whose}, the oldest {outbox.oldest_seconds:.1f} s old",
    )
    yield from _migrations(picture.migrations)
    for replica in picture.replicas:
        seconds = "-" if replica.lag_seconds is None else f"{replica.lag_seconds:.2f} s"
        size = "" if replica.lag_bytes is None else f", {replica.lag_bytes} bytes"
        yield _row("replica", replica.state, f"{replica.name}, behind by {seconds}{size}")
    running = picture.statements_from == "pg_stat_activity"
    yield from _part("Statements running longest" if running else "Statements slowest on average")
    for statement in picture.statements:
        calls = "" if statement.calls is None else f"{statement.calls:>9} calls"
        yield f"  {statement.milliseconds:>9.1f} ms{calls}  {statement.text[:_WIDTH]}"
    yield from _part("Tenants with most writes")
    for writer in picture.writers:
        yield f"  {writer.writes_per_second:>9.1f} /s  {writer.tenant_id}  {writer.name}"


def _migrations(migrations: Migrations) -> Iterator[str]:
    good = not migrations.pending and not migrations.error
    state = "ok" if good else "error" if migrations.error else "pending"
    said = migrations.error or f"{migrations.applied} applied, {len(migrations.pending)} pending"
    if migrations.pending:
        said += f": {', '.join(migrations.pending)[:_WIDTH]}"
    yield _row("schema", _marked(state, good=good), said)
    for migrator in migrations.migrators:
        yield _row("", "migrate", f"{migrator.state}, {migrator.seconds:.1f} s")
    for work in migrations.work:
        share = f"{100 * work.done / work.total:.0f} %" if work.total else "-"
        yield _row("", work.kind, f"{work.table}: {work.phase}, {share}")


def _row(name: str, state: str, said: str = "") -> str:
    shown = state + " " * (14 - len(click.unstyle(state)))
    return f"{name:<10}{shown}{said}".rstrip()


def _part(title: str) -> Iterator[str]:
    yield ""
    yield click.style(title, bold=True)


def _marked(text: str, *, good: bool) -> str:
    return click.style(text, fg="green" if good else "red")
