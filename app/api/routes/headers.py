"""Headers that several routes have."""

from app.api.routes.route import Header

ETAG = Header(
    name="ETag", description="Strong validator of this version; opaque.", example='"1f-9ae0c2d1b7f33c05"'
)
EXPIRES = Header(
    name="Vanta-Expires-At",
    description="When the document will be gone; only with a time to live.",
    example="2026-01-31T12:00:00.000Z",
)
LOCATION = Header(
    name="Location", description="Path of the new document.", example="/v1/state/agents/planner/7"
)
REPLAYED = Header(
    name="Idempotency-Replayed",
    description="`true`: nothing happened now; this was answered before to the same Idempotency-Key.",
    example="true",
)
IF_MATCH = Header(
    name="If-Match",
    description="Entity tags, one of which the document must have; `*`: it must exist.",
    example='"1f-9ae0c2d1b7f33c05"',
)
IF_NONE_MATCH = Header(
    name="If-None-Match", description="Only `*`: the document must not exist yet.", example="*"
)
CONCURRENCY = Header(
    name="Vanta-Concurrency",
    description="Only `last-write-wins`: write whatever is there, lost updates included.",
    example="last-write-wins",
)
TTL = Header(
    name="Vanta-TTL",
    description=(
        "Seconds after which the document is gone. Without it a PATCH leaves its time as it is; "
        "after any other write it stays, or as long as its collection says."
    ),
    example="3600",
)
CACHED = Header(
    name="If-None-Match",
    description="Entity tags the caller has; 304 if one is current.",
    example='"1f-9ae0c2d1b7f33c05"',
)
ONCE = Header(
    name="Idempotency-Key",
    description="Repeated within 24 hours, the same request is answered as before, and nothing is written again.",
    example="8e03978e-40d5-43e8-bc93-6894a57f9324",
)
