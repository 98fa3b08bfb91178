"""The stacks that stand for each other, as their outputs say; docs/reference/outputs.md describes these."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from app.recovery.errors import LostError, RecoveryError

PULUMI_SECONDS = 30


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """What recovery needs of a stack; ``own_host`` and what else belongs to an edge are empty without one."""

    name: str
    region: str
    account: str
    global_cluster: str
    database: str
    archive_bucket: str
    audit_bucket: str
    kubernetes: str
    host: str
    own_host: str
    zone_id: str

    @classmethod
    def of(cls, name: str, outputs: Mapping[str, Any]) -> "Stack":
        """The stack of ``outputs``.

        Raises:
            RecoveryError: one is missing.
        """
        try:
            edge = outputs["edge"]
            return cls(
                name=name,
                region=outputs["region"],
                account=outputs["accountId"],
                global_cluster=outputs["globalClusterIdentifier"],
                database=outputs["databaseIdentifier"],
                archive_bucket=outputs["archiveBucket"],
                audit_bucket=outputs["auditBucket"],
                kubernetes=outputs["clusterName"],
                host=edge.get("host", ""),
                own_host=edge.get("ownHost", ""),
                zone_id=edge.get("zoneId", ""),
            )
        except KeyError as missing:
            raise RecoveryError(
                f"Stack {name} has no output {missing}: run `pulumi up --stack {name}` with this version first."
            ) from None


class Source(Protocol):
    """Where outputs come from."""

    def names(self) -> list[str]:
        """The stacks that are known."""
        ...

    def outputs(self, name: str) -> Mapping[str, Any]:
        """The outputs of one.

        Raises:
            RecoveryError: there is no such stack, or it cannot be asked.
        """
        ...


class Saved:
    """Outputs in files ``<stack>.json`` of ``folder``, for when Pulumi's backend is lost as well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """The files there are."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def outputs(self, name: str) -> Mapping[str, Any]:
        """What the file of ``name`` says."""
        path = self._folder / f"{name}.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except OSError as error:
            raise RecoveryError(
                f"{path} cannot be read ({error.strerror}): "
                f"write it with `pulumi stack output --json --stack {name} > {path}`."
            ) from None
        except msgspec.DecodeError as error:
            raise RecoveryError(
                f"{path} is no JSON object ({error}): write it again with `pulumi stack output --json`."
            ) from None


class Pulumi:
    """Outputs as ``pulumi`` has them; it is run in the current folder."""

    def names(self) -> list[str]:
        """The stacks of the project."""
        return [stack["name"] for stack in msgspec.json.decode(pulumi("stack", "ls", "--json"))]

    def outputs(self, name: str) -> Mapping[str, Any]:
        """What ``pulumi stack output`` shows."""
        return msgspec.json.decode(pulumi("stack", "output", "--json", "--stack", name), type=dict[str, Any])


def pulumi(*arguments: str, seconds: float = PULUMI_SECONDS) -> str:
    """What ``pulumi`` prints.

    Raises:
        LostError: it is not here, failed, or did not answer in time.
    """
    command = ["pulumi", *arguments, "--non-interactive"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        raise LostError(
            "There is no `pulumi` on PATH: install it, or give saved outputs with --outputs."
        ) from None
    except subprocess.TimeoutExpired:
        raise LostError(
            f"`pulumi {arguments[0]}` did not answer in {seconds:.0f} s: give saved outputs with --outputs."
        ) from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LostError(
            f"`pulumi {arguments[0]}` failed ({reason}): mend it, or give saved outputs with --outputs."
        )
    return done.stdout


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to take over, and from whom."""

    target: Stack
    other: Stack

    @classmethod
    def find(cls, name: str, source: Source) -> "Pair":
        """Stack ``name`` and the one that shares its global cluster.

        Raises:
            RecoveryError: there is no such stack, or not exactly one that it could take over from.
        """
        target = Stack.of(name, source.outputs(name))
        if not target.global_cluster:
            raise RecoveryError(
                f"Stack {name} belongs to no global cluster, so it stands by for nobody: give --to a stack that does."
            )
        every = (Stack.of(other, source.outputs(other)) for other in source.names() if other != name)
        others = [stack for stack in every if stack.global_cluster == target.global_cluster]
        if len(others) != 1:
            found = ", ".join(stack.name for stack in others) or "none"
            raise RecoveryError(
                f"Stack {name} takes over from one other stack of global cluster {target.global_cluster}, "
                f"and the known ones are: {found}."
            )
        if others[0].region == target.region:
            raise RecoveryError(
                f"Stacks {name} and {others[0].name} are both in {target.region}: nothing is won by moving there."
            )
        return cls(target=target, other=others[0])
