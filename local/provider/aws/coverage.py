"""The reference of what is tried here of each AWS type, written from the table: ``python -m local.provider.aws.coverage``."""

import itertools
from collections.abc import Iterable

from local.home import REPOSITORY
from local.provider.aws.table import TABLE
from local.provider.aws.types import Call, ResourceType
from local.provider.kubernetes import coverage as kubernetes

PAGE = REPOSITORY / "docs" / "reference" / "coverage.md"

# Type token -> what of it, or that all of it, is tried nowhere here. A type without an entry in the table belongs here.
GAPS = {
    "aws:rds/cluster:Cluster": (
        "Beginning from a snapshot or from a moment of another cluster: a preview checks it against the service model, an "
        "update refuses it."
    ),
}

_HEAD = """\
# Coverage

How each resource type that the local providers know is tried without an AWS account, written from their tables by
`python -m local.provider.aws.coverage`; a test compares the two, and another holds every AWS type that the program can
declare to a line here. Passwords and ids of the `random` provider are really drawn.

- **emulator**: the calls are sent to the emulator, and the resource is read back from it. A refresh compares its plain
  values with the state, a destroy removes it.
- **service model**: the emulator has no such thing. All parameters of each call are checked as boto3 checks them before
  it sends a request; none is sent. The resource lives in the stack's state alone.

Whatever covers a type, its properties are checked against the provider's own Python SDK, and the parameters made of them
against botocore's service models: names, types, enumerations, lengths and ranges.
"""
_UNPROVEN = """\
## What no check here can prove

- Whether AWS would allow a request: here everybody is the account's own root, for whom the emulator evaluates no bucket
  policy, and it runs without IAM's decisions ([ADR 0001](../adr/0001-one-machine.md)). Object lock itself is enforced.
- What AWS checks beyond its service models: patterns of names, combinations of parameters, which instance classes and
  versions a region offers, quotas, and whether an ARN that is passed on exists.
- For types covered by the service model alone: defaults that AWS fills in, drift, and the order in which it lets things
  be made and removed. Their ids and ARNs are made up.
- Of a manifest without a cluster: what the API server's own code refuses beyond its schemas, CEL rules, admission, defaults
  that it fills in, and whether pods run.
- Real networks, certificates, latency between regions, the time that AWS takes, and what it costs.
"""


def coverage_page(entries: Iterable[ResourceType]) -> str:
    """The page as Markdown, one section a service."""
    sections = [_HEAD]
    ordered = sorted(entries, key=lambda entry: (entry.service, entry.token))
    for service, members in itertools.groupby(ordered, key=lambda entry: entry.service):
        rows = [f"| `{entry.token}` | {_covered(entry)} | {_operations(_sent(entry))} |" for entry in members]
        sections.append(
            "\n".join([f"## {service}\n", "| type | covered by | calls |", "|---|---|---|", *rows, ""])
        )
    gaps = [f"| `{token}` | {reason} |" for token, reason in sorted(GAPS.items())]
    sections.append("\n".join(["## Gaps\n", "| type | what is not tried |", "|---|---|", *gaps, ""]))
    return "\n".join([*sections, kubernetes.section(), _UNPROVEN])


def _covered(entry: ResourceType) -> str:
    if not entry.emulated:
        return "service model"
    judged = [call for call in _calls(entry) if not call.emulated]
    covered = "emulator" if entry.read else "emulator, without a call to read it back"
    return f"{covered}; service model for {_operations(c.operation for c in judged)}" if judged else covered


def _calls(entry: ResourceType) -> list[Call]:
    """The calls of the table that make, change and remove the resource, and the one that reads it."""
    reads = [entry.read] if entry.read else []
    return [entry.create, *entry.create_from.values(), *entry.updates, *reads, *entry.delete]


def _sent(entry: ResourceType) -> list[str]:
    tagging = [entry.tagging.add, entry.tagging.remove] if entry.tagging else []
    return [*(call.operation for call in _calls(entry)), *tagging]


def _operations(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


if __name__ == "__main__":
    PAGE.write_text(coverage_page(TABLE.values()))
