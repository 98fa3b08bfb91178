"""The output of ``pulumi preview --json`` as frozen dataclasses, secrets masked while it is read.

Source: ``PreviewDigest`` in pulumi's ``pkg/display/json.go`` and ``ShowPreviewDigest``, which writes it, at 3.259.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.review import documents
from infra.review.secrets import MASK, Secrets

# What the engine writes for a value that only exists after the update: sdk/go/common/resource/plugin, UnknownStringValue.
_UNKNOWN = re.compile(r"04da6b54-80e4-46f7-96ec-b56ff0331ba[0-9a-f]")
UNKNOWN = "(known after the update)"
ABSENT = "(absent)"
# Steps in which a replacement is told when its parts are asked for; one resource is one change.
_REPLACEMENT = {"create-replacement", "replace", "delete-replaced", "import-replacement", "read-replacement"}
_QUIET = {"same", "read", "refresh"}
_URN = re.compile(r"urn:pulumi:(?P<stack>[^:]+)::(?P<project>[^:]+)::(?P<types>.+?)::(?P<name>.+)", re.DOTALL)
_PATH = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')


# With more differences than these it is easier to read both documents than what differs.
_MOST_PLACES = 12


class PreviewError(Exception):
    """The file is no preview, or one of another stack; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One property that differs; ``old`` and ``new`` are JSON values, secrets masked."""

    path: str
    old: Any
    new: Any
    replaces: bool


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that a deployment would change.

    ``action`` is create, update, replace, delete, import or whatever else the engine calls it; ``room`` the outermost
    component around it; ``before`` and ``after`` its inputs, secrets masked; ``protected`` and ``retained`` say what the
    state says.
    """

    urn: str
    type: str
    name: str
    room: str
    action: str
    differences: tuple[Difference, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    protected: bool
    retained: bool


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A whole preview; ``errors`` are the engine's own words when it failed."""

    project: str
    stack: str
    changes: tuple[Change, ...]
    unchanged: int
    errors: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many resources each action is done to, the grave ones last."""
        order = ["create", "update", "replace", "delete"]
        found = Counter(change.action for change in self.changes)
        return dict(
            sorted(found.items(), key=lambda entry: order.index(entry[0]) if entry[0] in order else -1)
        )


def read(document: Any, *, stack: str, project: str) -> Preview:
    """The preview in ``document``; ``project`` names it where the preview failed before it had any resource.

    Raises:
        PreviewError: it is no preview, or one of another stack.
    """
    if not isinstance(document, Mapping) or not {"steps", "changeSummary", "diagnostics"} & set(document):
        raise PreviewError("This is no preview: write one with `pulumi preview --json > preview.json`.")
    steps = document.get("steps") or []
    places = {(match["project"], match["stack"]) for match in map(_parsed, steps)}
    if len(places) > 1 or any(found != stack for _, found in places):
        found = ", ".join(sorted({stack for _, stack in places}))
        raise PreviewError(
            f"The preview is of stack {found}, not of {stack}: give --stack the stack that was previewed."
        )
    secrets = Secrets(state for step in steps for state in _states(step))
    changes: dict[str, Change] = {}
    for step in steps:
        change = _change(step, secrets)
        # Of a replacement told in parts the middle one has both states.
        if change.action not in _QUIET and (change.urn not in changes or step["op"] == "replace"):
            changes[change.urn] = change
    return Preview(
        project=places.pop()[0] if places else project,
        stack=stack,
        changes=tuple(sorted(changes.values(), key=lambda change: (change.room, change.type, change.name))),
        unchanged=(document.get("changeSummary") or {}).get("same", 0),
        errors=tuple(_errors(document.get("diagnostics") or (), secrets)),
    )


def _errors(diagnostics: Iterable[Mapping[str, Any]], secrets: Secrets) -> Iterator[str]:
    told = [
        secrets.text(diagnostic["message"]).strip().removeprefix("error: ")
        for diagnostic in diagnostics
        if diagnostic.get("severity") == "error"
    ]
    # The engine closes with an error that says only that there was one.
    yield from [message for message in told if message != "preview failed"] or told


def _parsed(step: Mapping[str, Any]) -> re.Match[str]:
    match = _URN.fullmatch(str(step.get("urn")))
    if match is None:
        raise PreviewError(
            f"This is no preview: {step.get('urn')} is no URN. Write one with `pulumi preview --json`."
        )
    return match


def _states(step: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (step[side] for side in ("oldState", "newState") if step.get(side))


def _change(step: Mapping[str, Any], secrets: Secrets) -> Change:
    match = _parsed(step)
    chain = match["types"].split("$")
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    action = "replace" if step["op"] in _REPLACEMENT else str(step["op"])
    return Change(
        urn=secrets.text(step["urn"]),
        type=chain[-1],
        name=secrets.text(match["name"]),
        # `vanta:aws:Database` is the room Database; what has no component around it belongs to the stack itself.
        room=chain[0].rsplit(":", 1)[-1] if len(chain) > 1 else "Stack",
        action=action,
        differences=tuple(_differences(step, old, new, secrets)) if action in ("update", "replace") else (),
        before=secrets.masked(old, "inputs"),
        after=_readable(secrets.masked(new, "inputs")),
        protected=bool(old.get("protect")),
        retained=bool(old.get("retainOnDelete")),
    )


def _differences(
    step: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any], secrets: Secrets
) -> Iterator[Difference]:
    inputs, outputs = secrets.masked(old, "inputs"), secrets.masked(old, "outputs")
    after = _readable(secrets.masked(new, "inputs"))
    replacing = {segment for path in step.get("replaceReasons") or () for segment in _segments(path)[:1]}
    detailed = step.get("detailedDiff") or {path: {} for path in step.get("diffReasons") or ()}
    for path, detail in sorted(detailed.items()):
        segments = _segments(path)
        before = _at(inputs, segments)
        if before is ABSENT:
            # A property that AWS filled in is known to the state alone.
            before = _at(outputs, segments)
        replaces = "replace" in detail.get("kind", "") or (not detail and set(segments[:1]) <= replacing)
        for place, one, other in _apart(path, before, _at(after, segments)):
            # What stood within two layers of quotes stands within one here.
            yield Difference(
                path=secrets.text(place), old=secrets.value(one), new=secrets.value(other), replaces=replaces
            )


def _apart(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """The property, or the few places in which it differs if it is a document."""
    old, new = documents.leaves(before), documents.leaves(after)
    if old is not None and new is not None:
        differing = [at for at in old | new if old.get(at, ABSENT) != new.get(at, ABSENT)]
        if 0 < len(differing) <= _MOST_PLACES:
            yield from ((f"{path}{at}", old.get(at, ABSENT), new.get(at, ABSENT)) for at in differing)
            return
    yield path, before, after


def _segments(path: str) -> list[str]:
    return [key.replace('\\"', '"') if key else index or name for key, index, name in _PATH.findall(path)]


def _at(value: Any, segments: list[str]) -> Any:
    """The value at a property path, or :data:`ABSENT`; what lies within a secret is secret."""
    for segment in segments:
        if value == MASK:
            return MASK
        if isinstance(value, Mapping) and segment in value:
            value = value[segment]
        elif isinstance(value, list) and segment.isdigit() and int(segment) < len(value):
            value = value[int(segment)]
        else:
            return UNKNOWN if value == UNKNOWN else ABSENT
    return value


def _readable(value: Any) -> Any:
    """``value`` with words where the engine writes its sign for what is not known yet."""
    if isinstance(value, Mapping):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return UNKNOWN if isinstance(value, str) and _UNKNOWN.fullmatch(value) else value
