"""Many documents in the collection ``many``, put into the database as writes would leave them but for their events."""

import hashlib


def key(number: int) -> str:
    """Of document ``number``: a hash, so that neither loading nor reading is in the order of an index."""
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()[:20]


def loading(value: str) -> str:
    """SQL that puts the documents from number $2 to before $3 into tenant $1, each with one version: ``value``, SQL in which ``n`` is the number."""
    return f"""
with given as materialized (
    select n, substr(md5(n::text), 1, 20) as key, {value} as value from generate_series($2::bigint, $3::bigint - 1) n
), versions as (
    insert into vanta.document_version (tenant_id, collection, key, revision, value, digest, written_at)
    select $1::uuid, 'many', key, n + 1, value, '0123456789abcdef', now() from given
), heads as (
    insert into vanta.document (tenant_id, collection, key, revision, digest)
    select $1::uuid, 'many', key, n + 1, '0123456789abcdef' from given
)
update vanta.tenant_head set revision = $3::bigint, documents = $3::bigint,
    bytes = bytes + (select sum(octet_length(value)) from given) where tenant_id = $1::uuid
"""  # noqa: S608 - of a benchmark's own words
