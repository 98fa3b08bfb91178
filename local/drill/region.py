"""One region of the drill: a database cluster, a cache, a process of the state API, and the buckets of its stack."""

import asyncio
import resource
import signal
import ssl
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import psutil

from local import api, tls
from local.aws.emulator import ACCOUNT, Aws
from local.balancer import Balancer
from local.home import LOOPBACK, REPOSITORY
from local.ports import Ports
from local.processes import Command, Process, ProcessError, Processes
from local.redis import Redis

GLOBAL, DATABASE, MASTER = "drill", "vanta", "vanta"
# The first line that matches decides (PostgreSQL, "The pg_hba.conf File").
_NO_FOLLOWER = "hostssl replication all all reject\n"
# They guard nothing: all of it is gone after the drill.
_PASSWORD, _TOKEN = "a-password-of-this-drill", "a-token-of-this-drill-alone"


class Region:
    """Stack ``name`` in ``region``, on the emulator ``aws``."""

    def __init__(self, aws: Aws, name: str, region: str) -> None:
        self.name, self.region = name, region
        self.cluster = f"{GLOBAL}-{name}"
        self._database = f"postgres-{region}-{self.cluster}-0"
        self._aws = aws
        self._processes = Processes(aws.home)
        self._rds = self.client("rds")
        self._ports = Ports(aws.home)
        self.port = self._ports.claim(f"api-{name}")
        self._cache = Redis(
            home=aws.home,
            folder=aws.home.folder("caches", name),
            name=f"redis-{name}",
            host=LOOPBACK[0],
            port=self._ports.claim(f"redis-{name}"),
        )

    def client(self, service: str) -> Any:
        """A client of AWS here."""
        import boto3  # noqa: PLC0415 - it takes half a second, and who asks for help needs it not

        return boto3.client(
            service,
            endpoint_url=self._aws.endpoint,
            region_name=self.region,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="any",  # noqa: S106 - the emulator checks no signature
        )

    def create(self) -> None:
        """Make a database."""
        self._rds.create_db_cluster(
            DBClusterIdentifier=self.cluster,
            Engine="aurora-postgresql",
            MasterUsername=MASTER,
            MasterUserPassword=_PASSWORD,
            DatabaseName=DATABASE,
        )
        self._member()

    def lead(self) -> None:
        """Let the database lead a global cluster."""
        self._rds.create_global_cluster(
            GlobalClusterIdentifier=GLOBAL, SourceDBClusterIdentifier=self._described["DBClusterArn"]
        )

    def follow(self, leader: "Region") -> None:
        """Make a database that follows the one of ``leader``."""
        self._rds.create_db_cluster(
            DBClusterIdentifier=self.cluster,
            Engine="aurora-postgresql",
            GlobalClusterIdentifier=GLOBAL,
            SourceRegion=leader.region,
        )
        self._member()

    def _member(self) -> None:
        self._rds.create_db_instance(
            DBInstanceIdentifier=f"{self.cluster}-0",
            DBClusterIdentifier=self.cluster,
            Engine="aurora-postgresql",
            DBInstanceClass="db.r8g.large",
        )

    @property
    def _described(self) -> dict[str, Any]:
        return self._rds.describe_db_clusters(DBClusterIdentifier=self.cluster)["DBClusters"][0]

    def prepare(self) -> None:
        """Make the buckets, the secrets and the cache, and look up where the database answers."""
        for kind in ("archive", "audit"):
            self.client("s3").create_bucket(
                Bucket=self._bucket(kind), CreateBucketConfiguration={"LocationConstraint": self.region}
            )
        secrets = self._aws.home.folder("secrets", self.name)
        for name, content in {
            "database-master": {"username": MASTER, "password": _PASSWORD},
            "database-app": {"username": "vanta_app", "password": _PASSWORD},
            "cache": {"authToken": _TOKEN},
        }.items():
            (secrets / name).write_bytes(msgspec.json.encode(content))
        self._cache.configure(tokens=[_TOKEN], parameters={"maxmemory-policy": "volatile-lfu"})
        described, ca = self._described, str(tls.ensure(self._aws.home).ca)
        self.environment = {
            "VANTA_DATABASE_HOST": described["Endpoint"],
            "VANTA_DATABASE_PORT": str(described["Port"]),
            "VANTA_DATABASE_NAME": DATABASE,
            "VANTA_DATABASE_CA": ca,
            "VANTA_CACHE_HOST": self._cache.host,
            "VANTA_CACHE_PORT": str(self._cache.port),
            "VANTA_CACHE_CA": ca,
            "VANTA_SECRETS_DIR": str(secrets),
            "VANTA_LISTEN_HOST": LOOPBACK[0],
            "VANTA_LISTEN_PORT": str(self.port),
            "VANTA_DRAIN_SECONDS": "0",
        }

    def migrate(self) -> str:
        """Migrate the database, which must lead, and return the key of a first tenant."""
        api.run(self.environment, "migrate")
        return api.first_key(self.environment)

    def forget(self) -> None:
        """Let the cache forget a past that the database has given up, as `failback` does in a pod where there are pods."""
        api.run(self.environment, "dr", "new-timeline")

    def serve(self) -> None:
        """Start the cache and the API if they do not run."""
        self._cache.start()
        if not self._processes.running(f"api-{self.name}"):
            self._processes.start(
                Command(
                    name=f"api-{self.name}",
                    argv=[sys.executable, "-m", "app", "serve"],
                    cwd=REPOSITORY,
                    environment=self.environment,
                )
            )

    def end(self) -> None:
        """End the API in order."""
        self._processes.stop(f"api-{self.name}")

    async def ready(self, seconds: float = 60) -> None:
        """Wait until the API says that it takes writes."""
        async with asyncio.timeout(seconds), Balancer() as asking:
            asking.point_to(self.port)
            while not asking.ready:  # noqa: ASYNC110 - the balancer sets no event
                await asyncio.sleep(0.05)

    def outputs(self, edge: Mapping[str, str]) -> dict[str, Any]:
        """What recovery reads of a stack whose clients come in by ``edge``; without one it stands by for nobody."""
        return {
            "region": self.region,
            "accountId": ACCOUNT,
            "globalClusterIdentifier": GLOBAL if edge else "",
            "databaseIdentifier": self.cluster,
            "archiveBucket": self._bucket("archive"),
            "auditBucket": self._bucket("audit"),
            "clusterName": "",
            "edge": edge,
        }

    def _bucket(self, kind: str) -> str:
        return f"{GLOBAL}-{kind}-{self.name}"

    def signal(self, number: signal.Signals) -> None:
        """Send ``number`` to everything here at once, as to a machine."""
        _send(self._own(), number)

    def fill(self) -> None:
        """Let the database's processes, and those that they start, write to no file: its disk is full for good."""
        handle = self.database().handle()
        for member in [handle, *handle.children(recursive=True)] if handle else []:
            with suppress(ProcessLookupError):
                resource.prlimit(member.pid, resource.RLIMIT_FSIZE, (0, 0))

    async def refuse_followers(self) -> None:
        """Let nobody receive what the database writes until :meth:`power_up`; it runs on."""
        rules = _rules(self.database())
        rules.write_text(_NO_FOLLOWER + rules.read_text())
        begun = await self._ask("select pg_conf_load_time() from pg_reload_conf()")
        # The postmaster reads the rules when it has time, and a new connection has what it has read.
        while await self._ask("select pg_conf_load_time()") == begun:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.01)
        await self._ask("select count(pg_terminate_backend(pid, 5000)) from pg_stat_replication")

    async def _ask(self, sql: str) -> object:
        connection = await self.connect()
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    def database(self) -> Process:
        """What runs as the database, or last did."""
        process = self._processes.get(self._database)
        if process is None:
            raise ProcessError(f"The database of {self.name} was never started.")
        return process

    def receiver(self) -> psutil.Process:
        """The process of the database that receives what its leader has written."""
        handle = self.database().handle()
        family = handle.children(recursive=True) if handle else []
        return next(child for child in family if "walreceiver" in " ".join(child.cmdline()))

    def _own(self) -> list[Process]:
        names = (f"api-{self.name}", f"redis-{self.name}", f"redis-{self.name}-tls", self._database)
        return [process for name in names if (process := self._processes.get(name))]

    async def connect(self) -> asyncpg.Connection:
        """A connection to the database as its master, who needs neither a role nor a leader."""
        return await asyncpg.connect(
            host=self.environment["VANTA_DATABASE_HOST"],
            port=int(self.environment["VANTA_DATABASE_PORT"]),
            user=MASTER,
            password=_PASSWORD,
            database=DATABASE,
            ssl=ssl.create_default_context(cafile=tls.ensure(self._aws.home).ca),
            timeout=5,
        )

    def power_up(self, database: Process) -> None:
        """Start everything as it was started before, the ``database`` with its old command: nobody here knows of a loss."""
        # Where nobody reaps the dead, PostgreSQL takes one for a server that runs.
        Path(database.command.argv[-1], "postmaster.pid").unlink(missing_ok=True)
        rules = _rules(database)
        rules.write_text(rules.read_text().removeprefix(_NO_FOLLOWER))
        if not self._processes.running(database.command.name):
            self._processes.start(database.command)
        self.serve()


def _rules(database: Process) -> Path:
    return Path(database.command.argv[-1], "pg_hba.conf")


def _send(processes: Iterable[Process], number: signal.Signals) -> None:
    for handle in filter(None, (process.handle() for process in processes)):
        for member in [handle, *handle.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(number)
