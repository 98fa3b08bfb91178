"""What the saver does, each operation once, as requests and answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from client.langgraph import wire
from client.langgraph.wire import Operation, Request

_AT_ONCE = 1000
_CHANNEL_MISSING = "urn:vanta:problem:channel-missing"
_CHECKPOINT_MISSING = "urn:vanta:problem:checkpoint-not-found"
# A DeltaChannel without a value here is rebuilt from what its ancestors have, back to its last snapshot.
_SINCE_SNAPSHOT = "counters_since_delta_snapshot"
# What keep_latest and delete of LangGraph's prune are here: how many checkpoints stay.
_KEEP = {"keep_latest": 1, "delete": 0}


def get(serde: SerializerProtocol, config: RunnableConfig) -> Operation[CheckpointTuple | None]:
    """The checkpoint that ``config`` names, or its thread's newest."""
    thread, namespace = place(config)
    query: dict[str, str | int] = {"namespace": namespace}
    if checkpoint := checkpoint_of(config):
        response = yield Request(method="GET", path=wire.checkpoint(thread, checkpoint), query=query)
    else:
        response = yield Request(method="GET", path=wire.checkpoints(thread), query={**query, "limit": 1})
    # Any other 404 comes of a wrong address, and would make an agent begin anew.
    if wire.refused(response) == _CHECKPOINT_MISSING:
        return None
    return next(tuples(serde, thread, namespace, wire.checked(response)), None)


def put(
    serde: SerializerProtocol,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
) -> Operation[RunnableConfig]:
    """Put a checkpoint, of its channels only what is new since its parent."""
    thread, namespace = place(config)
    described = get_serializable_checkpoint_metadata(config, metadata)
    values = checkpoint["channel_values"]
    versions = checkpoint["channel_versions"]
    parent = checkpoint_of(config)
    body: dict[str, Any] = {
        "namespace": namespace,
        "parent": parent,
        "run": described.get("run_id"),
        "needsParent": any(
            name in versions and name not in values for name in described.get(_SINCE_SNAPSHOT, {})
        ),
        "metadata": described,
        **wire.encoded(
            serde.dumps_typed({name: value for name, value in checkpoint.items() if name != "channel_values"})
        ),
    }
    # A subgraph that keeps its state between calls has no task in its namespace, and outlives them.
    if ":" in namespace:
        body["root"] = described.get("parents", {}).get("") or None
    same = {name for name in values if parent and name in versions and name not in new_versions}
    path = wire.checkpoint(thread, checkpoint["id"])
    body["channels"] = _channels(serde, values, versions, same)
    response = yield Request(method="PUT", path=path, body=body)
    if same and wire.refused(response) == _CHANNEL_MISSING:
        # The parent was pruned, or is not what these versions count from.
        body["channels"] = _channels(serde, values, versions, set())
        response = yield Request(method="PUT", path=path, body=body)
    wire.check(response)
    return config_of(thread, namespace, checkpoint["id"])


def _channels(
    serde: SerializerProtocol, values: Mapping[str, Any], versions: ChannelVersions, same: set[str]
) -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for name, value in values.items():
        channel: dict[str, Any] = {"version": str(versions.get(name, ""))}
        if name not in same:
            # Item by item: a list that has grown by one takes the room of one.
            channel["isList"] = type(value) is list
            items = value if channel["isList"] else [value]
            channel["parts"] = [wire.encoded(serde.dumps_typed(item)) for item in items]
        channels[name] = channel
    return channels


def put_writes(
    serde: SerializerProtocol,
    config: RunnableConfig,
    writes: Sequence[tuple[str, Any]],
    task_id: str,
    task_path: str,
) -> Operation[None]:
    """Put what a task wrote."""
    thread, namespace = place(config)
    encoded = {
        index: {"index": index, "channel": channel, **wire.encoded(serde.dumps_typed(value))}
        for index, (channel, value) in (
            (WRITES_IDX_MAP.get(channel, n), (channel, value)) for n, (channel, value) in enumerate(writes)
        )
    }
    if not encoded:
        return
    path = f"{wire.checkpoint(thread, config['configurable']['checkpoint_id'])}/writes"
    body = {
        "namespace": namespace,
        "task": task_id,
        "path": task_path,
        "replace": all(channel in WRITES_IDX_MAP for channel, _ in writes),
        "writes": [*encoded.values()],
    }
    wire.check((yield Request(method="POST", path=path, body=body)))


def prune(thread_ids: Sequence[str], strategy: str) -> Operation[None]:
    """Keep of threads what ``strategy`` says."""
    if strategy not in _KEEP:
        raise ValueError(f"The strategy is {strategy!r}: use one of {', '.join(_KEEP)}.")
    for at in range(0, len(thread_ids), _AT_ONCE):
        threads = [wire.escape(str(thread)) for thread in thread_ids[at : at + _AT_ONCE]]
        body = {"threads": threads, "keep": _KEEP[strategy]}
        wire.check((yield Request(method="POST", path="/prune", body=body)))


def delete_runs(run_ids: Sequence[str]) -> Operation[None]:
    """Delete the checkpoints of runs."""
    for at in range(0, len(run_ids), _AT_ONCE):
        body = {"runs": [str(run) for run in run_ids[at : at + _AT_ONCE]]}
        wire.check((yield Request(method="POST", path="/delete-runs", body=body)))


def copy(source: str, target: str) -> Operation[None]:
    """Copy a thread."""
    path = f"/threads/{wire.escape(str(source))}/copy"
    body = {"target": wire.escape(str(target))}
    # A copy that was made refuses its repetition: the name is taken.
    wire.check((yield Request(method="POST", path=path, body=body, repeatable=False)))


def tuples(
    serde: SerializerProtocol, thread: str, namespace: str, page: Mapping[str, Any]
) -> Iterator[CheckpointTuple]:
    """The checkpoints of a page."""
    parts = {part["no"]: wire.typed(part) for part in page["parts"]}

    def value(channel: Mapping[str, Any]) -> Any:
        items = [
            # Decoded for each checkpoint anew: whoever changes one must not change another.
            serde.loads_typed(parts[no])
            for first, last in channel["parts"]
            for no in range(first, last + 1)
        ]
        return items if channel["isList"] else items[0]

    for found in page["checkpoints"]:
        checkpoint: Checkpoint = {
            **serde.loads_typed(wire.typed(found)),
            "channel_values": {name: value(channel) for name, channel in found["channels"].items()},
        }
        parent = found.get("parent")
        yield CheckpointTuple(
            config=config_of(thread, namespace, found["checkpoint"]),
            checkpoint=checkpoint,
            metadata=found["metadata"],
            parent_config=config_of(thread, namespace, parent) if parent else None,
            pending_writes=[
                (write["task"], write["channel"], serde.loads_typed(wire.typed(write)))
                for write in found["writes"]
            ],
        )


def place(config: RunnableConfig) -> tuple[str, str]:
    """The thread and the namespace of ``config``."""
    configurable = config["configurable"]
    return str(configurable["thread_id"]), configurable.get("checkpoint_ns") or ""


def checkpoint_of(config: RunnableConfig) -> str | None:
    """The checkpoint that ``config`` names, None for the newest."""
    return config["configurable"].get("checkpoint_id") or None


def config_of(thread: str, namespace: str, checkpoint: str) -> RunnableConfig:
    """The config of a checkpoint."""
    return {"configurable": {"thread_id": thread, "checkpoint_ns": namespace, "checkpoint_id": checkpoint}}
