"""The checker refuses what it must and nothing else: a fault it does not see is a fault nobody sees."""

import random
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .checker import check
from .history import Operation, Version, load, save


def wrote(id: int, start: int, end: int | None, status: int = 200, **more: object) -> Operation:  # noqa: A002 - its name
    etag = f'"{id}"' if status in {200, 201} else None
    more = {"method": "PUT", "condition": "whatever", "etag": etag, **more}
    return Operation(id=id, key="k", invoked=start, returned=end, status=status, **more)  # ty: ignore[invalid-argument-type] - fields by name


def read(id: int, start: int, end: int, of: int | None) -> Operation:  # noqa: A002 - its name
    return Operation(
        id=id,
        method="GET",
        key="k",
        invoked=start,
        returned=end,
        status=404 if of is None else 200,
        etag=None if of is None else f'"{of}"',
        written_by=of,
    )


def outbox(*ids: int, deleted: Sequence[int] = ()) -> list[Version]:
    """Versions in the order of ``ids``."""
    return [
        Version(revision=at, key="k", etag=None if one in deleted else f'"{one}"', operation=one)
        for at, one in enumerate(ids, 1)
    ]


def one_complaint(operations: list[Operation], versions: list[Version]) -> str:
    (complaint,) = check(operations, versions)
    return complaint


def test_reads_and_writes_one_after_the_other_are_fine() -> None:
    history = [read(9, 0, 1, None), wrote(1, 2, 3, 201), read(10, 4, 5, 1), wrote(2, 6, 7), read(11, 8, 9, 2)]
    assert not check(history, outbox(1, 2))


def test_a_read_beside_a_write_may_see_either() -> None:
    for seen in (1, 2):
        assert not check([wrote(1, 0, 1, 201), wrote(2, 2, 5), read(9, 3, 4, seen)], outbox(1, 2))


def test_a_stale_read_is_refused() -> None:
    history = [wrote(1, 0, 1, 201), wrote(2, 2, 3), read(9, 4, 5, 1)]
    assert "not linearizable" in one_complaint(history, outbox(1, 2))


def test_a_read_that_goes_back_behind_another_is_refused_though_the_write_is_not_acknowledged() -> None:
    history = [wrote(1, 0, 1, 201), wrote(2, 2, None, 503), read(9, 3, 4, 2), read(10, 5, 6, 1)]
    assert "not linearizable" in one_complaint(history, outbox(1, 2))


def test_a_read_of_what_is_not_written_yet_is_refused() -> None:
    history = [wrote(1, 0, 1, 201), read(9, 2, 3, 2), wrote(2, 4, 5)]
    assert "not linearizable" in one_complaint(history, outbox(1, 2))


def test_a_deleted_document_that_is_read_again_is_refused() -> None:
    history = [wrote(1, 0, 1, 201), wrote(2, 2, 3, 204, method="DELETE"), read(9, 4, 5, 1)]
    assert "not linearizable" in one_complaint(history, outbox(1, 2, deleted=[2]))


def test_a_document_that_is_not_found_though_it_is_there_is_refused() -> None:
    assert "not linearizable" in one_complaint([wrote(1, 0, 1, 201), read(9, 2, 3, None)], outbox(1))


def test_an_absent_document_may_be_so_before_it_was_made_or_after_it_was_deleted() -> None:
    history = [
        wrote(1, 0, 5, 201),
        wrote(2, 0, 5, 204, method="DELETE"),
        read(9, 1, 2, None),
        read(10, 6, 7, None),
    ]
    assert not check(history, outbox(1, 2, deleted=[2]))


def test_a_lost_update_is_refused() -> None:
    history = [
        wrote(1, 0, 1, 201),
        wrote(2, 2, 5, condition="match", expected='"1"'),
        wrote(3, 2, 5, condition="match", expected='"1"'),
    ]
    assert "done over" in one_complaint(history, outbox(1, 2, 3))


def test_a_creation_over_what_is_there_is_refused() -> None:
    history = [wrote(1, 0, 1, 201), wrote(2, 2, 3, condition="absent")]
    assert "done over" in one_complaint(history, outbox(1, 2))


def test_a_refusal_for_no_reason_is_refused() -> None:
    history = [wrote(1, 0, 1, 201), wrote(2, 2, 3, 412, condition="match", expected='"1"')]
    assert "not linearizable" in one_complaint(history, outbox(1))


def test_a_lost_write_is_refused_unless_it_was_not_acknowledged() -> None:
    assert "lost" in one_complaint([wrote(1, 0, 1, 201)], [])
    assert not check([wrote(1, 0, None, 503)], [])


def test_a_write_that_is_done_twice_is_refused() -> None:
    assert "twice" in one_complaint([wrote(1, 0, 1, 201)], outbox(1, 1))


def test_a_write_that_was_refused_and_done_is_refused() -> None:
    assert "refused" in one_complaint([wrote(1, 0, 1, 412, condition="exists")], outbox(1))


def test_a_gap_between_revisions_is_refused() -> None:
    gap = [Version(revision=2, key="k", etag='"1"', operation=1)]
    assert "gap" in one_complaint([wrote(1, 0, 1, 201)], gap)


def test_an_etag_with_the_value_of_another_version_is_refused() -> None:
    mixed = read(9, 4, 5, 2)
    mixed.written_by = 1
    assert "value" in one_complaint([wrote(1, 0, 1, 201), wrote(2, 2, 3), mixed], outbox(1, 2))


def test_revisions_in_another_order_than_the_acknowledgements_are_refused() -> None:
    first, second = wrote(1, 0, 1, 201), wrote(2, 2, 3, 201)
    second.key = "another"
    versions = [
        Version(revision=1, key="another", etag='"2"', operation=2),
        Version(revision=2, key="k", etag='"1"', operation=1),
    ]
    assert "all keys" in one_complaint([first, second], versions)


@pytest.mark.parametrize("status", [500, 400])
def test_an_answer_that_no_client_should_see_is_refused(status: int) -> None:
    assert "no client" in one_complaint([wrote(1, 0, 1, status)], [])


def test_a_saved_history_is_the_same_when_it_is_loaded(tmp_path: Path) -> None:
    history = [wrote(1, 0, 1, 201), wrote(2, 2, None, 503, condition="match", expected='"1"')]
    save(tmp_path / "history", history, outbox(1, deleted=[1]))
    assert load(tmp_path / "history") == (history, outbox(1, deleted=[1]))


def _linearizable(operations: list[Operation], writes: list[int]) -> bool:
    """By trying every order: what the checker finds in one pass."""

    def fits(order: Sequence[Operation]) -> bool:
        if [one.id for one in order if one.method == "PUT"] != writes:
            return False
        state = None
        latest = -1
        for one in order:
            latest = max(latest, one.invoked)
            if one.returned is not None and latest > one.returned:
                return False
            if one.method == "PUT":
                state = one.id
            elif one.written_by != state:
                return False
        return True

    return any(fits(order) for order in permutations(operations))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 3), reads=st.integers(1, 3))
def test_it_agrees_with_trying_every_order(seed: int, count: int, reads: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - hypothesis chooses it
    times = chance.sample(range(100), 2 * (count + reads))
    spans = [sorted(times[at : at + 2]) for at in range(0, len(times), 2)]
    unknown = chance.random() < 0.3
    writes = [
        wrote(
            at,
            span[0],
            None if unknown and at == count - 1 else span[1],
            503 if unknown and at == count - 1 else 200,
        )
        for at, span in enumerate(spans[:count])
    ]
    for one in writes:
        # The first creates, whatever the order in which they were asked for.
        one.status = 503 if one.status == 503 else 201 if one.id == 0 else 200
    seen = [
        read(count + at, *span, chance.choice([None, *range(count)])) for at, span in enumerate(spans[count:])
    ]
    complaints = check([*writes, *seen], outbox(*range(count)))
    assert bool(complaints) != _linearizable([*writes, *seen], list(range(count)))
