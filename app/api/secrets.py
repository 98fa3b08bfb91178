"""``/v1/secrets`` and what belongs to it: secrets over HTTP."""

from collections.abc import Callable, Sequence
from typing import cast
from urllib.parse import quote
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw

from app.api import body, preconditions, problems, writing
from app.api.messages import Request, Response, caller_of
from app.api.problems import ProblemError
from app.api.secret_schemas import (
    Generate,
    NewSecret,
    SecretMetadata,
    SecretPage,
    SecretsQuery,
    SecretValue,
    SecretVersion,
    SecretWritten,
    VersionNumbers,
)
from app.api.times import utc
from app.secrets import generated
from app.secrets.secret import MAX_VALUE_BYTES, Added, Caller, Change, Outcome, Put, Read, Version, etag
from app.secrets.store import SecretStore
from app.secrets.vault import Vault
from app.state import cursor, names
from app.state.cursor import CursorError

# Neither caches nor browsers may keep what is answered here.
_PRIVATE = [("content-type", "application/json"), ("cache-control", "no-store")]


class SecretsHandlers:
    """The handlers of the routes of secrets; ``wrote`` is told of the tenant of each read, for a read writes its event."""

    def __init__(self, vault: Vault, store: SecretStore, wrote: Callable[[UUID], None]) -> None:
        self._vault = vault
        self._store = store
        self._wrote = wrote

    async def get(self, request: Request) -> Response:
        """The value of the newest version, or of the one asked for."""
        read = Read(caller=_caller(request), path=_path(request), version=request.query.version)
        value = await self._vault.get(read)
        self._wrote(read.caller.tenant)
        if value is None:
            raise _not_found()
        answer = SecretValue(
            version=value.version,
            value=Raw(value.value),
            created_at=utc(value.created_ms),
            expires_at=utc(value.expires_ms),
        )
        return _answer(200, answer, ("etag", etag(value.version, value.tag)))

    async def put(self, request: Request) -> Response:
        """Add a version: 201 where nothing could be read before, else 200."""
        path = _path(request)
        condition, etags = preconditions.of_write(request.headers)
        new = await body.read(request, NewSecret)
        value, made = _value(new)
        added = await self._vault.put(
            Put(
                caller=_caller(request),
                path=path,
                value=value,
                ttl=new.ttl,
                metadata=None if new.metadata is None else msgspec.json.encode(new.metadata).decode(),
                max_versions=new.max_versions,
                condition=condition,
                etags=etags,
            )
        )
        _check(added.outcome)
        return _written(path, added, made)

    async def delete(self, request: Request) -> Response:
        """Delete the newest version, or those asked for, so that they can be undeleted."""
        caller, path = _caller(request), _path(request)
        condition, etags = preconditions.of_write(request.headers)
        versions = request.query.versions
        if versions is None:
            _check(await self._store.delete(caller, path, condition, etags))
            return Response(status=204)
        if condition != "none":
            raise ProblemError(
                problems.INVALID_PRECONDITION,
                "Numbered versions never change: send no precondition with them.",
            )
        return await self._change(request, [int(version) for version in versions.split(",")], "deleted")

    async def undelete(self, request: Request) -> Response:
        """Make deleted versions readable again."""
        return await self._change(request, (await body.read(request, VersionNumbers)).versions, "undeleted")

    async def destroy(self, request: Request) -> Response:
        """Remove the values of versions for good."""
        return await self._change(request, (await body.read(request, VersionNumbers)).versions, "destroyed")

    async def metadata(self, request: Request) -> Response:
        """All that is known of a secret but its values."""
        caller, path = _caller(request), _path(request)
        found = await self._store.describe(caller.tenant, path)
        if found is None:
            raise _not_found()
        answer = SecretMetadata(
            path=path,
            created_at=utc(found.created_ms),
            max_versions=found.max_versions,
            metadata=Raw(found.metadata or b"{}"),
            versions=[_version(version) for version in found.versions],
        )
        return _answer(200, answer)

    async def list(self, request: Request) -> Response:
        """A page of the paths that begin with a prefix."""
        asked = cast("SecretsQuery", request.query)
        tenant = _caller(request).tenant
        listing = (str(tenant), "secrets", asked.prefix)
        try:
            after = cursor.decode(listing, asked.cursor) if asked.cursor else ""
        except CursorError:
            raise ProblemError(
                problems.INVALID_CURSOR, "Send the next of a page of this listing, with the same prefix."
            ) from None
        paths = await self._store.paths(tenant, asked.prefix, after, asked.limit + 1)
        page = paths[: asked.limit]
        more = cursor.encode(listing, page[-1]) if len(paths) > asked.limit else None
        return _answer(200, SecretPage(paths=page, next=more))

    async def _change(self, request: Request, versions: Sequence[int], change: Change) -> Response:
        if not await self._store.change(_caller(request), _path(request), versions, change):
            raise _not_found()
        return Response(status=204)


def _caller(request: Request) -> Caller:
    tenant, by = caller_of(request)
    return Caller(tenant=tenant, by=by, traceparent=request.traceparent)


def _path(request: Request) -> str:
    (path,) = request.parameters
    if error := names.key_error(path):
        raise ProblemError(problems.INVALID_KEY, error)
    return path


def _value(new: NewSecret) -> tuple[bytes, str | None]:
    """The JSON to keep, and the value itself if it was made here."""
    if isinstance(new.generate, Generate) and new.value is UNSET:
        made = generated.generate(new.generate.length, new.generate.alphabet)
        return msgspec.json.encode(made), made
    if isinstance(new.value, Raw) and new.generate is UNSET:
        value = bytes(new.value)
        if len(value) > MAX_VALUE_BYTES:
            raise ProblemError(
                problems.BODY_TOO_LARGE, f"A secret's value has at most {MAX_VALUE_BYTES} bytes of JSON."
            )
        return value, None
    raise ProblemError(problems.INVALID_BODY, "Send either a value, or how to generate one.")


def _written(path: str, added: Added, made: str | None) -> Response:
    answer = SecretWritten(version=added.version, value=made, expires_at=utc(added.expires_ms))
    headers = [("etag", etag(added.version, added.tag))]
    if added.outcome == "created":
        headers.append(("location", quote(f"/v1/secrets/{path}", safe="/~!$&'()*+,;=:@")))
        return _answer(201, answer, *headers)
    return _answer(200, answer, *headers)


def _version(version: Version) -> SecretVersion:
    return SecretVersion(
        version=version.version,
        created_at=utc(version.created_ms),
        expires_at=utc(version.expires_ms),
        deleted_at=utc(version.deleted_ms),
        destroyed_at=utc(version.destroyed_ms),
    )


def _answer(status: int, answer: msgspec.Struct, *headers: tuple[str, str]) -> Response:
    return Response(status=status, headers=[*_PRIVATE, *headers], body=msgspec.json.encode(answer))


def _check(outcome: Outcome) -> None:
    """Raise the refusal that ``outcome`` is, if it is one."""
    if outcome == "not_found":
        raise _not_found()
    if outcome in {"precondition_failed", "precondition_required", "unknown_tenant"}:
        raise writing.problem_of(outcome)


def _not_found() -> ProblemError:
    return ProblemError(
        problems.SECRET_NOT_FOUND, "Nothing can be read here now; its metadata says what there was."
    )
