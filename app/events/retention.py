"""Drops events whose time has passed, once they have been relayed."""

import asyncpg

from app import metrics
from app.db.sweep import Sweep

EVERY_SECONDS = 60.0


class Retention(Sweep):
    """Keeps the events of every tenant for ``hours``."""

    def __init__(self, pool: asyncpg.Pool, hours: int) -> None:
        super().__init__(
            pool, "vanta.sweep_events", metrics.EVENTS_SWEPT, every=EVERY_SECONDS, arguments=(hours,)
        )
