"""What the benchmark of secrets, sessions and agents sends is done, and what it counts of watches is what was written."""

from collections.abc import Generator

import httpx
import pytest

from bench import conversation, watchers
from bench.requested import AGENT, BODY, Requested
from bench.rooms import served_with_kms
from bench.served import Served
from client.langgraph import VantaSaver

pytestmark = pytest.mark.real

SENT = 5


@pytest.fixture(scope="module")
def api() -> Generator[Served]:
    """The engines of this file."""
    with served_with_kms() as running:
        yield running


@pytest.fixture(scope="module")
def requested(api: Served) -> Generator[Requested]:
    """What is sent, and all that is read is there, but few of each."""
    few = {"SECRETS": 5, "THREADS": 5, "WAITED": 5, "ROWS": 5, "_REVOKED": 5, "_PUT": 50, "_WRITTEN": 5}
    with pytest.MonkeyPatch.context() as patch:
        for name, count in few.items():
            patch.setattr(f"bench.requested.{name}", count)
        made = Requested(api, 1)
        made.load()
        yield made


def test_each_request_is_done_not_refused(api: Served, requested: Requested) -> None:
    answered: dict[str, set[int]] = {}
    with httpx.Client(base_url=api.url) as client:
        for name, kind in requested.kinds().items():
            for target in kind.targets()[:SENT]:
                own = dict([target.header.split(": ")] if target.header else [])
                answer = client.request(
                    kind.method, target.path, content=target.body or None, headers={**kind.headers, **own}
                )
                answered.setdefault(name, set()).add(answer.status_code)
    once = {
        "session create": {201},
        "session revoke": {204},
        "checkpoint put": {201},
        "checkpoint writes": {204},
    }
    new = {"secret write": {201}, "document PUT": {201}}
    assert answered == {name: {**once, **new}.get(name, {200}) for name in requested.kinds()}


def test_a_page_and_a_checkpoint_are_as_large_as_they_are_said_to_be(
    api: Served, requested: Requested
) -> None:
    assert requested.kinds().keys() >= {"list of 100", "checkpoint read"}
    with httpx.Client(base_url=api.url, headers=api.read) as client:
        page = client.get("/v1/state/listed", params={"prefix": "p07/", "limit": 100}).json()
    assert [document["key"] for document in page["documents"]] == [f"p07/{key:02}" for key in range(100)]
    with VantaSaver(api.url, api.key, AGENT) as saver:
        found = saver.get_tuple(conversation.config_of("read-0"))
    assert found is not None
    assert len(found.checkpoint["channel_values"]["messages"]) == conversation.STEPS
    assert found.pending_writes is not None
    assert len(found.pending_writes) == 2


def test_each_watch_counts_each_write_once(api: Served) -> None:
    written = 30

    def flood() -> dict[str, float]:
        with httpx.Client(base_url=api.url, headers=api.write) as client:
            for key in range(written):
                client.put(f"/v1/state/watched/{key}", content=BODY).raise_for_status()
        return {"perSecond": 1.0, "errors": 0}

    found = watchers.run(api, "watched", BODY, 3, flood, 1)
    assert found["errors"] == 0
    assert found["p50"] <= found["p99"]


def test_a_watch_that_lacks_a_write_or_has_one_twice_is_an_error() -> None:
    told = [[(1, 0.0), (2, 0.0)], [(1, 0.0)], [(1, 0.0), (2, 0.0), (2, 0.0)], [(1, 0.0), (2, 0.0), (3, 0.0)]]
    assert watchers.wrong(told, [2, 1]) == 2
