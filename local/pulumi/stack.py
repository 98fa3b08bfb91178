"""One stack of the program, run by the real engine with the in-process providers attached."""

import gc
import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto
from pulumi.automation import CommandError, EngineEvent, OpType
from semver import VersionInfo

from infra import settings
from infra.program import program
from infra.reference import configuration_schema
from infra.refusal import SettingsError
from local.aws.emulator import ACCOUNT
from local.home import REPOSITORY, write
from local.provider.aws.provider import AwsProvider
from local.provider.kubernetes.provider import KubernetesProvider
from local.provider.random import RandomProvider
from local.provider.server import serving
from local.pulumi.engine import EngineError, version_of

PROJECT = "vanta"

OnEvent = Callable[[EngineEvent], None]


@dataclass(frozen=True)
class Change:
    """How many resources an operation did what to, e.g. ``{"create": 54}``, and the stack's outputs after it."""

    operations: dict[str, int]
    outputs: dict[str, Any]

    @property
    def changed(self) -> bool:
        """Whether anything differs from before."""
        return any(count for kind, count in self.operations.items() if kind != "same")


class _Command(auto.PulumiCommand):
    """The engine wherever it lies; the SDK's own class looks only for ``bin/pulumi`` below a root."""

    def __init__(self, command: Path) -> None:
        self.command = str(command)
        self.version = VersionInfo(*version_of(command))


class Stack:
    """A stack whose state lies below ``folder``; the tracked configuration files are copied there, never written.

    Args:
        name: stack name, e.g. ``local``; its configuration is ``Pulumi.<name>.yaml``.
        folder: working folder: state, engine home, passphrase.
        engine: the engine's command, from :mod:`local.pulumi.engine`.
        endpoint: URL of the AWS emulator.
        config: values laid over those of the configuration file, e.g. ``{"vanta:database": {"readers": 2}}``.
        declare: what declares the resources; the whole platform unless said.
    """

    def __init__(
        self,
        name: str,
        *,
        folder: Path,
        engine: Path,
        endpoint: str,
        config: Mapping[str, Any] | None = None,
        declare: Callable[[], None] = program,
    ) -> None:
        self._name = name
        self._folder = folder
        self._engine = engine
        self._endpoint = endpoint
        self._config = config or {}
        self._declare = declare

    def up(self, on_event: OnEvent | None = None) -> Change:
        """Bring the stack to what the program declares.

        Raises:
            EngineError: the program refused its configuration, or a resource failed.
        """
        self._judge()
        with self._opened() as stack:
            result = stack.up(on_event=on_event, color="never", suppress_outputs=True)
            outputs = {name: output.value for name, output in result.outputs.items()}
            return Change(_counted(result), outputs)

    def preview(self, on_event: OnEvent | None = None) -> Change:
        """What :meth:`up` would do; changes nothing.

        Raises:
            EngineError: the program refused its configuration, or a resource failed.
        """
        self._judge()
        with self._opened() as stack:
            result = stack.preview(on_event=on_event, color="never")
            return Change({str(OpType(op).value): count for op, count in result.change_summary.items()}, {})

    def previewed_json(self) -> dict[str, Any]:
        """What ``pulumi preview --json`` prints: each resource with its parent and its dependencies, secrets masked.

        Raises:
            EngineError: the program refused its configuration, or a resource failed.
        """
        self._judge()
        with self._opened() as stack:
            return json.loads(stack.preview(json=True, color="never").stdout)

    def refresh(self) -> Change:
        """Bring the state to what exists."""
        with self._opened() as stack:
            result = stack.refresh(color="never", clear_pending_creates=True)
            return Change(_counted(result), {})

    def destroy(self, on_event: OnEvent | None = None) -> Change:
        """Remove everything that the stack made.

        Raises:
            EngineError: something of it is protected, and nothing was removed.
        """
        with self._opened() as stack:
            # As the CLI does: the engine itself removes what is not protected before it finds what is.
            stack.preview_destroy(color="never")
            result = stack.destroy(on_event=on_event, color="never")
            return Change(_counted(result), {})

    def interrupted(self) -> bool:
        """Whether an earlier operation was killed half way: it left a lock, or operations that never ended."""
        if list(self._folder.glob("state/.pulumi/locks/**/*.json")):
            return True
        state = self._folder / "state" / ".pulumi" / "stacks" / PROJECT / f"{self._name}.json"
        if not state.exists():
            return False
        return bool(json.loads(state.read_text())["checkpoint"]["latest"].get("pending_operations"))

    def recover(self) -> None:
        """Undo what a killed operation left: its lock, and its unfinished creations."""
        with self._opened() as stack:
            stack.cancel()
            stack.refresh(color="never", clear_pending_creates=True)

    @contextmanager
    def _opened(self) -> Generator[auto.Stack]:
        work = self._workspace()
        with serving(
            AwsProvider(self._endpoint, ACCOUNT), KubernetesProvider(), RandomProvider()
        ) as providers:
            options = auto.LocalWorkspaceOptions(
                work_dir=str(work),
                pulumi_home=str(self._folder / "engine"),
                pulumi_command=_Command(self._engine),
                env_vars=self._environment(providers),
            )
            try:
                stack = auto.create_or_select_stack(self._name, PROJECT, self._declare, opts=options)
                yield stack
            except CommandError as error:
                with _quiet_teardown():
                    failure = EngineError(_diagnostics(str(error)))
                    error.__traceback__ = None
                raise failure from None

    def _workspace(self) -> Path:
        """The project as the engine sees it: the tracked files, plus what the engine writes next to them."""
        work = self._folder / "project"
        work.mkdir(parents=True, exist_ok=True)
        (self._folder / "state").mkdir(exist_ok=True)
        project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
        project.pop("main", None)  # the program runs in this process, not from a folder
        write(work / "Pulumi.yaml", yaml.safe_dump(project))
        copy = work / self._tracked.name
        content = {"config": self._configuration()}
        if copy.exists():
            # The salt belongs to the passphrase with which the state's secrets are encrypted.
            content |= {k: v for k, v in yaml.safe_load(copy.read_text()).items() if k == "encryptionsalt"}
        write(copy, yaml.safe_dump(content))
        return work

    @property
    def primary(self) -> str | None:
        """The stack that this one follows, and which has to be up first."""
        return self._configuration().get("vanta:recovery", {}).get("primaryStack") or None

    @property
    def _tracked(self) -> Path:
        return REPOSITORY / f"Pulumi.{self._name}.yaml"

    def _configuration(self) -> dict[str, Any]:
        """The tracked configuration with this stack's own laid over it."""
        tracked = yaml.safe_load(self._tracked.read_text())["config"] if self._tracked.exists() else {}
        return _merged(tracked, self._config)

    def _judge(self) -> None:
        """Refuse in the program's words what the engine would refuse before it, without naming value or remedy."""
        given: dict[str, Any] = {}
        for known in configuration_schema():
            room, _, key = known.key.rpartition(".")
            given = _merged(given, {room: {key: known.default}} if room else {key: known.default})
        prefix = f"{settings.NAMESPACE}:"
        own = {
            key.removeprefix(prefix): value
            for key, value in self._configuration().items()
            if key.startswith(prefix)
        }
        try:
            settings.parse(_merged(given, own), self._name)
        except SettingsError as error:
            raise EngineError(str(error)) from None

    def _environment(self, providers: str) -> dict[str, str]:
        passphrase = self._folder / "passphrase"
        if not passphrase.exists():
            write(passphrase, secrets.token_urlsafe(32))
        return {
            "PULUMI_BACKEND_URL": f"file://{self._folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
            "PULUMI_DEBUG_PROVIDERS": providers,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PATH": os.environ["PATH"],
        }


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``above`` laid over ``below``, a group key by key."""
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[key] = {**known, **value} if both else value
    return merged


def _counted(result: auto.UpResult | auto.RefreshResult | auto.DestroyResult) -> dict[str, int]:
    """How many resources the operation did what to."""
    return {str(kind): count for kind, count in (result.summary.resource_changes or {}).items()}


@contextmanager
def _quiet_teardown() -> Generator[None]:
    """Collect the failed program's coroutines without the SDK's complaint that their event loop is closed already."""
    hook = sys.unraisablehook

    def quiet(unraisable: "sys.UnraisableHookArgs") -> None:  # the class exists for type checkers alone
        if "run_pulumi_func" not in repr(unraisable.object):
            hook(unraisable)

    sys.unraisablehook = quiet
    try:
        yield
        gc.collect()
    finally:
        sys.unraisablehook = hook


def _diagnostics(output: str) -> str:
    """The engine's own error lines out of everything that it printed, each once."""
    lines = [line.strip().removeprefix("stderr: ") for line in output.splitlines()]
    # Several errors of one resource stand below a headline that only counts them.
    errors = [
        line.removeprefix("error: ").removeprefix("* ")
        for line in lines
        if line.startswith(("error: ", "* ")) and not re.fullmatch(r"error: \d+ errors? occurred:", line)
    ]
    # The engine repeats the program's own error, and closes with one that says only that there was one.
    own = [error.removeprefix("an unhandled error occurred: ") for error in errors]
    told = [error for error in dict.fromkeys(own) if error not in ("update failed", "preview failed")]
    return "\n".join(told) or output
