"""What a transaction is asked for with, and answered by."""

from typing import Annotated, Literal

import msgspec

from app.api import writing
from app.api.routes.headers import ANY, TAGS
from app.state import names

MAX_OPERATIONS = 128
Done = Literal["created", "replaced", "deleted", "checked"]


class Operation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One change, or with "check" a condition only; at most one of ifMatch, ifNoneMatch and concurrency."""

    op: Annotated[Literal["put", "delete", "check"], msgspec.Meta(description="What to do.")]
    # Only described here: what is wrong with a name is said with the place of its operation.
    collection: Annotated[
        str,
        msgspec.Meta(
            description="The collection of the document.",
            extra_json_schema={"pattern": names.COLLECTION_PATTERN},
        ),
    ]
    key: Annotated[
        str,
        msgspec.Meta(
            description="The key of the document.",
            extra_json_schema={"pattern": names.KEY_PATTERN, "maxLength": names.MAX_KEY},
        ),
    ]
    value: Annotated[
        msgspec.Raw | msgspec.UnsetType, msgspec.Meta(description="Of a put: any JSON, kept byte for byte.")
    ] = msgspec.UNSET
    ttl: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=writing.MAX_TTL)] | None,
        msgspec.Meta(description="Of a put: seconds after which the document is gone."),
    ] = None
    if_match: Annotated[
        Annotated[str, msgspec.Meta(max_length=2048, extra_json_schema={"pattern": TAGS["pattern"]})] | None,
        msgspec.Meta(description="As the header If-Match, quotes included."),
    ] = None
    if_none_match: Annotated[
        Annotated[str, msgspec.Meta(max_length=2048, extra_json_schema={"pattern": ANY["pattern"]})] | None,
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
