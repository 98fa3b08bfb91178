"""The reference of every configuration key, written from the schema in ``Pulumi.yaml``: ``python -m infra.reference``."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "configuration.md"
_HEAD = """\
# Configuration

Every key of a stack, written from the schema in `Pulumi.yaml` by `python -m infra.reference`; a test compares the two.
A stack file groups the keys by room, and `pulumi config set --path` sets one:

```yaml
config:
  vanta:lifetime: permanent
  vanta:audit:
    lockMode: COMPLIANCE
    lockPeriod: 7 years
  vanta:database:
    readers: 2
```

    pulumi config set --path vanta:database.readers 2

A key that is not listed, a value of another type, or one that AWS would refuse stops the program before anything is
registered, with a message that names key, value and remedy.
"""


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of the schema; ``key`` without the namespace, a dot between room and name."""

    key: str
    type: str
    default: str | int | bool
    description: str


def configuration_schema() -> list[Key]:
    """The keys in the order of ``Pulumi.yaml``."""
    schema = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    return [
        Key(key=key, type=entry["type"], default=entry["default"], description=entry["description"])
        for key, entry in schema.items()
    ]


def configuration_page(keys: Sequence[Key]) -> str:
    """The page as Markdown, one section a room."""
    sections = [_HEAD]
    for room, members in itertools.groupby(keys, key=lambda key: key.key.rpartition(".")[0] or "stack"):
        rows = [
            f"| `vanta:{key.key}` | {key.type} | `{_yaml(key.default)}` | {key.description} |"
            for key in members
        ]
        sections.append(
            "\n".join([f"## {room}\n", "| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])
        )
    return "\n".join(sections)


def _yaml(value: str | int | bool) -> str:
    """A default as a stack file spells it."""
    return yaml.safe_dump(value).removesuffix("\n").removesuffix("...").strip().replace("'", '"')


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(configuration_page(configuration_schema()))
