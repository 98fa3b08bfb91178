"""The whole platform on one machine: up, down, and what runs."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import api
from local.aws.client import client
from local.aws.emulator import Aws
from local.console import Console, Step
from local.digest import digest
from local.environment import app_environment, mount_secrets
from local.home import FOLDER, REPOSITORY, Home, write
from local.ports import Ports
from local.processes import Process, Processes
from local.pulumi.engine import VERSION, build_engine, find_engine
from local.usage import usage

# Holds the digest of what the last complete `up` was made from.
SETTLED = "settled"
# The outputs of the last complete `up`, written before that digest.
_OUTPUTS = "outputs.json"
# The databases, the emulator and their logs; the engine's build needs more and says so itself.
_FREE_BYTES = 1 << 30


class PlatformError(Exception):
    """The platform could not come up; one sentence with its remedy."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What `up` leaves: the API's URL, the file with a tenant's key, the endpoints, and whether anything was changed."""

    url: str
    key_file: Path
    outputs: dict[str, Any]
    changed: bool
    seconds: float


class Platform:
    """The platform of one checkout.

    Args:
        console: where progress is shown.
        root: the home folder; ``.vanta`` of this checkout unless a test says otherwise.
    """

    def __init__(self, console: Console, root: Path = REPOSITORY / FOLDER) -> None:
        self._console = console
        self._root = root

    def up(self) -> Summary:
        """Bring everything up, or repair what is down; does nothing to what is as it should be.

        Raises:
            PlatformError: it cannot; and the errors of the engine, the stack, the processes and the emulator.
        """
        started = time.monotonic()
        self._check_disk()
        home = Home.at(self._root)
        with home.alone(PlatformError("Another `make up` of this checkout is running: wait for it to end.")):
            engine = self._engine()
            self._forget_unfinished(home)
            emulator = self._emulator(home)
            outputs, changed = self._stack(home, engine, emulator.endpoint)
            environment = self._environment(home, outputs, emulator.endpoint)
            served = api.serve(home, environment, self._console)
            return Summary(
                url=api.url(environment),
                key_file=home.root / "api-key",
                outputs=outputs,
                changed=changed or served,
                seconds=time.monotonic() - started,
            )

    def down(self) -> int:
        """Stop every process of this checkout, remove the home folder and return how many processes there were."""
        home = Home(root=self._root.resolve())
        processes = Processes(home)
        with self._console.step("stop processes") as step:
            recorded = [process for process in processes.all() if process.handle()]
            for process in sorted(recorded, key=_stop_order):
                step.report(process.command.name, 0, 0)
                processes.stop(process.command.name)
            count = len(recorded) + processes.stop_orphans()
            step.outcome = f"{count} stopped"
        with self._console.step("remove state") as step:
            shutil.rmtree(home.root, ignore_errors=True)
            step.outcome = FOLDER
        return count

    def status(self) -> dict[str, Any]:
        """What runs: per process its pid, resident bytes and CPU seconds; the URL once it is known."""
        if not self._root.exists():
            return {"processes": {}, "url": None}
        home = Home.at(self._root)
        port = Ports(home).all().get(api.NAME)
        return {
            "processes": usage(Processes(home)),
            "url": f"http://127.0.0.1:{port}" if port else None,
        }

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self._root.parent).free
        if free < _FREE_BYTES:
            raise PlatformError(
                f"{self._root.parent} has {free >> 20} MiB free and the platform needs {_FREE_BYTES >> 20}: free some space."
            )

    def _engine(self) -> Path:
        with self._console.step("pulumi engine") as step:
            found = find_engine()
            if found is not None:
                step.outcome = str(found).replace(str(Path.home()), "~")
                return found
            self._console.say(
                f"  no pulumi here: building {VERSION} from its Go modules, once, in about 6 minutes"
            )
            engine = build_engine(lambda done, total: step.report("compiling", done, total))
            step.outcome = "built"
            return engine

    def _forget_unfinished(self, home: Home) -> None:
        """Start over when the very first `up` was killed: half of what it made is known to nobody."""
        # Whoever deletes the digest asks for another `up`, and not for an empty database.
        ended = any((home.root / name).exists() for name in (SETTLED, _OUTPUTS))
        if ended or not (home.root / "stack").exists():
            return
        with self._console.step("clean up") as step:
            processes = Processes(home)
            processes.stop_all()
            processes.stop_orphans()
            for path in home.root.iterdir():
                if path.name not in ("lock", "locks", "tls"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            step.outcome = "an earlier `make up` was interrupted before it ended; started over"

    def _emulator(self, home: Home) -> Aws:
        """Start the emulator and every engine that it should have running."""
        with self._console.step("aws emulator") as step:
            dead = [
                p.command.name
                for p in Processes(home).all()
                if p.handle() is None and p.command.name != api.NAME
            ]
            emulator = Aws(home)
            emulator.start()
            emulator.revive()
            step.outcome = f"{emulator.endpoint}{', revived ' + ', '.join(dead) if dead else ''}"
            return emulator

    def _stack(self, home: Home, engine: Path, endpoint: str) -> tuple[dict[str, Any], bool]:
        """The stack's outputs, and whether anything was changed to have them."""
        settled, saved = home.root / SETTLED, home.root / _OUTPUTS
        with self._console.step("pulumi up") as step:
            before = json.loads(saved.read_text()) if saved.exists() else None
            exchanged = before is not None and _exchanged(before, endpoint)
            as_it_was = settled.exists() and settled.read_text() == _declared(home)
            if before is not None and as_it_was and not exchanged:
                step.outcome = "the program, its configuration and the stack's state are as they were"
                return before, False
            # The SDKs take seconds to import, and a run that changes nothing needs none of them.
            from local.pulumi.stack import Stack  # noqa: PLC0415

            stack = Stack("local", folder=home.folder("stack"), engine=engine, endpoint=endpoint)
            recovered = stack.interrupted()
            if recovered:
                stack.recover()
            elif exchanged:
                # Of what `up` finds unchanged it keeps the outputs, among them where the password was.
                stack.refresh()
            change = stack.up(on_event=_Following(step))
            if exchanged:
                # Before the outputs are kept, so that an interrupted one is found again.
                self._leave_past(home, change.outputs, endpoint)
            write(saved, json.dumps(change.outputs))
            write(settled, _declared(home))
            counts = ", ".join(f"{count} {kind}" for kind, count in sorted(change.operations.items()))
            told = ["recovered from an interruption"] if recovered else []
            told += ["took over the database that `dr swap` put in place"] if exchanged else []
            step.outcome = "; ".join([*told, counts])
            return change.outputs, change.changed or exchanged

    def _leave_past(self, home: Home, outputs: Mapping[str, Any], endpoint: str) -> None:
        """Let the cache forget what the exchanged database never had, before anybody is served from it."""
        environment = self._environment(home, outputs, endpoint)
        # The restored database has the schema and the app's login of its time.
        api.run(environment, "migrate")
        api.run(environment, "dr", "new-timeline")

    def _environment(self, home: Home, outputs: Mapping[str, Any], endpoint: str) -> dict[str, str]:
        secrets = mount_secrets(home, outputs["appSecrets"], endpoint, outputs["region"])
        port = Ports(home).claim(api.NAME, held=Processes(home).running(api.NAME) is not None)
        environment = app_environment(home, outputs, endpoint, secrets=secrets, port=port)
        lines = (f"export {name}={value!r}\n" for name, value in sorted(environment.items()))
        write(home.root / "environment", "".join(lines))
        return environment


if TYPE_CHECKING:
    from pulumi.automation import EngineEvent


class _Following:
    """Shows the engine's events as progress of one step."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._seen = 0
        self._done = 0

    def __call__(self, event: "EngineEvent") -> None:
        if event.resource_pre_event:
            self._seen += 1
        if event.res_outputs_event:
            self._done += 1
            name = event.res_outputs_event.metadata.urn.split("::")[-1]
            self._step.report(name, self._done, max(self._seen, self._done))


def _stop_order(process: Process) -> int:
    """Clients before servers, so that nothing logs the loss of what is being stopped on purpose."""
    return 0 if process.command.name == api.NAME else 1


def _exchanged(outputs: Mapping[str, Any], endpoint: str) -> bool:
    """Whether RDS keeps the master user's password elsewhere than ``outputs`` say: another cluster took the name."""
    clusters = client("rds", endpoint, outputs["region"]).describe_db_clusters()["DBClusters"]
    kept = {cluster["DBClusterIdentifier"]: cluster.get("MasterUserSecret") for cluster in clusters}
    # Half way through an exchange nothing has the name, or keeps no password yet: repeating `dr swap` mends that.
    found = kept.get(outputs["databaseIdentifier"])
    return bool(found) and found["SecretArn"] != outputs["databaseMasterSecretArn"]


def _declared(home: Home) -> str:
    """A digest of all that an update is made from: program, providers, configuration, packages, and the state before it."""
    tracked = [
        REPOSITORY / name
        for name in ("infra", "local/provider", "Pulumi.yaml", "Pulumi.local.yaml", "uv.lock")
    ]
    return digest(*tracked, home.root / "stack" / "state" / ".pulumi" / "stacks")
