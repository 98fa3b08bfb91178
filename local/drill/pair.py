"""Two regions that stand for each other, the name that clients call, and the command that moves it."""

import asyncio
import json
import os
import ssl
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import aiohttp

from local import tls
from local.aws.emulator import ACCOUNT, Aws
from local.balancer import Balancer
from local.drill.door import Door
from local.drill.region import Region
from local.home import LOOPBACK, REPOSITORY, Home
from local.processes import Processes

_HOST, _ZONE = "api.vanta.example", "vanta.example"
# How often the name is looked up; a resolver of the Internet keeps an answer for up to a minute.
_LOOK_SECONDS = 0.2


class DrillError(Exception):
    """The drill itself could not go on; the message says where."""


class Pair:
    """The regions by stack, and :attr:`name`, a balancer that leads where Route 53 would."""

    def __init__(self, home: Home, regions: Mapping[str, Region], name: Balancer, key: str) -> None:
        self.home, self.regions, self.name, self.key = home, regions, name, key
        #: Each region's own load balancer.
        self.own: dict[str, Balancer] = {}
        self._first, _ = regions.values()
        # What can be cut of it: the way in, and the way to AWS there, by which operators look.
        self._way_in = Door(LOOPBACK[0], self._first.port)
        aws = Aws(home)
        self._way_to_aws = Door(home.addresses[0], aws.port, whose=f"/{self._first.region}/".encode())
        self._outputs = home.folder("drill", "outputs")
        self._checks: dict[str, str] = {}

    async def publish(self, stack: AsyncExitStack) -> None:
        """Give each region a host of its own, both together a name, and save what recovery reads of them."""
        files = tls.ensure(self.home)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(files.certificate, files.key)
        for door in (self._way_in, self._way_to_aws):
            await stack.enter_async_context(door)
        self._route53 = self._first.client("route53")
        zone = self._route53.create_hosted_zone(Name=_ZONE, CallerReference=_ZONE)["HostedZone"]["Id"]
        zone = zone.removeprefix("/hostedzone/")
        for name, region in self.regions.items():
            own = await stack.enter_async_context(Balancer(tls=context))
            own.point_to(self._port(region))
            self.own[name] = own
            host = f"127.0.0.1:{own.port}"
            self._checks[name] = self._way(zone, name, host, primary=region is self._first)
            self.save(region, {"host": _HOST, "ownHost": host, "zoneId": zone})

    def save(self, region: Region, edge: Mapping[str, str]) -> None:
        """Save what recovery reads of the stack of ``region``."""
        (self._outputs / f"{region.name}.json").write_text(json.dumps(region.outputs(edge)))

    def _port(self, region: Region) -> int:
        """Where clients reach it."""
        return self._way_in.port if region is self._first else region.port

    def _way(self, zone: str, name: str, host: str, *, primary: bool) -> str:
        check = self._route53.create_health_check(
            CallerReference=name, HealthCheckConfig={"Type": "HTTPS", "FullyQualifiedDomainName": host}
        )["HealthCheck"]["Id"]
        record = {
            "Name": _HOST,
            "Type": "A",
            "SetIdentifier": name,
            "Failover": "PRIMARY" if primary else "SECONDARY",
            "HealthCheckId": check,
            "TTL": 60,
            "ResourceRecords": [{"Value": "127.0.0.1"}],
        }
        self._route53.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        )
        return check

    async def resolve(self) -> None:
        """Lead the name where the records say, for ever: away from the primary once its check is closed."""
        primary, secondary = self.regions.values()
        while True:
            check = await asyncio.to_thread(
                self._route53.get_health_check, HealthCheckId=self._checks[primary.name]
            )
            closed = check["HealthCheck"]["HealthCheckConfig"].get("Inverted", False)
            self.name.point_to(self._port(secondary if closed else primary))
            await asyncio.sleep(_LOOK_SECONDS)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of an operator."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://{LOOPBACK[0]}:{self._way_to_aws.port}",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "any",
            "SSL_CERT_FILE": str(tls.ensure(self.home).ca),
        }

    async def dr(self, command: str, to: str, *more: str) -> dict[str, Any] | str:
        """What ``python -m app dr`` answers, or the sentence with which it refuses."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "dr", command, "--to", to, "--json"),
            *("--outputs", str(self._outputs), *more),
            cwd=REPOSITORY,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode:
            return (err.decode().strip().splitlines() or ["no reason given"])[-1]
        return json.loads(out)

    def connector(self) -> aiohttp.TCPConnector:
        """What trusts the regions' own hosts."""
        return aiohttp.TCPConnector(
            ssl=ssl.create_default_context(cafile=tls.ensure(self.home).ca), force_close=True
        )

    async def cut(self) -> None:
        """Cut off the first region, which lives: from clients, from its standby, and AWS there from operators."""
        self._way_in.cut()
        self._way_to_aws.cut()
        await self._first.refuse_followers()

    def mend(self) -> None:
        """Let the first region be reached again, if it was cut off."""
        self._way_in.mend()
        self._way_to_aws.mend()

    def revive(self) -> None:
        """Let RDS start the engines of a region that is back: its database gets everything anew."""
        Aws(self.home).revive()

    async def ready(self, stack: str, seconds: float = 60) -> None:
        """Wait until the API of ``stack`` takes writes, and clients are led to one that does."""
        try:
            async with asyncio.timeout(seconds):
                while not (self.own[stack].ready and self.name.ready):  # noqa: ASYNC110 - the balancer sets no event
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise DrillError(f"The API of {stack} takes no writes after {seconds:g} s.") from None


@asynccontextmanager
async def pair(home: Home) -> AsyncGenerator[Pair]:
    """Regions ``west``, which leads, and ``central`` in ``home``; everything is stopped after the block."""
    aws = Aws(home)
    async with AsyncExitStack() as stack:
        stack.callback(_stop, home)
        aws.start()
        west, central = Region(aws, "west", "eu-west-1"), Region(aws, "central", "eu-central-1")
        west.create()
        west.lead()
        central.follow(west)
        for region in (west, central):
            region.prepare()
        key = west.migrate()
        for region in (west, central):
            region.serve()
        name = await stack.enter_async_context(Balancer())
        made = Pair(home, {region.name: region for region in (west, central)}, name, key)
        await made.publish(stack)
        resolving = asyncio.create_task(made.resolve())
        stack.push_async_callback(_cancel, resolving)
        await made.ready("west")
        yield made


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _stop(home: Home) -> None:
    processes = Processes(home)
    processes.stop_all()
    processes.stop_orphans()
