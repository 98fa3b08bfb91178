"""The engines behind the database clusters of RDS: which run, where, and what follows whom.

A cluster is one folder: the data directory of each member, the WAL archive, the administrator's password. All members share one
port; the writer is at the home's first address (127.0.0.1), readers are at those that follow. A cluster without readers answers at the reader's address
by its writer, as Aurora does. When its last member is deleted, its storage stays for the next one. In a cluster that follows
another region's, the first member streams from the writer there, and the others from the first; one that led until another was promoted
without it begins anew, and what it had becomes a snapshot.
"""

import datetime as dt
import shutil
from dataclasses import dataclass

from local.aws.internals import (
    Params,
    Record,
    cluster_parameter_groups,
    get_region,
    instance_parameter_groups,
    instances,
    one,
    unregister_instance,
)
from local.aws.query import RefusedError
from local.aws.rds_members import Member, followers_of, inside, leader_of, resyncs, synchronised
from local.aws.rds_records import record_snapshot, snapshot_folder
from local.home import Home
from local.ports import Ports
from local.postgres import MAJOR, Postgres
from local.postgres_role import follows, lead
from local.processes import Processes


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The PostgreSQL servers of ``home``, by the records of their clusters in the region of the request."""

    home: Home

    def settle(self, cluster: Record) -> None:
        """Make every engine of ``cluster`` as the records say, starting what does not run."""
        found = members(cluster)
        if not found:
            return
        publish(cluster, self.claim_port(cluster), self.home)
        first, leader = self.writer(cluster), self._leader(cluster)
        if leader:
            self._settle_follower(cluster, first, leader)
        else:
            self._settle_writer(cluster, first)
        for instance in found[1:]:
            self._settle_reader(self.server(cluster, instance), first, self._parameters(cluster, instance))

    def _settle_writer(self, cluster: Record, writer: Postgres) -> None:
        adopts = not writer.initialised
        if adopts:
            self.storage(cluster).data.rename(writer.data)
        if follows(writer):  # left by a fail-over that did not come to its end
            writer.stop()
            lead(writer)
        writer.configure(self._parameters(cluster, members(cluster)[0]))
        _serve(writer)
        if adopts:  # the password may have been changed while nothing served the storage
            writer.set_password(cluster["MasterUsername"], cluster["_MasterUserPassword"])
        for member in followers_of(cluster):
            if resyncs(member.cluster):
                continue
            with inside(member.region):
                follower = self.writer(member.cluster) if members(member.cluster) else None
            if follower and follower.initialised:
                writer.hold(follower)

    def _settle_follower(self, cluster: Record, follower: Postgres, leader: Postgres) -> None:
        parameters = self._parameters(cluster, members(cluster)[0])
        # What took writes of its own may have some that the leader has not.
        apart = follower.initialised and (resyncs(cluster) or not follows(follower))
        if apart or not follower.initialised:
            if not leader.ready():
                raise RefusedError(
                    "InvalidDBClusterStateFault",
                    f"DBCluster {cluster['DBClusterIdentifier']!r} cannot follow: the leading cluster does not run.",
                )
            if apart:
                self._give_up(cluster)
            follower.clone(leader, parameters=parameters)
        follower.configure(parameters, primary=leader)
        _serve(follower)
        synchronised(cluster, now=True)

    def _give_up(self, cluster: Record) -> None:
        """Make a snapshot of what ``cluster`` has, and leave it without any.

        Source: Amazon Aurora User Guide, "Performing managed failovers for Aurora global databases".
        """
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d-%H-%M-%S")
        name = f"rds:unplanned-global-failover-{cluster['DBClusterIdentifier']}-{now}"
        kept = snapshot_folder(self.home, name)
        first, *readers = [self.server(cluster, member) for member in members(cluster)]
        first.stop()
        for reader in readers:
            reader.remove()
        lead(first)
        first.data.rename(self.storage(cluster).data)
        # Certificates, passwords and the archive of WAL belong to it as much as the data.
        shutil.move(first.folder, kept)
        record_snapshot(name, cluster, kind="automated")

    def _settle_reader(self, reader: Postgres, writer: Postgres, parameters: dict[str, str]) -> None:
        if reader.initialised:
            writer.hold(reader)
        else:
            reader.clone(writer, parameters=parameters)
        reader.configure(parameters, primary=writer)
        reader.start()
        reader.reload()

    def retire(self, cluster: Record, instance: Record) -> None:
        """Remove the engine of ``instance``, which is no longer a member of ``cluster``."""
        old, leader = self.server(cluster, instance), self._leader(cluster)
        old.stop()
        found = members(cluster)
        if not found:
            self._set_aside(cluster, old, leader)
        elif any(member["IsClusterWriter"] for member in cluster["DBClusterMembers"]):
            old.remove(primary=self.writer(cluster))
        else:
            successor = self.server(cluster, found[0])
            if leader and leader.ready():
                leader.hold(successor)
            elif not leader:
                # A stopped writer has sent everything to its readers: the first of them has lost nothing.
                successor.promote()
            successor.stop()
            cluster["DBClusterMembers"][0]["IsClusterWriter"] = True
            found[0]["Endpoint"]["Address"] = self.home.addresses[0]
            old.remove(primary=leader if leader and leader.ready() else None)

    def part(self, cluster: Record, leader: Postgres) -> None:
        """Turn ``cluster``, which has followed ``leader`` until now, into one of its own."""
        if not members(cluster):
            return
        first = self.writer(cluster)
        first.promote()
        first.stop()
        if leader.ready():
            first.release(leader)
        self.settle(cluster)

    def forget(self, cluster: Record, instance: Record) -> None:
        """Take back ``instance``, whose engine could not be started."""
        unregister_instance(instance["DBInstanceIdentifier"])
        del instances[instance["DBInstanceIdentifier"]]
        server = self.server(cluster, instance)
        server.stop()
        if members(cluster):
            server.remove(primary=self.writer(cluster))
        elif server.initialised:
            self._set_aside(cluster, server, self._leader(cluster))

    def _set_aside(self, cluster: Record, last: Postgres, leader: Postgres | None) -> None:
        """Keep the storage of a cluster that nothing serves; what follows can have it again from its leader."""
        if leader:
            last.remove(primary=leader if leader.ready() else None)
        else:
            last.data.rename(self.storage(cluster).data)

    def _leader(self, cluster: Record) -> Postgres | None:
        member = leader_of(cluster)
        return self.leader(member) if member else None

    def leader(self, member: Member) -> Postgres:
        """Where the writes of the leading ``member`` are taken, whether or not it is served now."""
        with inside(member.region):
            return self.writer(member.cluster) if members(member.cluster) else self.storage(member.cluster)

    def writer(self, cluster: Record) -> Postgres:
        """The engine that takes writes."""
        return self.server(cluster, members(cluster)[0])

    def storage(self, cluster: Record) -> Postgres:
        """The data directory of a cluster that has no members; it is not served."""
        return self._engine(cluster, "storage", self.home.addresses[0], ())

    def server(self, cluster: Record, instance: Record) -> Postgres:
        """The engine of ``instance``."""
        name = f"postgres-{get_region()}-{instance['DBInstanceIdentifier']}"
        alone = len(members(cluster)) == 1
        reader = self.home.addresses[1]
        return self._engine(cluster, name, instance["Endpoint"]["Address"], (reader,) if alone else ())

    def _engine(self, cluster: Record, name: str, host: str, aliases: tuple[str, ...]) -> Postgres:
        folder = self.home.databases / get_region() / cluster["DBClusterIdentifier"]
        return Postgres(
            home=self.home, folder=folder, name=name, host=host, port=cluster["Port"], aliases=aliases
        )

    def claim_port(self, cluster: Record) -> int:
        """The port of ``cluster``, chosen anew if another program has taken it while no member ran."""
        processes = Processes(self.home)
        held = any(processes.running(self.server(cluster, member).name) for member in members(cluster))
        name = f"database-{get_region()}-{cluster['DBClusterIdentifier']}"
        return Ports(self.home).claim(name, hosts=self.home.addresses, held=held)

    def _parameters(self, cluster: Record, instance: Record) -> dict[str, str]:
        groups = [cluster_parameter_groups.get(cluster["DBClusterParameterGroup"])]
        groups += [
            instance_parameter_groups.get(group["DBParameterGroupName"])
            for group in instance["DBParameterGroups"]
        ]
        return {name: value for group in groups for name, value in group_values(group).items()}


def _serve(server: Postgres) -> None:
    """Start ``server`` with its configuration, the addresses included."""
    server.start()
    if server.query("SHOW listen_addresses") != server.listen_addresses:
        server.stop()
        server.start()
    server.reload()


def members(cluster: Record) -> list[Record]:
    """The instances of ``cluster``, its writer first."""
    order = sorted(cluster["DBClusterMembers"], key=lambda member: not member["IsClusterWriter"])
    return [instances[member["DBInstanceIdentifier"]] for member in order]


def publish(cluster: Record, port: int, home: Home) -> None:
    """Write the endpoints of ``cluster``, which the emulator rewrites whenever any cluster's members change."""
    writer, reader, *_ = home.addresses
    cluster |= {"Endpoint": writer, "ReaderEndpoint": reader, "Port": port, "_shared_endpoint": None}
    for instance in members(cluster):
        instance["Endpoint"]["Port"] = port


def group_values(group: Record | None) -> dict[str, str]:
    """The values a user gave to a parameter group; none for a default group, which is not kept."""
    parameters = group.get("Parameters", {}) if group else {}
    return {
        name: value["ParameterValue"] if isinstance(value, dict) else value
        for name, value in parameters.items()
    }


def check_version(params: Params) -> None:
    """Refuse a version of another major than the engine's."""
    version = one(params, "EngineVersion")
    if version and version.partition(".")[0] != str(MAJOR):
        raise RefusedError(
            "InvalidParameterCombination",
            f"EngineVersion is {version}: the engine here is PostgreSQL {MAJOR}, so give a version of that major.",
        )
