"""Secrets: their values are in no ``repr``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import httpx
import msgspec

from client.call import Call, body, encode, nothing, present, reads
from client.expect import ETag, Expected, Held, said
from client.flow import Page, Pages
from client.room import Room, S, iteration, operation

_SECRET = "/v1/secrets/{path}"  # noqa: S105 - a route


class Generate(msgspec.Struct, frozen=True, kw_only=True):
    """Have a value made of so many characters."""

    length: int = 32
    alphabet: Literal["alphanumeric", "base64url", "hex", "printable"] = "alphanumeric"


class SecretValue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A version of a secret, opened."""

    version: int
    value: Any
    created_at: datetime
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"SecretValue(version={self.version})"


class SecretWritten(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The version that was added; ``value`` only if it was generated, and only here."""

    version: int
    value: str | None = None
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"SecretWritten(version={self.version})"


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret that was read, and the tag that a write over it expects."""

    read: SecretValue
    etag: ETag

    @property
    def value(self) -> Any:
        """The value."""
        return self.read.value


@dataclass(frozen=True, kw_only=True)
class WrittenSecret:
    """A secret that was written."""

    written: SecretWritten
    etag: ETag


class SecretVersion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is told of a version."""

    version: int
    created_at: datetime
    expires_at: datetime | None = None
    deleted_at: datetime | None = None
    destroyed_at: datetime | None = None


class SecretMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is told of a secret."""

    path: str
    created_at: datetime
    max_versions: int
    metadata: dict[str, str]
    versions: list[SecretVersion]


class SecretPage(msgspec.Struct, frozen=True, kw_only=True):
    """Paths, in the order of their bytes."""

    paths: list[str]
    next: str | None = None


class Secrets(Room[S]):
    """``/v1/secrets`` and what is beside it."""

    @operation
    def get(self, path: str, *, version: int | None = None) -> Call[Secret]:
        """Read the newest version, or the one asked for."""
        return Call(
            method="GET",
            route=_SECRET,
            names={"path": path},
            query={"version": version},
            read=lambda response: Secret(
                read=reads(SecretValue)(response), etag=ETag(response.headers["etag"])
            ),
        )

    @operation
    def put(
        self,
        path: str,
        value: Any,
        *,
        expect: Expected = None,
        ttl: int | None = None,
        max_versions: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Call[WrittenSecret]:
        """Add a version; it is not sent again by itself, for it would add another. ``value`` may be a :class:`Generate`."""
        named = "generate" if isinstance(value, Generate) else "value"
        return Call(
            method="PUT",
            route=_SECRET,
            names={"path": path},
            headers=said(expect),
            body=encode(
                {
                    named: value,
                    **present(ttl=ttl, maxVersions=max_versions, metadata=metadata),
                }
            ),
            read=_written,
        )

    @operation
    def delete(self, path: str, *, expect: Held = None) -> Call[None]:
        """Take the newest version back; it can be undeleted."""
        return Call(method="DELETE", route=_SECRET, names={"path": path}, headers=said(expect), read=nothing)

    @operation
    def delete_versions(self, path: str, versions: Sequence[int]) -> Call[None]:
        """Take these versions back."""
        return Call(
            method="DELETE",
            route=_SECRET,
            names={"path": path},
            query={"versions": ",".join(map(str, versions))},
            read=nothing,
        )

    @operation
    def undelete(self, path: str, versions: Sequence[int]) -> Call[None]:
        """Make deleted versions readable again."""
        return Call(
            method="POST",
            route="/v1/secret-undelete/{path}",
            names={"path": path},
            body=body(versions=versions),
            read=nothing,
        )

    @operation
    def destroy(self, path: str, versions: Sequence[int]) -> Call[None]:
        """Remove their values for good."""
        return Call(
            method="POST",
            route="/v1/secret-destroy/{path}",
            names={"path": path},
            body=body(versions=versions),
            read=nothing,
        )

    @operation
    def describe(self, path: str) -> Call[SecretMetadata]:
        """A secret without its values."""
        return Call(
            method="GET",
            route="/v1/secret-metadata/{path}",
            names={"path": path},
            read=reads(SecretMetadata),
        )

    @iteration
    def list(self, *, prefix: str = "", page: int = 100) -> Pages[str]:
        """The paths that begin with ``prefix``."""

        def read(response: httpx.Response) -> Page[str]:
            found = reads(SecretPage)(response)
            return Page(items=found.paths, cursor=found.next)

        return Pages(
            first=Call(
                method="GET",
                route="/v1/secret-metadata",
                query={"prefix": prefix or None, "limit": page},
                read=read,
            )
        )


def _written(response: httpx.Response) -> WrittenSecret:
    return WrittenSecret(written=reads(SecretWritten)(response), etag=ETag(response.headers["etag"]))
