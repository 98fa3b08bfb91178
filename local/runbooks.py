"""Runbooks as data: ``docs/runbooks/*.yaml``, and the Markdown beside each, which ``python -m local.runbooks`` writes.

A step is one command. A test runs every step of every runbook against the platform of one machine.
"""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from local.home import REPOSITORY

FOLDER = REPOSITORY / "docs" / "runbooks"
_TEXT = Annotated[str, msgspec.Meta(min_length=1)]
_NAME = r"[a-z_]+"
_VARIABLE = re.compile(rf"\$({_NAME})")
_PROGRAMS = (("python", "-m", "app"), ("python", "-m", "local"), ("pulumi",), ("aws",))


class RunbookError(Exception):
    """A runbook cannot be used; the message names it and says why."""


class Variable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What whoever follows the runbook has to know: what it ``means``, and an ``example``."""

    means: _TEXT
    example: _TEXT


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command: ``run``, by the operator or in a pod of the stack in variable ``pod``.

    What it prints becomes variable ``keep``; ``refused`` says what to do when it does not succeed.
    """

    title: _TEXT
    why: _TEXT
    run: _TEXT
    pod: str = ""
    keep: Annotated[str, msgspec.Meta(pattern=rf"^({_NAME})?$")] = ""
    refused: str = ""


class Runbook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do ``when`` something is so, what that ``loses``, and what is ``left`` to do after it."""

    title: _TEXT
    version: Annotated[int, msgspec.Meta(ge=1)]
    when: _TEXT
    loses: _TEXT
    variables: dict[str, Variable]
    steps: Annotated[list[Step], msgspec.Meta(min_length=1)]
    left: list[_TEXT]

    def __post_init__(self) -> None:
        """Refuse a step that runs something else than our commands, or uses what nobody has given."""
        known = set(self.variables)
        for step in self.steps:
            words = tuple(shlex.split(step.run))
            if not any(words[: len(program)] == program for program in _PROGRAMS):
                raise ValueError(f'step "{step.title}" runs none of app, local, pulumi and aws')
            used = {*_VARIABLE.findall(step.run), *([step.pod] if step.pod else [])}
            if unknown := used - known:
                raise ValueError(f'step "{step.title}" uses ${min(unknown)}, which nothing gives')
            known |= {step.keep} if step.keep else set()


def load(path: Path) -> Runbook:
    """The runbook in ``path``.

    Raises:
        RunbookError: it is none.
    """
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Runbook)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise RunbookError(f"{path.name}: {error}") from None


def command(step: Step, values: Mapping[str, str]) -> list[str]:
    """The words of ``step`` with ``values`` for its variables."""
    return [_VARIABLE.sub(lambda found: values[found[1]], word) for word in shlex.split(step.run)]


def markdown(runbook: Runbook, name: str) -> str:
    """What people read; ``name`` is that of the data."""
    lines = [
        f"# {runbook.title}",
        "",
        f"Version {runbook.version}, written from `{name}` by `python -m local.runbooks`: edit that file.",
        "",
        f"**When:** {runbook.when.strip()}",
        "",
        f"**It loses:** {runbook.loses.strip()}",
    ]
    lines += [
        "",
        "Say first, where the repository is:",
        "",
        "    PATH=$PWD/.venv/bin:$PATH    # `make setup` makes it",
    ]
    if runbook.variables:
        lines += [
            f"    {variable}={about.example}    # {about.means}"
            for variable, about in runbook.variables.items()
        ]
    for number, step in enumerate(runbook.steps, start=1):
        lines += ["", f"## {number}. {step.title}", "", step.why.strip(), "", f"    {_shell(step)}"]
        if step.refused:
            lines += ["", f"If it does not succeed: {step.refused.strip()}"]
    if runbook.left:
        lines += ["", "## What is left to do", "", *(f"- {item.strip()}" for item in runbook.left)]
    return "\n".join(lines) + "\n"


def _shell(step: Step) -> str:
    run = " ".join(step.run.split())
    if step.pod:
        run = f'kubectl --context "${step.pod}" --namespace vanta exec deployment/state-api -- {run}'
    return f"{step.keep}=$({run})" if step.keep else run


def main() -> None:
    """Write the Markdown of each."""
    for path in sorted(FOLDER.glob("*.yaml")):
        path.with_suffix(".md").write_text(markdown(load(path), path.name))


if __name__ == "__main__":
    main()
