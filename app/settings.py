"""What the environment says, validated once at the edge; every refusal is one sentence with its remedy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

MIN_PORT, MAX_PORT = 1, 65535

_KMS_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+")


class SettingsError(Exception):
    """The environment or a secret file cannot be used; the message names it, why, and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A user name and its password; the password never shows in a repr."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login(username={self.username!r})"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The secret files of one folder, read anew at each use so that a rotated secret works without a restart."""

    folder: Path

    def login(self, name: str) -> Login:
        """The login in file ``name``: JSON with ``username`` and ``password``."""
        content = self._read(name)
        return Login(
            username=self._text(name, content, "username"), password=self._text(name, content, "password")
        )

    def cache_token(self) -> str:
        """The AUTH token of the cache: JSON with ``authToken`` in file ``cache``."""
        return self._text("cache", self._read("cache"), "authToken")

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except OSError as error:
            raise SettingsError(
                f"The secret file {path} cannot be read ({error.strerror}): "
                "mount it, or point VANTA_SECRETS_DIR to the folder that has it."
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The decoder's message could quote the content.
            raise SettingsError(
                f"The secret file {path} is not a JSON object: write it as the README shows."
            ) from None

    def _text(self, name: str, content: dict[str, Any], field: str) -> str:
        value = content.get(field)
        if not isinstance(value, str) or not value:
            raise SettingsError(
                f'The secret file {self.folder / name} has no "{field}": add it as a string that is not empty.'
            )
        return value


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Where an engine listens, and the CA bundle that signs its certificate (None: the system's trust store)."""

    host: str
    port: int
    ca: Path | None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that the application is told from outside."""

    database: Engine
    database_name: str
    cache: Engine
    secrets: Secrets
    listen_host: str
    listen_port: int
    workers: int
    drain_seconds: float
    log_level: str
    event_retention_hours: int
    stream_length: int
    watches: int
    watches_per_tenant: int
    webhook_attempts: int
    webhook_private: bool
    kms_key: str | None
    data_key_seconds: int
    data_key_days: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read and check ``environment``; raises :class:`SettingsError` for the first thing that is wrong."""
        read = _Reader(environment)
        return cls(
            database=read.engine("DATABASE"),
            database_name=read.text("VANTA_DATABASE_NAME"),
            cache=read.engine("CACHE"),
            secrets=Secrets(folder=read.folder("VANTA_SECRETS_DIR")),
            listen_host=read.text("VANTA_LISTEN_HOST", "127.0.0.1"),
            listen_port=read.integer("VANTA_LISTEN_PORT", 8080, MIN_PORT, MAX_PORT),
            workers=read.integer("VANTA_WORKERS", 1, 1, 64),
            drain_seconds=read.integer("VANTA_DRAIN_SECONDS", 5, 0, 300),
            log_level=read.choice("VANTA_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
            event_retention_hours=read.integer("VANTA_EVENT_RETENTION_HOURS", 72, 1, 8760),
            stream_length=read.integer("VANTA_STREAM_LENGTH", 10_000, 100, 10_000_000),
            watches=read.integer("VANTA_WATCHES", 1000, 1, 100_000),
            watches_per_tenant=read.integer("VANTA_WATCHES_PER_TENANT", 100, 1, 100_000),
            webhook_attempts=read.integer("VANTA_WEBHOOK_ATTEMPTS", 10, 1, 100),
            webhook_private=read.choice("VANTA_WEBHOOK_PRIVATE", "refuse", ("refuse", "allow")) == "allow",
            kms_key=read.kms_key("VANTA_KMS_KEY_ARN"),
            data_key_seconds=read.integer("VANTA_DATA_KEY_SECONDS", 300, 1, 3600),
            data_key_days=read.integer("VANTA_DATA_KEY_DAYS", 30, 1, 365),
        )


@dataclass(frozen=True)
class _Reader:
    environment: Mapping[str, str]

    def text(self, name: str, default: str | None = None) -> str:
        value = self.environment.get(name) or default
        if value is None:
            raise SettingsError(f"{name} is not set: set it to what the stack's output appEnvironment says.")
        return value

    def integer(self, name: str, default: int | None, low: int, high: int) -> int:
        text = self.text(name, None if default is None else str(default))
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise SettingsError(f'{name} is "{text}": set it to a whole number from {low} to {high}.')
        return value

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise SettingsError(f'{name} is "{value}": set it to one of {", ".join(choices)}.')
        return value

    def folder(self, name: str) -> Path:
        path = Path(self.text(name))
        if not path.is_dir():
            raise SettingsError(
                f'{name} is "{path}", which is no folder: set it to where the secret files are mounted.'
            )
        return path

    def kms_key(self, name: str) -> str | None:
        """The ARN of a KMS key; None if there is none, and then whatever needs to seal is refused."""
        arn = self.environment.get(name)
        if arn and not _KMS_KEY.fullmatch(arn):
            raise SettingsError(
                f'{name} is "{arn}": set it to the ARN of a KMS key, as the stack\'s output appEnvironment has it.'
            )
        return arn or None

    def engine(self, kind: str) -> Engine:
        ca = self.environment.get(f"VANTA_{kind}_CA")
        if ca and not Path(ca).is_file():
            raise SettingsError(
                f'VANTA_{kind}_CA is "{ca}", which is no file: set it to a CA bundle, '
                "or leave it out to trust the system's certificates."
            )
        return Engine(
            host=self.text(f"VANTA_{kind}_HOST"),
            port=self.integer(f"VANTA_{kind}_PORT", None, MIN_PORT, MAX_PORT),
            ca=Path(ca) if ca else None,
        )
