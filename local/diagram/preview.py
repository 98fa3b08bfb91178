"""The graph of a stack as the real engine previews it on the in-process providers."""

from pathlib import Path
from typing import TypedDict

from local.attached import temporary_aws
from local.console import Console
from local.diagram.graph import Graph, from_preview
from local.home import REPOSITORY
from local.pulumi.engine import EngineError, build_engine, find_engine, version_of
from local.pulumi.stack import Stack


class Place(TypedDict):
    """Where a stack is run; as the arguments of :class:`Stack`."""

    engine: Path
    endpoint: str
    folder: Path


def graph_of(stack: str, console: Console) -> Graph:
    """Preview ``stack`` in an emulator of its own and return its graph; steps are shown on ``console``.

    Raises:
        EngineError: there is no such stack, or the program refused its configuration.
    """
    known = sorted(path.name.split(".")[1] for path in REPOSITORY.glob("Pulumi.*.yaml"))
    if stack not in known:
        raise EngineError(
            f"--stack is {stack} but there is no Pulumi.{stack}.yaml. Use one of {', '.join(known)}, or write that file."
        )
    with console.step("pulumi engine") as step:
        engine = find_engine() or build_engine(lambda done, total: step.report("compiling", done, total))
    with temporary_aws() as aws:
        place: Place = {"engine": engine, "endpoint": aws.endpoint, "folder": aws.home.folder("diagram")}
        if primary := Stack(stack, **place).primary:
            with console.step(f"{primary}, which {stack} follows"):
                Stack(primary, **place).up()
        with console.step(f"preview of {stack}"):
            return previewed(stack, **place)


def previewed(stack: str, *, engine: Path, endpoint: str, folder: Path) -> Graph:
    """The graph of what ``stack`` would create where it has nothing yet; arguments as of :class:`Stack`."""
    preview = Stack(stack, folder=folder, engine=engine, endpoint=endpoint).previewed_json()
    return from_preview(preview, stack=stack, engine=".".join(map(str, version_of(engine))))
