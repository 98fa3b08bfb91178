"""The steps of a change, each of which may be taken again without harm."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.recovery.database import GlobalDatabase
from app.recovery.dns import Dns
from app.recovery.errors import LostError, RecoveryError
from app.recovery.journal import Kind
from app.recovery.picture import (
    SERVING,
    Picture,
    judge_failover,
    judge_standby,
    judge_switchover,
    look,
    readiness,
)
from app.recovery.stacks import Pair, pulumi
from app.recovery.workload import Workload

_POLL_SECONDS = 0.5
# Aurora promises minutes at worst; who waits longer has to look.
_DATABASE_SECONDS, _PODS_SECONDS, _READY_SECONDS, _RESYNC_SECONDS = 600, 180, 120, 3600
_PULUMI_SECONDS = 900


class SkippedError(Exception):
    """A step has nothing to do here, or cannot be done from here: what is to be known of it."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the operator has said: limits in seconds, and where the target's API answers if not at its own name."""

    lag_limit: float
    accept_loss: bool = False
    although_healthy: bool = False
    url: str = ""
    reconcile: bool = True


Act = Callable[[], str]


class Steps:
    """What has to be done, in order, so that ``pair.target`` serves; each says what it did.

    ``alive`` is called while one waits.
    """

    def __init__(self, kind: Kind, pair: Pair, wishes: Wishes, alive: Callable[[], None]) -> None:
        self._kind = kind
        self._pair = pair
        self._wishes = wishes
        self._alive = alive
        self._database = GlobalDatabase(pair)

    def named(self) -> dict[str, Act]:
        """The steps by name."""
        return {
            "check": self.check,
            "pods": self.pods,
            "database": self.database,
            **({"fence": self.fence} if self._kind == "failover" else {}),
            "cache": self.cache,
            "dns": self.dns,
            "ready": self.ready,
            "reconcile": self.reconcile,
        }

    def check(self) -> str:
        """Refuse what should not be begun; a way back waits until the old leader has everything."""
        picture = look(self._pair, self._database)
        if self._kind == "failback":
            picture = self._followed(picture)
        if self._kind == "failover":
            judge_failover(
                picture,
                limit=self._wishes.lag_limit,
                accept_loss=self._wishes.accept_loss,
                although_healthy=self._wishes.although_healthy,
            )
            return f"{picture.other} is taken for lost: {' and '.join(picture.reasons) or 'the operator says so'}"
        judge_switchover(picture, limit=self._wishes.lag_limit)
        return f"{picture.target} is {picture.lag_seconds:.1f} s behind and both sides are well"

    def _followed(self, picture: Picture) -> Picture:
        def look_again() -> bool:
            nonlocal picture
            picture = look(self._pair, self._database)
            return not picture.resyncs

        if picture.resyncs:
            self._wait(look_again, _RESYNC_SECONDS, f"{picture.target} does not follow again")
        judge_standby(picture)
        return picture

    def pods(self) -> str:
        """Have pods where they will be needed, before the database is there."""
        workload = self._workload(self._pair.target.name)
        wanted, _ = workload.replicas()
        if wanted == 0:
            workload.scale(1)

        def some_are_running() -> bool:
            # They are not ready while the database takes no writes, but that is all that they lack.
            return workload.replicas()[0] > 0

        self._wait(some_are_running, _PODS_SECONDS, f"{self._pair.target.name} has no pods")
        return f"{workload.replicas()[0]} wanted"

    def database(self) -> str:
        """Change the leader."""
        target = self._pair.target.name
        members, moving = self._database.members()
        if members[target].leads and not moving:
            return f"{target} leads already"
        if not moving:
            change = self._database.fail_over if self._kind == "failover" else self._database.switch_over
            change(members[target])
        self._wait(self._leads, _DATABASE_SECONDS, f"{target} does not lead")
        return f"{target} leads"

    def _leads(self) -> bool:
        members, moving = self._database.members()
        leads = members[self._pair.target.name].leads
        return leads and not moving and self._database.status(self._pair.target) == "available"

    def fence(self) -> str:
        """Take the old side's pods away; its database takes no writes, for RDS sees to that when it comes back."""
        workload = self._workload(self._pair.other.name)
        try:
            workload.scale(0)
        except LostError as lost:
            raise SkippedError(f"{lost} Its database stays fenced; do it once it answers.") from None
        return f"{self._pair.other.name} has no pods any more"

    def cache(self) -> str:
        """Leave what the target's cache has of another past."""
        workload = self._workload(self._pair.target.name)
        try:
            return workload.run("python", "-m", "app", "dr", "new-timeline").strip()
        except LostError as lost:
            if self._kind == "failback":
                raise
            # A cache that has never served since the databases parted has nothing of that past.
            raise SkippedError(str(lost)) from None

    def dns(self) -> str:
        """Lead clients to the target now, not once health checks have found out."""
        target, other = self._pair.target, self._pair.other
        if not target.zone_id:
            raise SkippedError(f"{target.name} has no name that clients call")
        dns = Dns()
        try:
            ways = dns.ways(target)
            primary = next(name for name, way in ways.items() if way.role == "PRIMARY")
            if primary == target.name:
                dns.reopen(ways[primary])
                return f"{target.host} leads to {target.name} as long as it is ready"
            dns.close(ways[primary])
        except (LostError, StopIteration) as lost:
            # The API of Route 53 is in one region only, its health checks are not.
            reason = str(lost) or f"{target.host} has no primary"
            raise SkippedError(f"{reason} Health checks lead clients over within half a minute.") from None
        return f"{target.host} leads to {target.name}, and not to {other.name} before `dr failback --to {other.name}`"

    def ready(self) -> str:
        """Wait until the target's API says that it serves."""
        target, url = self._pair.target, self._wishes.url
        if not (target.own_host or url):
            raise SkippedError(f"{target.name} has no name of its own: look at its API, or say --url")
        self._wait(
            lambda: readiness(target, url) in SERVING,
            _READY_SECONDS,
            f"the API of {target.name} is not ready",
        )
        return "its API takes writes"

    def reconcile(self) -> str:
        """Let Pulumi's state say what is, and see that the program would change nothing of it."""
        if not self._wishes.reconcile:
            raise SkippedError("left out: run `pulumi refresh` and `pulumi preview` for both stacks")
        names = [self._pair.target.name]
        if self._kind != "failover":
            names.append(self._pair.other.name)
        for name in names:
            try:
                self._alive()
                pulumi("refresh", "--yes", "--skip-preview", "--stack", name, seconds=_PULUMI_SECONDS)
                self._alive()
                pulumi("preview", "--expect-no-changes", "--stack", name, seconds=_PULUMI_SECONDS)
            except LostError as lost:
                raise SkippedError(f"{lost} Nobody waits for it: refresh and preview {name} later.") from None
        return f"{' and '.join(names)}: refreshed, and nothing would change"

    def _workload(self, name: str) -> Workload:
        stack = self._pair.target if name == self._pair.target.name else self._pair.other
        workload = Workload(stack)
        if workload.missing:
            raise SkippedError(workload.missing)
        return workload

    def _wait(self, condition: Callable[[], bool], seconds: float, complaint: str) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise RecoveryError(
                    f"After {seconds:.0f} s {complaint}: look why, then run `dr resume --to {self._pair.target.name}`."
                )
            self._alive()
            time.sleep(_POLL_SECONDS)
