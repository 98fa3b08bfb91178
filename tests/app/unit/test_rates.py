"""The token bucket: no schedule of requests gets more through than the rate allows."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import access
from app.api.problems import ProblemError
from app.db.redis import RedisLostError
from app.tenancy import rates
from app.tenancy.principal import Principal, Rate
from app.tenancy.rates import Bucket, Rates

RATES = st.builds(Rate, per_second=st.integers(1, 10_000), burst=st.integers(1, 1000))
GAPS = st.lists(st.one_of(st.just(0.0), st.floats(0, 0.01), st.floats(0, 10)), max_size=300)
# Sums of floats.
ROUNDING = 1e-6


class OneRedis:
    """Counters that all processes of a test share; ``away`` as if it could not be reached."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.away = False

    def send(self, *command: str | bytes | int) -> "asyncio.Future[int]":
        future = asyncio.get_running_loop().create_future()
        if self.away:
            future.set_exception(RedisLostError())
            future.exception()
            return future
        name, key, number = command
        if name == "INCRBY":
            self.counters[str(key)] = self.counters.get(str(key), 0) + int(number)
        future.set_result(self.counters[str(key)])
        return future


def times(gaps: Sequence[float]) -> list[float]:
    """When each request comes, from 0."""
    at, moments = 0.0, []
    for gap in gaps:
        at += gap
        moments.append(at)
    return moments


@given(RATES, GAPS)
def test_between_any_two_moments_no_more_is_admitted_than_the_rate_and_a_burst(
    rate: Rate, gaps: list[float]
) -> None:
    bucket = Bucket(rate, 0.0)
    admitted = [moment for moment in times(gaps) if not bucket.take(moment)]
    assert bucket.admitted == len(admitted)
    for first, begin in enumerate(admitted):
        for last in range(first, len(admitted)):
            allowed = rate.per_second * (admitted[last] - begin) + rate.burst
            assert last - first + 1 <= allowed + ROUNDING


@given(RATES, GAPS)
def test_who_waits_as_long_as_told_is_admitted(rate: Rate, gaps: list[float]) -> None:
    bucket, now = Bucket(rate, 0.0), 0.0
    for gap in gaps:
        now += gap
        if wait := bucket.take(now):
            assert wait > 0
            now += wait + ROUNDING
            assert not bucket.take(now)


@given(RATES, GAPS)
def test_who_stays_within_the_rate_is_never_refused(rate: Rate, gaps: list[float]) -> None:
    bucket, now = Bucket(rate, 0.0), 0.0
    for gap in gaps:
        now += gap + 1 / rate.per_second + ROUNDING
        assert not bucket.take(now)


@given(
    rate=st.builds(Rate, per_second=st.integers(1, 200), burst=st.integers(1, 50)),
    processes=st.integers(2, 4),
    schedule=st.lists(st.lists(st.integers(0, 60), min_size=4, max_size=4), min_size=4, max_size=40),
)
def test_processes_that_tell_each_other_keep_the_stated_bound(
    rate: Rate, processes: int, schedule: list[list[int]]
) -> None:
    """Each entry of the schedule: how many requests reach each process within one interval of sharing."""
    buckets = [Bucket(rate, 0.0) for _ in range(processes)]
    now, total = 0.0, 0
    for wanted in schedule:
        for bucket, count in zip(buckets, wanted, strict=False):
            for step in range(count):
                bucket.take(now + rates.SHARE_SECONDS * step / count)
        now += rates.SHARE_SECONDS
        admitted = sum(bucket.admitted for bucket in buckets)
        unseen = rate.burst + rate.per_second * 2 * rates.SHARE_SECONDS
        assert admitted <= rate.per_second * now + rate.burst + (processes - 1) * unseen + ROUNDING
        for bucket in buckets:
            fresh = bucket.admitted - bucket.shared
            bucket.shared = bucket.admitted
            total += fresh
            bucket.told(total, fresh, now)
        # The second round of a real interval: everyone has told before anyone is told again.
        for bucket in buckets:
            bucket.told(total, 0, now)


async def test_what_others_admitted_is_paid_for_here(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(rates.time, "perf_counter", lambda: clock[0])
    redis, tenant, rate = OneRedis(), uuid4(), Rate(per_second=10, burst=10)
    one, other = Rates(redis), Rates(redis)  # ty: ignore[invalid-argument-type] - what is used of it
    for process in (one, other):
        assert not process.take(tenant, rate, 0.0)
        await process.share()
    for _ in range(9):
        assert not one.take(tenant, rate, 0.0)
    assert one.take(tenant, rate, 0.0)
    await one.share()
    await other.share()
    assert other.take(tenant, rate, 0.0)
    assert not other.take(tenant, rate, 0.3)


async def test_without_redis_each_keeps_to_the_rate_and_nobody_pays_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(rates.time, "perf_counter", lambda: clock[0])
    redis, tenant, rate = OneRedis(), uuid4(), Rate(per_second=10, burst=5)
    one, other = Rates(redis), Rates(redis)  # ty: ignore[invalid-argument-type] - what is used of it
    for process in (one, other):
        assert not process.take(tenant, rate, 0.0)
        await process.share()
    redis.away = True
    for step in range(100):
        clock[0] = step / 10 + 0.2
        admitted = [process.take(tenant, rate, clock[0]) == 0 for process in (one, other)]
        assert all(admitted)
        await one.share()
        await other.share()
    redis.away = False
    await one.share()
    await other.share()
    assert not one.take(tenant, rate, clock[0])
    assert not other.take(tenant, rate, clock[0])


async def test_a_tenant_that_is_gone_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(rates.time, "perf_counter", lambda: clock[0])
    redis = OneRedis()
    known = Rates(redis)  # ty: ignore[invalid-argument-type] - what is used of it
    known.take(UUID(int=1), Rate(per_second=1, burst=1), 0.0)
    clock[0] = 60.0
    await known.share()
    assert redis.counters == {}


def test_a_refusal_says_when_to_come_back() -> None:
    known = Rates(OneRedis())  # ty: ignore[invalid-argument-type] - it is not reached
    rate = Rate(per_second=2, burst=5)
    who = Principal(tenant=uuid4(), id="0" * 16, role="reader", rate=rate)
    for _ in range(5):
        access.check_rate(who, known, 0.0)
    with pytest.raises(ProblemError) as refused:
        access.check_rate(who, known, 0.0)
    assert refused.value.kind.name == "rate-limited"
    assert dict(refused.value.headers) == {
        "retry-after": "1",
        "ratelimit-policy": '"tenant";q=5;w=3',
        "ratelimit": '"tenant";r=0;t=1',
    }
    access.check_rate(who, known, 1.0)


def test_another_rate_holds_from_the_next_request_on() -> None:
    known = Rates(OneRedis())  # ty: ignore[invalid-argument-type] - it is not reached
    tenant = uuid4()
    assert not known.take(tenant, Rate(per_second=1, burst=1000), 0.0)
    assert not known.take(tenant, Rate(per_second=1, burst=1), 0.0)
    assert known.take(tenant, Rate(per_second=1, burst=1), 0.0)
