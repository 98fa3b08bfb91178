"""Another region takes over: a switchover loses nothing, a fail-over what had not arrived; there are never two writers."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.aws.internals import (
    Answer,
    Handler,
    Params,
    Record,
    global_cluster_xml,
    one,
    rds_answer,
    record_global_writer,
    resolve_switch,
    switching_record,
)
from local.aws.query import RefusedError
from local.aws.rds_engines import Engines, members
from local.aws.rds_members import Member, find, followers_of, inside, synchronised
from local.postgres import Postgres
from local.postgres_role import demote, fence, finished_at
from local.postgres_tools import PostgresError

# How long writes may wait for what the target lacks before the old leader takes them again.
CATCH_UP_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A change of the leader: the records of the global cluster and of its two members, and their engines."""

    record: Record
    target_entry: Record
    old_entry: Record
    old: Member
    target: Member
    old_writer: Postgres
    target_writer: Postgres


@dataclass(frozen=True, kw_only=True)
class Switches:
    """The requests that change which cluster leads.

    Source: Amazon RDS API, "SwitchoverGlobalCluster" and "FailoverGlobalCluster".
    """

    engines: Engines

    def rooms(self) -> dict[str, Callable[[Params, Handler], Answer]]:
        """What answers which action."""
        return {"SwitchoverGlobalCluster": self.switch_over, "FailoverGlobalCluster": self.fail_over}

    def switch_over(self, params: Params, _bookkeep: Handler) -> Answer:
        """Let another member lead that has everything; the old leader follows it."""
        return self._answered("SwitchoverGlobalCluster", params, self._switch_over, loses=False)

    def fail_over(self, params: Params, _bookkeep: Handler) -> Answer:
        """Let another member lead with what it has; the old leader is fenced until its engines are started again."""
        if one(params, "AllowDataLoss") and one(params, "Switchover"):
            raise RefusedError(
                "InvalidParameterCombination", "AllowDataLoss and Switchover cannot both be specified."
            )
        loses = one(params, "AllowDataLoss") == "true"
        change = self._fail_over if loses else self._switch_over
        return self._answered("FailoverGlobalCluster", params, change, loses=loses)

    def _answered(
        self, action: str, params: Params, change: Callable[[Switch], None], *, loses: bool
    ) -> Answer:
        resolved, refusal = resolve_switch(params)
        if refusal:
            return refusal
        switch = self._switch(*resolved)
        change(switch)
        shown = switching_record(switch.record, switch.old_entry, switch.target_entry, allow_data_loss=loses)
        inner = f"<{action}Result><GlobalCluster>{global_cluster_xml(shown)}</GlobalCluster></{action}Result>"
        return rds_answer(200, f"{action}Response", inner)

    def _switch(self, record: Record, _target: Record, target_entry: Record, old_entry: Record) -> Switch:
        old, target = (_member(entry) for entry in (old_entry, target_entry))
        with inside(target.region):
            if not members(target.cluster) or not self.engines.writer(target.cluster).ready():
                raise RefusedError(
                    "InvalidDBClusterStateFault",
                    f"DBCluster {target.cluster['DBClusterIdentifier']!r} has no instance that runs: it cannot lead.",
                )
            target_writer = self.engines.writer(target.cluster)
        return Switch(
            record=record,
            target_entry=target_entry,
            old_entry=old_entry,
            old=old,
            target=target,
            old_writer=self.engines.leader(old),
            target_writer=target_writer,
        )

    def _switch_over(self, switch: Switch) -> None:
        self._check_healthy(switch)
        # A fast shutdown sends all that was written to whoever follows before it ends.
        switch.old_writer.stop()
        try:
            _await_everything(switch)
        except PostgresError as missing:
            with inside(switch.old.region):
                self.engines.settle(switch.old.cluster)
            raise RefusedError(
                "InvalidDBClusterStateFault",
                f"The target did not get everything, so the old leader goes on: {missing}",
            ) from missing
        switch.target_writer.promote()
        demote(switch.old_writer)
        self._lead(switch)
        for member in followers_of(switch.target.cluster):
            with inside(member.region):
                self.engines.settle(member.cluster)
        switch.target_writer.release(switch.old_writer)

    def _fail_over(self, switch: Switch) -> None:
        with inside(switch.old.region):
            for instance in members(switch.old.cluster):
                fence(self.engines.server(switch.old.cluster, instance))
        switch.target_writer.promote()
        for member in [*followers_of(switch.old.cluster), switch.old]:
            synchronised(member.cluster, now=member.cluster is switch.target.cluster)
        self._lead(switch)

    def _lead(self, switch: Switch) -> None:
        record_global_writer(switch.record, switch.target_entry)
        known: dict[str, Any] = {
            name: switch.old.cluster[name] for name in ("MasterUsername", "_MasterUserPassword")
        }
        switch.target.cluster.update(known)
        # What the old leader has archived ends here.
        with inside(switch.old.region):
            shutil.rmtree(self.engines.storage(switch.old.cluster).folder / "base", ignore_errors=True)
        with inside(switch.target.region):
            self.engines.settle(switch.target.cluster)

    def _check_healthy(self, switch: Switch) -> None:
        if not switch.old_writer.ready():
            raise RefusedError(
                "InvalidGlobalClusterStateFault",
                "The leading cluster does not run, and a switchover needs it to lose nothing: fail over with AllowDataLoss.",
            )
        streaming = switch.old_writer.query(
            "SELECT count(*) FROM pg_stat_replication WHERE application_name = left(:'name', 63) AND state = 'streaming'",
            name=switch.target_writer.name,
        )
        if streaming != "1":
            raise RefusedError(
                "InvalidDBClusterStateFault",
                "The target does not stream from the leading cluster: wait until it does.",
            )


def _member(entry: Record) -> Member:
    member = find(entry["DBClusterArn"])
    if member is None:
        raise RefusedError("DBClusterNotFoundFault", f"{entry['DBClusterArn']} is not found.")
    return member


def _await_everything(switch: Switch) -> None:
    """Wait until the target has the last thing that the old leader wrote."""
    position = finished_at(switch.old_writer)
    end = time.monotonic() + CATCH_UP_SECONDS
    # What is replayed is shown by the end of it, so equal is not enough.
    while (
        switch.target_writer.query("SELECT pg_last_wal_replay_lsn() > :'position'", position=position) != "t"
    ):
        if time.monotonic() > end:
            raise PostgresError(f"{switch.target_writer.name} has not replayed {position}.")
        time.sleep(0.02)
