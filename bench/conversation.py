"""What a LangGraph agent stores of a conversation: after each step a checkpoint, whose messages are one more, and what a task wrote.

Made by LangGraph's own types and sent by our checkpointer's own code, so that requests are those of a real agent.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, CheckpointMetadata, empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from bench.closed_loop import Target
from client.langgraph import operations
from client.langgraph.wire import Operation

STEPS = 10
# 80 words each, as a model answers.
MESSAGE = "a model said this " * 20
PLAN = "think, act, look; " * 40
_SERDE = JsonPlusSerializer()


@dataclass(frozen=True, kw_only=True)
class Step:
    """A checkpoint and what a task wrote after it."""

    before: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    new_versions: dict[str, str | int | float]
    writes: tuple[tuple[str, object], ...]

    @property
    def thread(self) -> str:
        """Of which conversation it is."""
        return operations.place(self.before)[0]

    @property
    def config(self) -> RunnableConfig:
        """Where this checkpoint is."""
        return operations.config_of(self.thread, "", self.checkpoint["id"])


def steps(thread: str) -> Iterator[Step]:
    """The :data:`STEPS` steps of a conversation."""
    before = config_of(thread)
    for number in range(1, STEPS + 1):
        step = Step(
            before=before,
            checkpoint={
                **empty_checkpoint(),
                "channel_values": {
                    "messages": [f"{at}: {MESSAGE}" for at in range(number)],
                    "plan": PLAN,
                },
                "channel_versions": {"messages": number, "plan": 1},
            },
            metadata={"source": "loop", "step": number, "parents": {}},
            new_versions={"messages": number} if number > 1 else {"messages": 1, "plan": 1},
            writes=(("messages", f"{number}: {MESSAGE}"), ("branch:to:act", None)),
        )
        before = step.config
        yield step


def config_of(thread: str) -> RunnableConfig:
    """The newest checkpoint of ``thread``."""
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


def put(saver: BaseCheckpointSaver[Any], step: Step) -> None:
    """Put the checkpoint of ``step``."""
    saver.put(step.before, step.checkpoint, step.metadata, step.new_versions)


def put_writes(saver: BaseCheckpointSaver[Any], step: Step) -> None:
    """Put what a task wrote after it."""
    saver.put_writes(step.config, step.writes, "task")


def put_request(agent: str, step: Step) -> Target:
    """The request of :func:`put`, all channels in it: of requests that are under way together none may build on another."""
    versions = step.checkpoint["channel_versions"]
    return _target(agent, operations.put(_SERDE, step.before, step.checkpoint, step.metadata, versions))


def put_writes_request(agent: str, step: Step, task: str) -> Target:
    """The request of :func:`put_writes`, as ``task``."""
    return _target(agent, operations.put_writes(_SERDE, step.config, step.writes, task, ""))


def _target(agent: str, operation: Operation[object]) -> Target:
    request = next(operation)
    return Target(f"/v1/agents/{agent}{request.path}", json.dumps(request.body))
