"""Secrets: ``/v1/secrets``, and beside it what is not a value: a path takes all that is left of a URL."""

from app.api import problems
from app.api.routes import headers
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Header, Route
from app.api.secret_schemas import (
    NewSecret,
    SecretMetadata,
    SecretPage,
    SecretsQuery,
    SecretValue,
    SecretWritten,
    VersionNumbers,
    VersionQuery,
    VersionsQuery,
)

_ETAG = Header(
    name="ETag",
    description="Strong validator of this version; opaque.",
    example='"3-9ae0c2d1b7f33c05"',
    schema=headers.TAG,
)
_LOCATION = Header(name="Location", description="Path of the new secret.", example="/v1/secrets/crm/token")
_IF_MATCH = Header(
    name="If-Match",
    description="Entity tags, one of which the newest version must have; `*`: it must be readable.",
    example='"3-9ae0c2d1b7f33c05"',
    schema=headers.TAGS,
)
_IF_NONE_MATCH = Header(
    name="If-None-Match",
    description="Only `*`: there must be nothing readable yet.",
    example="*",
    schema=headers.ANY,
)
# What a scope of a key must name.
_SCOPE = "_secrets"

_BODY = (
    problems.MALFORMED_JSON,
    problems.BODY_TIMEOUT,
    problems.BODY_TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE,
    problems.INVALID_DOCUMENT,
    problems.INVALID_BODY,
)
_PRECONDITION = (
    problems.INVALID_PRECONDITION,
    problems.PRECONDITION_FAILED,
    problems.PRECONDITION_REQUIRED,
)
_SEALING = (problems.SECRETS_NOT_CONFIGURED, problems.KMS_UNAVAILABLE, problems.DAMAGED)

ROUTES = (
    Route(
        method="GET",
        path="/v1/secrets/{+path}",
        handler="secrets.get",
        summary="Read a secret",
        description="The newest version, or the one asked for. Each read is an event before it is answered.",
        answers={200: Answer(description="The value.", body=SecretValue, headers=(_ETAG,))},
        problems=(problems.INVALID_KEY, problems.SECRET_NOT_FOUND, *_SEALING, *ALWAYS),
        query=VersionQuery,
        verb="read",
        scope=_SCOPE,
    ),
    Route(
        method="PUT",
        path="/v1/secrets/{+path}",
        handler="secrets.put",
        summary="Write a secret",
        description=(
            "Adds a version, sealed before it leaves the process. "
            "Over a readable one it needs a precondition or Vanta-Concurrency."
        ),
        answers={
            200: Answer(description="A further version.", body=SecretWritten, headers=(_ETAG,)),
            201: Answer(
                description="The first version that can be read.",
                body=SecretWritten,
                headers=(_ETAG, _LOCATION),
            ),
        },
        problems=(problems.INVALID_KEY, *_PRECONDITION, *_BODY, *_SEALING, *ALWAYS),
        headers=(_IF_MATCH, _IF_NONE_MATCH, headers.CONCURRENCY),
        body=NewSecret,
        verb="write",
        scope=_SCOPE,
    ),
    Route(
        method="DELETE",
        path="/v1/secrets/{+path}",
        handler="secrets.delete",
        summary="Delete versions of a secret",
        description=(
            "The newest one, with a precondition or Vanta-Concurrency, or those asked for, without. "
            "What is deleted can be undeleted."
        ),
        answers={204: Answer(description="Deleted.")},
        problems=(problems.INVALID_KEY, problems.SECRET_NOT_FOUND, *_PRECONDITION, *ALWAYS),
        headers=(_IF_MATCH, _IF_NONE_MATCH, headers.CONCURRENCY),
        query=VersionsQuery,
        verb="write",
        scope=_SCOPE,
    ),
    Route(
        method="POST",
        path="/v1/secret-undelete/{+path}",
        handler="secrets.undelete",
        summary="Undelete versions of a secret",
        description="Makes deleted versions readable again; what was destroyed or has expired is gone.",
        answers={204: Answer(description="At least one was undeleted.")},
        problems=(problems.INVALID_KEY, problems.SECRET_NOT_FOUND, *_BODY, *ALWAYS),
        body=VersionNumbers,
        verb="write",
        scope=_SCOPE,
    ),
    Route(
        method="POST",
        path="/v1/secret-destroy/{+path}",
        handler="secrets.destroy",
        summary="Destroy versions of a secret",
        description="Removes their values for good, deleted ones too; that they were there stays known.",
        answers={204: Answer(description="At least one was destroyed.")},
        problems=(problems.INVALID_KEY, problems.SECRET_NOT_FOUND, *_BODY, *ALWAYS),
        body=VersionNumbers,
        verb="write",
        scope=_SCOPE,
    ),
    Route(
        method="GET",
        path="/v1/secret-metadata",
        handler="secrets.list",
        summary="List secrets",
        description="Their paths, in the order of their bytes, page by page; those with nothing readable left too.",
        answers={200: Answer(description="A page of paths.", body=SecretPage)},
        problems=(problems.INVALID_CURSOR, *ALWAYS),
        query=SecretsQuery,
        verb="metadata",
        scope=_SCOPE,
    ),
    Route(
        method="GET",
        path="/v1/secret-metadata/{+path}",
        handler="secrets.metadata",
        summary="Describe a secret",
        description="Its versions and metadata, without values; no event tells of it.",
        answers={200: Answer(description="The secret without its values.", body=SecretMetadata)},
        problems=(problems.INVALID_KEY, problems.SECRET_NOT_FOUND, *ALWAYS),
        verb="metadata",
        scope=_SCOPE,
    ),
)
