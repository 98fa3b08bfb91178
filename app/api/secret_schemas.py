"""What is said about secrets in bodies and query strings."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from app.api.writing import MAX_TTL
from app.secrets import generated
from app.secrets.secret import MAX_VERSIONS
from app.state import names

MAX_PAGE = 1000
# A version is a number of PostgreSQL's type integer.
_MAX_VERSION = 2**31 - 1
_PATH_CHARACTERS = r"^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$(?!\n)"

_VersionNumber = Annotated[int, Meta(ge=1, le=_MAX_VERSION)]
_Seconds = Annotated[int, Meta(ge=1, le=MAX_TTL)]
_Kept = Annotated[int, Meta(ge=1, le=MAX_VERSIONS)]
_Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=128)], Annotated[str, Meta(max_length=512)]], Meta(max_length=64)
]
_Versions = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,99}$(?!\n)")]


class Generate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How to make a value."""

    length: Annotated[
        int,
        Meta(description="How many characters.", ge=generated.MIN_LENGTH, le=generated.MAX_LENGTH),
    ] = 32
    alphabet: Annotated[generated.Alphabet, Meta(description="Out of which characters.")] = "alphanumeric"


class NewSecret(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A new version: either ``value`` or ``generate``."""

    value: Annotated[Raw | UnsetType, Meta(description="Any JSON of up to 64 KiB.")] = UNSET
    generate: Generate | UnsetType = UNSET
    ttl: Annotated[_Seconds | None, Meta(description="Seconds after which the version is destroyed.")] = None
    max_versions: Annotated[
        _Kept | None, Meta(description="How many versions are kept, from now on; 10 at first.")
    ] = None
    metadata: Annotated[
        _Metadata | None, Meta(description="What is told of the secret without its value, from now on.")
    ] = None

    def __repr__(self) -> str:
        return "NewSecret()"


class VersionNumbers(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which versions."""

    versions: Annotated[
        list[_VersionNumber], Meta(description="Their numbers.", min_length=1, max_length=MAX_VERSIONS)
    ]


class VersionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which version is read."""

    version: Annotated[
        _VersionNumber | None, Meta(description="The number of the version; the newest without it.")
    ] = None


class VersionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions are deleted."""

    versions: Annotated[
        _Versions | None,
        Meta(description="Numbers of versions, separated by commas; the newest without it."),
    ] = None


class SecretsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of which paths."""

    prefix: Annotated[
        str,
        Meta(
            description="What the paths begin with.",
            pattern=_PATH_CHARACTERS,
            max_length=names.MAX_KEY,
        ),
    ] = ""
    cursor: Annotated[str, Meta(description="The `next` of the page before.", max_length=1024)] = ""
    limit: Annotated[int, Meta(description="How many paths at most.", ge=1, le=MAX_PAGE)] = 100


class SecretValue(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A version with its value."""

    version: int
    value: Raw
    created_at: datetime
    expires_at: datetime | None = None


class SecretWritten(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The new version; ``value`` only where it was generated."""

    version: int
    value: str | None = None
    expires_at: datetime | None = None


class SecretVersion(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A version without its value; one without ``deletedAt`` and ``destroyedAt`` can be read until it expires."""

    version: int
    created_at: datetime
    expires_at: datetime | None = None
    deleted_at: datetime | None = None
    destroyed_at: datetime | None = None


class SecretMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A secret without its values; the newest version first."""

    path: str
    created_at: datetime
    max_versions: int
    metadata: Raw
    versions: list[SecretVersion]


class SecretPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A page of paths, in the order of their bytes; the last one has no ``next``."""

    paths: list[str]
    next: str | None = None
