"""Everything that secrets are made of in one process."""

import asyncpg

from app.secrets.data_keys import DataKeys
from app.secrets.envelope import Envelope
from app.secrets.kms import Kms
from app.secrets.secret import ROOM
from app.secrets.store import SecretStore
from app.secrets.vault import Vault
from app.settings import Settings


class SecretsRoom:
    """The vault, its store, and the data keys that other rooms may seal with too."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self.kms = Kms(settings.kms_key) if settings.kms_key else None
        self.keys = DataKeys(pool, self.kms, seconds=settings.data_key_seconds, days=settings.data_key_days)
        self.store = SecretStore(pool)
        self.vault = Vault(self.store, Envelope(self.keys, ROOM))

    def close(self) -> None:
        """Let go of KMS."""
        if self.kms is not None:
            self.kms.close()
