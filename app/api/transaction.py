"""What a transaction is asked for with, and answered by."""

from typing import Annotated, Literal

import msgspec

from app.api import writing

MAX_OPERATIONS = 128
Done = Literal["created", "replaced", "deleted", "checked"]


class Operation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One change, or with "check" a condition only; at most one of ifMatch, ifNoneMatch and concurrency."""

    op: Annotated[Literal["put", "delete", "check"], msgspec.Meta(description="What to do.")]
    collection: Annotated[str, msgspec.Meta(description="The collection of the document.")]
    key: Annotated[str, msgspec.Meta(description="The key of the document.")]
    value: Annotated[
        msgspec.Raw | msgspec.UnsetType, msgspec.Meta(description="Of a put: any JSON, kept byte for byte.")
    ] = msgspec.UNSET
    ttl: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=writing.MAX_TTL)] | None,
        msgspec.Meta(description="Of a put: seconds after which the document is gone."),
    ] = None
    if_match: Annotated[
        Annotated[str, msgspec.Meta(max_length=2048)] | None,
        msgspec.Meta(description="As the header If-Match, quotes included."),
    ] = None
    if_none_match: Annotated[
        Annotated[str, msgspec.Meta(max_length=2048)] | None,
        msgspec.Meta(description="As the header If-None-Match: `*`."),
    ] = None
    concurrency: Annotated[
        Literal["last-write-wins"] | None, msgspec.Meta(description="As the header Vanta-Concurrency.")
    ] = None


class Transaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Operations on different documents, in the order of their revisions."""

    operations: Annotated[
        list[Operation],
        msgspec.Meta(
            description="All are done, or none if one is refused.", min_length=1, max_length=MAX_OPERATIONS
        ),
    ]


class OperationResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of an operation; ``revision`` is absent where nothing was written, ``etag`` where no document is there now."""

    outcome: Done
    revision: int | msgspec.UnsetType = msgspec.UNSET
    etag: str | msgspec.UnsetType = msgspec.UNSET
    expires_at: str | msgspec.UnsetType = msgspec.UNSET


class TransactionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the operations, in their order."""

    operations: list[OperationResult]
