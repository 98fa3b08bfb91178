"""The comment on a pull request, as Markdown: what would be lost first, then what moves the bill, then every room."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from infra.review import cost, data
from infra.review.allowances import Allowance
from infra.review.keeping import shortenings
from infra.review.preview import ABSENT, UNKNOWN, Change, Difference, Preview

# GitHub refuses a longer body: "body is too long (maximum is 65536 characters)".
LIMIT = 65_536
_SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
_VALUE = 160
# How much of two long values is shown before the first place in which they differ.
_LEAD = 40
_NAME = 200
# How many of the resources that move the bill for one and the same reason are named.
_NAMED = 4
_MESSAGE = 2_000
# Kept free for the sentences that say what was left out.
_RESERVE = 400


class _Body:
    """Text that grows until the comment is full; counts what no longer fits."""

    def __init__(self, limit: int) -> None:
        self._parts: list[str] = []
        self._free = limit - _RESERVE
        self.left_out = 0

    def add(self, part: str) -> bool:
        """Append ``part`` whole, or not at all."""
        if len(part) > self._free:
            return False
        self._free -= len(part)
        self._parts.append(part)
        return True

    def add_each(self, parts: Iterable[str]) -> None:
        """Append as many of ``parts`` as fit."""
        for part in parts:
            if not self.add(part):
                self.left_out += 1

    def section(self, opening: str, parts: Sequence[str], closing: str) -> None:
        """Append as many of ``parts`` as fit between ``opening`` and ``closing``, or nothing."""
        self._free -= len(closing)
        if self.add(opening):
            self.add_each(parts)
            self._parts.append(closing)
        else:
            self._free += len(closing)
            self.left_out += len(parts)

    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)


def marker(project: str, stack: str) -> str:
    """The hidden first line by which the comment of this project and stack is found again."""
    return f"<!-- infra.review project={project} stack={stack} -->"


def unreadable(project: str, stack: str, why: str) -> str:
    """The comment where there is no preview: an older one left standing would be believed."""
    return f"{marker(project, stack)}\n> [!CAUTION]\n> **There is no preview of `{stack}`.** {_plain(why)}\n"


def render_drift(preview: Preview, *, limit: int = LIMIT) -> str:
    """What ``pulumi refresh --preview-only`` found to differ from the state, as an issue of ``limit`` characters."""
    body = _Body(limit)
    body.add(
        f"{marker(preview.project, preview.stack)}\nWhat differs in AWS from the state of `{preview.stack}`, project `{preview.project}`: "
    )
    body.add(f"{'not known in full.' if preview.errors else _headline(preview)}\n")
    body.add_each(_failure(preview))
    gone = data.gone(preview)
    if gone:
        body.add(f"\n> [!CAUTION]\n> **Gone: {_resources(len(gone))}.**\n>\n")
        body.add_each(f"> - {_resource(change)}: {data.holds(change)}\n" for change in gone)
    _rooms(body, preview)
    return _closed(body)


def render(
    preview: Preview, *, allowed: Mapping[str, Allowance], wrong: Sequence[str], limit: int = LIMIT
) -> str:
    """The comment, at most ``limit`` characters.

    ``allowed`` maps the URN of a loss to what allows it; ``wrong`` is what is wrong with the allowances.
    """
    body = _Body(limit)
    found = cost.reasons(preview)
    body.add(
        f"{marker(preview.project, preview.stack)}\n## Preview of `{preview.stack}`, project `{preview.project}`\n"
    )
    if not preview.errors:
        # What a preview counts before it fails is no summary of what would happen.
        body.add(f"\n{_headline(preview)} Cost: **{cost.direction(found)}**.\n")
    body.add_each(_failure(preview))
    body.add_each(_losses(preview, allowed))
    body.add_each(_wrong(wrong))
    body.add_each(_cost(found))
    _rooms(body, preview)
    return _closed(body)


def _closed(body: _Body) -> str:
    """The text, with a last sentence if not all is in it."""
    if body.left_out:
        return (
            f"{body.text()}\n**{body.left_out} entries do not fit into a comment and are left out.** "
            "`pulumi preview --diff` shows them.\n"
        )
    return body.text()


def _headline(preview: Preview) -> str:
    counts = ", ".join(f"**{count} to {action}**" for action, count in preview.counts.items())
    return f"{counts or '**No change**'}, {preview.unchanged} unchanged."


def _failure(preview: Preview) -> Iterable[str]:
    if preview.errors:
        yield "\n> [!CAUTION]\n> **The preview failed**: what follows is incomplete.\n"
    for error in preview.errors:
        # Within the fence a line cannot begin with anything that would close it.
        lines = "\n".join(f"! {line}" for line in _cut(error, _MESSAGE).splitlines())
        yield f"\n```diff\n{lines}\n```\n"


def _losses(preview: Preview, allowed: Mapping[str, Allowance]) -> Iterable[str]:
    gone, shortened = data.gone(preview), data.shortened(preview)
    yield from _caution(f"delete or replace {_resources(len(gone))}", gone, allowed, _gone)
    kept = "1 resource keeps" if len(shortened) == 1 else f"{len(shortened)} resources keep"
    yield from _caution(f"shorten or loosen what {kept}", shortened, allowed, _shortened)


def _caution(
    would: str, lost: Sequence[Change], allowed: Mapping[str, Allowance], told: Callable[[Change], str]
) -> Iterable[str]:
    if not lost:
        return
    refused = sum(change.urn not in allowed for change in lost)
    some = "" if refused == len(lost) else f"{refused} of them "
    verdict = f"{some}without an allowance: refused" if refused else "with an allowance"
    yield f"\n> [!CAUTION]\n> **This would {would}**, {verdict}.\n>\n"
    for change in sorted(lost, key=lambda change: (change.urn in allowed, change.action, change.urn)):
        allowance = allowed.get(change.urn)
        permission = (
            f"Allowed until {allowance.expires} by {_plain(allowance.owner)}: {_plain(allowance.reason)}"
            if allowance
            else "**No allowance.**"
        )
        stays = change.retained and change.action != "update"
        kept = " The state says that the old one stays in the cloud." if stays else ""
        yield f"> - **{change.action.upper()}** {_resource(change)}{told(change)}. {permission}{kept}\n"


def _gone(change: Change) -> str:
    forcing = [_code(difference.path) for difference in change.differences if difference.replaces]
    because = f", forced by {', '.join(forcing)}" if forcing else ""
    return f"{because}. Lost: {data.holds(change)}"


def _shortened(change: Change) -> str:
    return ": " + ", ".join(
        f"{_code(less.path)} {_code(_text(less.old))} → {_code(_text(less.new))}"
        for less in shortenings(change)
    )


def _wrong(wrong: Sequence[str]) -> Iterable[str]:
    if wrong:
        yield "\n> [!WARNING]\n> **The allowances need attention.**\n>\n"
    for sentence in wrong:
        yield f"> - {_plain(sentence)}\n"


def _cost(found: Sequence[cost.Reason]) -> Iterable[str]:
    if found:
        yield "\n### What moves the bill\n\n| direction | resource | why |\n|---|---|---|\n"
    alike: dict[tuple[str, str, str], list[str]] = {}
    for reason in found:
        alike.setdefault((reason.direction, reason.change.type, reason.why), []).append(reason.change.name)
    for (direction, kind, why), names in alike.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        named = ", ".join(_code(name) for name in names[:_NAMED])
        yield f"| {direction} | {named}{more} ({_code(kind)}) | {_plain(why)} |\n"


def _resources(count: int) -> str:
    return "1 resource that holds data" if count == 1 else f"{count} resources that hold data"


def _rooms(body: _Body, preview: Preview) -> None:
    for room, group in itertools.groupby(preview.changes, key=lambda change: change.room):
        _room(body, room, list(group))


def _room(body: _Body, room: str, members: Sequence[Change]) -> None:
    counts = ", ".join(f"{count} {action}" for action, count in Counter(c.action for c in members).items())
    # Where all is new the summary says what there is to judge; the room's resources are a click away.
    shown = "" if all(change.action == "create" for change in members) else " open"
    opening = f"\n<details{shown}>\n<summary><b>{_plain(room)}</b>: {counts}</summary>\n"
    body.section(opening, [_entry(change) for change in members], "\n</details>\n")


def _entry(change: Change) -> str:
    sign = _SIGNS.get(change.action, "•")
    lines = [line for difference in change.differences for line in _lines(difference)]
    fence = "\n```diff\n" + "\n".join(lines) + "\n```\n" if lines else ""
    return f"\n`{sign}` {change.action} {_resource(change)}\n{fence}"


def _lines(difference: Difference) -> list[str]:
    old, new = _text(difference.old), _text(difference.new)
    path = _cut(_line(difference.path), _NAME)
    forces = "  # forces the replacement" if difference.replaces else ""
    if old == new:
        # The engine compares what is behind the mask, or what AWS filled in.
        return [f"  {path}: {_cut(old, _VALUE)}{forces or '  # differs'}"]
    start = _common(old, new)
    return [
        *([f"- {path}: {_window(old, start)}"] if difference.old is not ABSENT else []),
        *([f"+ {path}: {_window(new, start)}{forces}"] if difference.new is not ABSENT else []),
    ]


def _text(value: object) -> str:
    if value in (ABSENT, UNKNOWN):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _common(old: str, new: str) -> int:
    """Length of what both begin with."""
    return next(
        (at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )


def _window(text: str, start: int) -> str:
    """A long value around the place where it differs."""
    begin = max(0, start - _LEAD) if len(text) > _VALUE else 0
    return _line(("…" if begin else "") + _cut(text[begin:], _VALUE))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _line(text: str) -> str:
    """``text`` on one line whatever is in it: nothing else could close a fence."""
    return " ".join(text.splitlines())


def _resource(change: Change) -> str:
    return f"{_code(change.name)} ({_code(change.type)})"


def _code(text: str) -> str:
    """Inline code: within it neither Markdown nor HTML nor a mention means anything, a table's bar aside."""
    return f"`{_cut(_line(text), _NAME).replace('`', chr(39)).replace('|', '/')}`"


def _plain(text: str) -> str:
    """``text`` as itself: nothing in it is Markdown, HTML or a mention."""
    shown = _cut(_line(text), _MESSAGE)
    return "".join(f"&#{ord(letter)};" if letter in "\\`*_{}[]<>#|@~&" else letter for letter in shown)
