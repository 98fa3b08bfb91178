"""A LangGraph agent on the checkpointer: it stops and goes on, goes back in time, and outlives the API."""

import asyncio
import operator
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import httpx
import psutil
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import Checkpoint, empty_checkpoint
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt

from client import Problem, Vanta
from client.agents import AgentRetention
from client.langgraph import VantaSaver

from ..app.real.conftest import ROOT, serving  # noqa: TID252 - tests are no package

if TYPE_CHECKING:
    from tests.app.real.conftest import Database, Served, Tenant


class State(TypedDict):
    messages: Annotated[list[str], operator.add]
    approved: bool


def agent(saver: VantaSaver, ran: list[str] | None = None) -> CompiledStateGraph[Any]:
    """Plans, asks a person, acts."""

    def plan(_: State) -> dict[str, Any]:
        if ran is not None:
            ran.append("plan")
        return {"messages": ["planned"]}

    def ask(_: State) -> dict[str, Any]:
        return {"approved": interrupt("may I?")}

    def act(state: State) -> dict[str, Any]:
        if ran is not None:
            ran.append("act")
        return {"messages": [f"acted: {state['approved']}"]}

    return compiled(State, saver, plan=plan, ask=ask, act=act)


def compiled(schema: Any, saver: VantaSaver | None, **nodes: Any) -> CompiledStateGraph[Any]:
    """A graph that runs ``nodes`` one after the other."""
    graph = StateGraph(schema)
    before = START
    for name, node in nodes.items():
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    return graph.compile(checkpointer=saver)


def thread(name: str = "conversation / 7 é ~") -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


@pytest.mark.parametrize(
    "run",
    [
        lambda graph, *arguments: graph.invoke(*arguments),
        lambda graph, *arguments: asyncio.run(graph.ainvoke(*arguments)),
    ],
    ids=["plain", "async"],
)
def test_a_run_outlives_a_restart_of_the_api(
    run: Any, database: "Database", tenant: "Tenant", tmp_path: Path
) -> None:
    with serving(database, tmp_path) as served, ExitStack() as until_end:

        def restart(_: State) -> dict[str, Any]:
            # First its workers: they would go on for a moment.
            for process in [*psutil.Process(served.process.pid).children(recursive=True), served.process]:
                process.kill()
            served.process.wait()
            until_end.enter_context(serving_again(served, database))
            return {"messages": ["restarted"]}

        with VantaSaver(served.url, tenant.key, "planner") as saver:
            graph = compiled(State, saver, restart=restart, act=lambda _: {"messages": ["acted"]})
            done = run(graph, {"messages": ["go"], "approved": False}, thread())
            assert done["messages"] == ["go", "restarted", "acted"]
            assert graph.get_state(thread()).values == done


@contextmanager
def serving_again(served: "Served", database: "Database") -> Generator[None]:
    """The API where it was, not waited for."""
    port = str(httpx.URL(served.url).port)
    environment = {**os.environ, **database.environment, "VANTA_LISTEN_PORT": port}
    process = subprocess.Popen([sys.executable, "-m", "app", "serve"], cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_a_checkpointer_outlives_its_loop_and_leaves_no_connection(saver: VantaSaver, api: "Served") -> None:
    graph, before = agent(saver), connections(api)
    asyncio.run(graph.ainvoke({"messages": ["go"], "approved": False}, thread()))
    done = asyncio.run(graph.ainvoke(Command(resume=True), thread()))
    assert done["messages"] == ["go", "planned", "acted: True"]
    assert connections(api) == before


def connections(api: "Served") -> set[int]:
    """Our open sockets to ``api``."""
    port = httpx.URL(api.url).port
    return {
        one.fd
        for one in psutil.Process().net_connections("tcp")
        if one.raddr and one.raddr.port == port and one.status == psutil.CONN_ESTABLISHED
    }


async def test_loops_of_two_threads_share_a_checkpointer(saver: VantaSaver) -> None:
    await saver.aput(thread("t"), empty_checkpoint(), {"source": "loop"}, {})
    async with asyncio.timeout(20):
        other = await asyncio.to_thread(lambda: asyncio.run(saver.aget_tuple(thread("t"))))
    assert other == await saver.aget_tuple(thread("t")) is not None
    await saver.aclose()


@pytest.mark.parametrize("address", ["{url}/", "{url}"])
def test_a_slash_at_the_end_of_the_url_is_no_other_address(
    address: str, api: "Served", tenant: "Tenant"
) -> None:
    with VantaSaver(address.format(url=api.url), tenant.key, "planner") as saver:
        written = saver.put(thread("t"), empty_checkpoint(), {"source": "loop"}, {})
        assert saver.get_tuple(written) is not None


def test_an_agent_goes_on_after_the_api_was_killed(
    database: "Database", tenant: "Tenant", tmp_path: Path
) -> None:
    ran: list[str] = []
    with serving(database, tmp_path) as served:
        with VantaSaver(served.url, tenant.key, "planner") as saver:
            stopped = agent(saver, ran).invoke({"messages": ["go"], "approved": False}, thread())
        assert stopped["__interrupt__"][0].value == "may I?"
        served.process.kill()
        served.process.wait()
    with serving(database, tmp_path) as served, VantaSaver(served.url, tenant.key, "planner") as saver:
        done = agent(saver, ran).invoke(Command(resume=True), thread())
    assert done == {"messages": ["go", "planned", "acted: True"], "approved": True}
    assert ran == ["plan", "act"]


async def test_the_same_without_waiting(saver: VantaSaver) -> None:
    graph = agent(saver)
    await graph.ainvoke({"messages": ["go"], "approved": False}, thread())
    done = await graph.ainvoke(Command(resume=False), thread())
    assert done["messages"] == ["go", "planned", "acted: False"]
    history = [one async for one in graph.aget_state_history(thread())]
    assert [one.metadata["step"] for one in history if one.metadata] == [3, 2, 1, 0, -1]
    await saver.aclose()


def test_an_earlier_checkpoint_can_be_gone_on_from(saver: VantaSaver) -> None:
    graph = agent(saver)
    graph.invoke({"messages": ["go"], "approved": False}, thread())
    graph.invoke(Command(resume=True), thread())
    planned = next(one for one in graph.get_state_history(thread()) if one.next == ("plan",))
    forked = graph.update_state(planned.config, {"messages": ["but carefully"]})
    graph.invoke(None, forked)
    done = graph.invoke(Command(resume=False), thread())
    assert done["messages"] == ["go", "but carefully", "planned", "acted: False"]
    # What was before the fork is still what it was.
    assert graph.get_state(planned.config).values["messages"] == ["go"]


def test_only_what_is_new_is_sent(saver: VantaSaver, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    send = saver._send  # noqa: SLF001 - between the saver and the wire
    monkeypatch.setattr(
        saver, "_send", lambda request: (sent.append(dict(request.body or {})), send(request))[1]
    )
    agent(saver).invoke({"messages": ["go"], "approved": False}, thread())
    puts = [body["channels"] for body in sent if "channels" in body]
    assert "parts" not in puts[-1]["approved"]
    assert [len(put["messages"]["parts"]) for put in puts if "messages" in put] == [1, 2]


def test_what_the_parent_no_longer_has_is_sent_again(saver: VantaSaver) -> None:
    checkpoint: Checkpoint = {
        **empty_checkpoint(),
        "channel_values": {"a": ["x"]},
        "channel_versions": {"a": 1},
    }
    config: RunnableConfig = {
        "configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "none"}
    }
    written = saver.put(config, checkpoint, {"source": "loop"}, {})
    found = saver.get_tuple(written)
    assert found is not None
    assert found.checkpoint["channel_values"] == {"a": ["x"]}


def test_everything_of_an_agent_can_be_listed(saver: VantaSaver) -> None:
    expected: list[str] = []
    for name in ("b", "a ~/", ".."):
        for namespace in ("", "sub"):
            config: RunnableConfig = {"configurable": {"thread_id": name, "checkpoint_ns": namespace}}
            written = saver.put(config, empty_checkpoint(), {"source": "loop"}, {})
            expected.insert(0, written["configurable"]["checkpoint_id"])
    found = list(saver.list(None))
    assert [one.checkpoint["id"] for one in found] == expected
    assert {one.config["configurable"]["thread_id"] for one in found} == {"b", "a ~/", ".."}
    assert len(list(saver.list(thread("b")))) == 2
    assert [one.checkpoint["id"] for one in saver.list(None, limit=3)] == expected[:3]
    assert [one.checkpoint["id"] for one in saver.list(found[1].config)] == expected[1:2]


def test_a_long_list_comes_page_by_page(saver: VantaSaver) -> None:
    config: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    written = [
        saver.put(config, empty_checkpoint(), {"source": "loop", "step": n % 2}, {})["configurable"][
            "checkpoint_id"
        ]
        for n in range(70)
    ]
    assert [one.checkpoint["id"] for one in saver.list(config)] == written[::-1]
    assert [one.checkpoint["id"] for one in saver.list(config, limit=60)] == written[:9:-1]
    assert len(list(saver.list(config, filter={"step": 1}))) == 35


class Deltas(TypedDict):
    log: Annotated[list[str], DeltaChannel(lambda log, writes: [*log, *chain(*writes)], snapshot_frequency=4)]


def test_pruning_leaves_a_channel_of_deltas_whole(saver: VantaSaver) -> None:
    graph = compiled(Deltas, saver, work=lambda _: {"log": ["worked"]})
    for number in range(7):
        done = graph.invoke({"log": [f"{number}"]}, thread())
    before = len(list(saver.list(thread())))
    saver.prune(["conversation / 7 é ~"])
    assert graph.get_state(thread()).values == done
    assert 1 < len(list(saver.list(thread()))) < before
    assert graph.invoke({"log": ["more"]}, thread())["log"] == [*done["log"], "more", "worked"]


def test_subgraphs_leave_no_more_than_their_parents(api: "Served", tenant: "Tenant") -> None:
    inner = compiled(State, None, one=lambda _: {"messages": ["a"]}, two=lambda _: {"messages": ["b"]})
    with VantaSaver(api.url, tenant.key, "planner") as saver, Vanta(api.url, tenant.key) as vanta:
        graph = compiled(State, saver, inner=inner)
        vanta.agents.put_retention("planner", AgentRetention(keep_checkpoints=3))
        for _ in range(6):
            graph.invoke({"messages": ["go"], "approved": False}, {"configurable": {"thread_id": "t"}})
        listed = vanta.agents.thread("planner", "t").namespaces
    assert [one.checkpoints for one in listed if not one.namespace] == [3]
    assert len(listed) == 2


def test_a_refusal_says_why(saver: VantaSaver) -> None:
    with pytest.raises(Problem, match="A thread is named") as refused:
        saver.get_tuple(thread("x" * 600))
    assert refused.value.type == "urn:vanta:problem:invalid-key"
    with pytest.raises(ValueError, match="keep_latest, delete"):
        saver.prune(["t"], strategy="some")


def test_copying_over_a_thread_is_refused(saver: VantaSaver) -> None:
    for name in ("a", "b"):
        config: RunnableConfig = {"configurable": {"thread_id": name, "checkpoint_ns": ""}}
        saver.put(config, empty_checkpoint(), {"source": "loop"}, {})
    with pytest.raises(Problem) as refused:
        saver.copy_thread("a", "b")
    assert refused.value.type == "urn:vanta:problem:thread-exists"
