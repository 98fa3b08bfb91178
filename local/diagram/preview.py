"""The graph of a stack as the real engine previews it on the in-process providers."""

import functools

from local.attached import temporary_aws
from local.console import Console
from local.diagram.graph import Graph, from_preview
from local.home import REPOSITORY
from local.pulumi.engine import EngineError, build_engine, find_engine, version_of
from local.pulumi.stack import Stack


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
        place = functools.partial(
            Stack, engine=engine, endpoint=aws.endpoint, folder=aws.home.folder("diagram")
        )
        if primary := place(stack).primary:
            with console.step(f"{primary}, which {stack} follows"):
                place(primary).up()
        with console.step(f"preview of {stack}"):
            preview = place(stack).previewed_json()
    return from_preview(preview, stack=stack, engine=".".join(map(str, version_of(engine))))
