"""Everything that sessions are made of in one process."""

import asyncpg

from app.sessions.sessions import Sessions
from app.sessions.store import SessionStore
from app.state.cache import Cache
from app.state.documents import Documents
from app.state.epoch import Epoch


class SessionsRoom:
    """The sessions, through the cache that documents use."""

    def __init__(self, pool: asyncpg.Pool, cache: Cache, epoch: Epoch) -> None:
        store = SessionStore(pool)
        self.sessions = Sessions(Documents(store, cache, epoch), store, epoch.now_ms)
