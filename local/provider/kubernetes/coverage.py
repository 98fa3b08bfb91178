"""The part of the reference of what is tried here that is about Kubernetes; ``python -m local.provider.aws.coverage`` writes it."""

import ast
from collections.abc import Iterator

from local.home import REPOSITORY
from local.provider.kubernetes import definitions, kinds
from local.provider.kubernetes.kinds import VERSION, Kind
from local.provider.kubernetes.readiness import RULES

_HEAD = f"""\
## Kubernetes

Every manifest is checked against the schemas of Kubernetes {VERSION}'s own API server, reduced in
`local/provider/kubernetes/openapi.json.gz`: an unknown field, a missing one, a wrong type, a value outside an enumeration,
two items of one key, something that is no quantity. Without a cluster it is then kept in the stack's state. Where the
provider's kubeconfig names a cluster, it is applied there too, and the server judges the rest: its own code, CEL rules,
admission. A kubeconfig whose credentials come from a command, as Amazon EKS has it, names a cluster that is emulated here.

Custom resources are checked against their definitions, from the Go modules of the operators (`local/cluster/crds.py`
has the versions; `local/provider/kubernetes/definitions.json.gz` is reduced from them). **Helm releases are checked by the types of the SDK and kept: no chart is
fetched, rendered or installed by the local provider, not with a cluster either**, so that their values are tried nowhere
here.

| kind | checked against | an update waits until it is ready |
|---|---|---|
"""


def section() -> str:
    """The section as Markdown: a line for each kind that the program declares or the definitions bring."""
    rows = [f"| `{name}` | Kubernetes {VERSION} | {'yes' if name in RULES else ''} |" for name in declared()]
    brought = sorted(f"{kind.api_version} {kind.name}" for kind in definitions.everything())
    rows += [f"| `{name}` | its definition | |" for name in brought]
    rows += [f"| `{name}` | nothing but its metadata | |" for name in definitions.UNJUDGED]
    rows.append("| `helm.sh/v3 Release` | the types of the SDK | |")
    return f"{_HEAD}{chr(10).join(rows)}\n"


def declared() -> list[str]:
    """Every kind of Kubernetes itself that the program names, such as ``apps/v1 Deployment``."""
    found = {f"{kind.api_version} {kind.name}" for kind in _named()}
    return sorted(found)


def _named() -> Iterator[Kind]:
    """What ``kubernetes.GROUP.VERSION.KIND`` in the program means; the SDK leaves the domain of a group out."""
    by_place = {_place(kind): kind for kind in kinds.everything()}
    for path in (REPOSITORY / "infra").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                module, *place = ast.unparse(node.func).split(".")
                if module == "kubernetes" and tuple(place) in by_place:
                    yield by_place[tuple(place)]


def _place(kind: Kind) -> tuple[str, ...]:
    group, _, version = kind.api_version.rpartition("/")
    return (group.split(".")[0] or "core", version, kind.name)
