"""What the checkpointer makes of answers, and which of its requests are sent again. No socket, no clock."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from client import NotFound
from client.flow import Wait, answered
from client.langgraph import listing, operations
from client.langgraph.wire import Operation, Request

from .driven import CUT, DOWN, drive, refusal, response

SERDE = JsonPlusSerializer()
NEWEST: RunnableConfig = {"configurable": {"thread_id": "t"}}
ONE: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "0001"}}
#: Operations, each of whose requests does nothing twice.
REPEATABLE: dict[str, Callable[[], Operation[Any] | listing.Walk]] = {
    "get": lambda: operations.get(SERDE, ONE),
    "list": lambda: listing.walk(SERDE, NEWEST, None, None, None),
    "put": lambda: operations.put(SERDE, ONE, empty_checkpoint(), {"source": "loop"}, {}),
    "put_writes": lambda: operations.put_writes(SERDE, ONE, [("a", 1)], "task", ""),
    "prune": lambda: operations.prune(["t"], "delete"),
    "delete_runs": lambda: operations.delete_runs(["r"]),
}


def first(operation: Operation[Any] | listing.Walk) -> Request:
    request = next(operation)
    assert isinstance(request, Request)
    return request


def result(operation: Operation[Any], came: Any) -> Any:
    """What ``operation`` ends with, if ``came`` is its only answer."""
    next(operation)
    with pytest.raises(StopIteration) as end:
        operation.send(came)
    return end.value.value


@pytest.mark.parametrize("config", [ONE, NEWEST])
@pytest.mark.parametrize("came", [response(404, b"<html>"), refusal(404, "route-not-found")])
def test_a_wrong_address_is_not_an_agent_without_checkpoints(config: RunnableConfig, came: Any) -> None:
    operation = operations.get(SERDE, config)
    next(operation)
    with pytest.raises(NotFound):
        operation.send(came)
    walk = listing.walk(SERDE, NEWEST, None, None, None)
    next(walk)
    with pytest.raises(NotFound):
        walk.send(came)


def test_what_is_not_there_is_none() -> None:
    assert result(operations.get(SERDE, ONE), refusal(404, "checkpoint-not-found")) is None
    walk = listing.walk(SERDE, NEWEST, None, None, None)
    next(walk)
    assert listing.resume(walk, refusal(404, "thread-not-found")) is None


@pytest.mark.parametrize("name", REPEATABLE)
@pytest.mark.parametrize("came", [CUT, DOWN, refusal(503), refusal(429), response(502)])
def test_what_does_nothing_twice_is_sent_again(name: str, came: Any) -> None:
    request = first(REPEATABLE[name]()).sent()
    steps, settled = drive(answered(request, 3), [came, came, response(200)])
    assert [step for step in steps if not isinstance(step, Wait)] == [request] * 3
    assert settled.status_code == 200


@pytest.mark.parametrize("came", [CUT, refusal(503)])
def test_a_copy_that_may_have_been_made_is_not_asked_for_again(came: Any) -> None:
    request = first(operations.copy("t", "u")).sent()
    steps, settled = drive(answered(request, 3), [came])
    assert steps == [request]
    assert settled is came
    steps, settled = drive(answered(request, 3), [DOWN, response(204)])
    assert settled.status_code == 204
