"""Putting and reading checkpoints, as several tests do."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from .conftest import Database, Tenant

THREAD = "/v1/agents/planner/threads/t"


def encoded(value: str) -> dict[str, str]:
    """A part that carries ``value``."""
    return {"type": "text", "data": base64.b64encode(value.encode()).decode()}


def channels(values: Mapping[str, str | Sequence[str] | None], version: str) -> dict[str, Any]:
    """Channels all in ``version``: a list for a list, the parent's for None."""
    return {
        name: {"version": version}
        if value is None
        else {"version": version, "parts": [encoded(value)]}
        if isinstance(value, str)
        else {"version": version, "isList": True, "parts": [encoded(item) for item in value]}
        for name, value in values.items()
    }


def put(
    client: httpx.Client,
    name: str,
    values: Mapping[str, str | Sequence[str] | None] | None = None,
    *,
    thread: str = THREAD,
    version: str = "1",
    data: str = "",
    metadata: Mapping[str, Any] | None = None,
    **more: Any,
) -> httpx.Response:
    """Put a checkpoint."""
    body = {**encoded(data), "metadata": metadata or {}, "channels": channels(values or {}, version), **more}
    return client.put(f"{thread}/checkpoints/{name}", json=body)


def put_write(
    client: httpx.Client,
    name: str,
    task: str,
    writes: Mapping[int, str],
    *,
    thread: str = THREAD,
    **more: Any,
) -> httpx.Response:
    """Put what a task wrote, by index."""
    body = {
        "task": task,
        "writes": [{"index": index, "channel": "c", **encoded(value)} for index, value in writes.items()],
        **more,
    }
    return client.post(f"{thread}/checkpoints/{name}/writes", json=body)


def page(client: httpx.Client, *, thread: str = THREAD, **query: Any) -> dict[str, Any]:
    """A page of checkpoints; ``filter`` may be a dict."""
    if isinstance(query.get("filter"), dict):
        query["filter"] = json.dumps(query["filter"])
    answer = client.get(f"{thread}/checkpoints", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(found: Mapping[str, Any]) -> list[str]:
    """The names of the checkpoints of a page."""
    return [checkpoint["checkpoint"] for checkpoint in found["checkpoints"]]


def values(found: Mapping[str, Any], at: int = 0) -> dict[str, str | list[str]]:
    """What the channels of a checkpoint of a page have."""
    parts = {part["no"]: base64.b64decode(part["data"]).decode() for part in found["parts"]}
    read: dict[str, str | list[str]] = {}
    for name, channel in found["checkpoints"][at]["channels"].items():
        items = [parts[no] for first, last in channel["parts"] for no in range(first, last + 1)]
        read[name] = items if channel["isList"] else items[0]
    return read


def writes(found: Mapping[str, Any], at: int = 0) -> list[tuple[str, int, str]]:
    """What waits at a checkpoint of a page."""
    return [
        (write["task"], write["index"], base64.b64decode(write["data"]).decode())
        for write in found["checkpoints"][at]["writes"]
    ]


def stored(database: Database, tenant: Tenant) -> dict[str, int]:
    """What tables have of the tenant, the bytes counted for it, and what its counters say."""
    return dict(
        database.query(
            """
            select (select count(*) from vanta.checkpoint where tenant_id = $1) as checkpoints,
                   (select count(*) from vanta.checkpoint_part where tenant_id = $1) as parts,
                   (select count(*) from vanta.checkpoint_write where tenant_id = $1) as writes,
                   (select coalesce(sum(octet_length(data)), 0) from vanta.checkpoint where tenant_id = $1)
                   + (select coalesce(sum(octet_length(data)), 0) from vanta.checkpoint_part where tenant_id = $1)
                   + (select coalesce(sum(octet_length(data)), 0) from vanta.checkpoint_write where tenant_id = $1)
                       as bytes,
                   (select coalesce(sum(bytes), 0) from vanta.agent_thread where tenant_id = $1) as counted,
                   (select bytes from vanta.tenant_head where tenant_id = $1) as counted_for_tenant
            """,
            tenant.id,
        )[0]
    )
