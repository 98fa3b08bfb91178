"""Headers that several routes have."""

from app.api import preconditions
from app.api.routes.route import Header
from app.api.writing import ONCE_FORM, TTL_FORM

_TAG = r'(W/)?"[\x21\x23-\x7e]*"'


def _text(form: str) -> dict[str, str]:
    # The lookahead: app/state/names.py says why.
    return {"type": "string", "pattern": rf"^({form})$(?!\n)"}


#: What the values look like: one entity tag, what may stand where some are compared, ``*`` alone, the one concurrency there is.
TAG = _text(r'"[\x21\x23-\x7e]*"')
TAGS = _text(rf"\*|{_TAG}( *, *{_TAG}){{0,31}}")
ANY = _text(r"\*")
LAST_WRITE_WINS = _text(preconditions.LAST_WRITE_WINS)

ETAG = Header(
    name="ETag",
    description="Strong validator of this version; opaque.",
    example='"1f-9ae0c2d1b7f33c05"',
    schema=TAG,
)
EXPIRES = Header(
    name="Vanta-Expires-At",
    description="When the document will be gone; only with a time to live.",
    example="2026-01-31T12:00:00.000Z",
    schema=_text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"),
)
LOCATION = Header(
    name="Location", description="Path of the new document.", example="/v1/state/agents/planner/7"
)
REPLAYED = Header(
    name="Idempotency-Replayed",
    description="`true`: nothing happened now; this was answered before to the same Idempotency-Key.",
    example="true",
    schema=_text("true"),
)
IF_MATCH = Header(
    name="If-Match",
    description="Entity tags, one of which the document must have; `*`: it must exist.",
    example='"1f-9ae0c2d1b7f33c05"',
    schema=TAGS,
)
IF_NONE_MATCH = Header(
    name="If-None-Match",
    description="Only `*`: the document must not exist yet.",
    example="*",
    schema=ANY,
)
CONCURRENCY = Header(
    name="Vanta-Concurrency",
    description="Only `last-write-wins`: write whatever is there, lost updates included.",
    example="last-write-wins",
    schema=LAST_WRITE_WINS,
)
TTL = Header(
    name="Vanta-TTL",
    description=(
        "Seconds after which the document is gone. Without it a PATCH leaves its time as it is; "
        "after any other write it stays, or as long as its collection says."
    ),
    example="3600",
    schema=_text(TTL_FORM),
)
CACHED = Header(
    name="If-None-Match",
    description="Entity tags the caller has; 304 if one is current.",
    example='"1f-9ae0c2d1b7f33c05"',
    schema=TAGS,
)
ONCE = Header(
    name="Idempotency-Key",
    description="Repeated within 24 hours, the same request is answered as before, and nothing is written again.",
    example="8e03978e-40d5-43e8-bc93-6894a57f9324",
    schema=_text(ONCE_FORM),
)
