"""The kinds that custom resource definitions bring, reduced from those that :mod:`local.cluster.crds` gives to a cluster.

``python -m local.provider.kubernetes.definitions`` writes the document anew. A rule in CEL is not judged here; a cluster judges it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from local.cluster import crds
from local.provider.kubernetes.document import Document
from local.provider.kubernetes.kinds import Kind, Schema, plain

DOCUMENT = Document("definitions.json.gz")
_OBJECT_META = {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}

# Kinds, all in namespaces, whose definitions no Go module carries, with their plurals: without a cluster that has them only
# their metadata is judged.
UNJUDGED = {"elbv2.k8s.aws/v1beta1 TargetGroupBinding": "targetgroupbindings"}
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def custom(api_version: str, kind: str) -> Kind | None:
    """The kind that a known definition brings by this name, or None."""
    name = f"{api_version} {kind}"
    known: dict[str, Any] | None = DOCUMENT.content.get(name)
    if known is None and name in UNJUDGED:
        known = {"plural": UNJUDGED[name], "namespaced": True, "schema": _as_object(_ANYTHING)}
    return Kind.of(name, known, known["schema"]) if known else None


def everything() -> list[Kind]:
    """All kinds that the known definitions bring."""
    return [Kind.of(name, known, known["schema"]) for name, known in DOCUMENT.content.items()]


def reduced(definitions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The served versions of each kind, each with its schema, as an object of the API has it."""
    return {
        f"{spec['group']}/{version['name']} {spec['names']['kind']}": {
            "plural": spec["names"]["plural"],
            "namespaced": spec["scope"] == "Namespaced",
            "schema": _as_object(version["schema"]["openAPIV3Schema"]),
        }
        for definition in definitions
        for spec in (definition["spec"],)
        for version in spec["versions"]
        if version["served"]
    }


def _as_object(schema: Schema) -> Schema:
    """``schema`` with what each object has, whatever its definition says of it."""
    known = plain(schema)
    names = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _OBJECT_META}
    return {**known, "properties": {**known.get("properties", {}), **names}}


def _write() -> None:
    DOCUMENT.write(reduced(crds.definitions()))


if __name__ == "__main__":
    _write()
