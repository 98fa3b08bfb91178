"""Every kind that the API server of the pinned version knows: where it is served, and the schema it is held to.

``python -m local.provider.kubernetes.kinds`` writes the reduced document anew from the Go module of Kubernetes, which carries
what ``/openapi/v3`` of the API server answers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local import go
from local.cluster.build import VERSION
from local.provider.kubernetes.document import Document

DOCUMENT = Document("openapi.json.gz")

Schema = Mapping[str, Any]

_COLLECTION = re.compile(r"/(?P<scope>namespaces/\{namespace\}/)?(?P<plural>[a-z]+)")
# What a schema says for people or for other tools; no check reads it.
_SILENT = {
    "description",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-unions",
}


class UnknownKindError(Exception):
    """The API server has no such kind, and no custom resource definition brings it."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind as it is served: ``api_version`` such as ``apps/v1``, ``plural`` such as ``deployments``."""

    api_version: str
    name: str
    plural: str
    namespaced: bool
    schema: Schema

    @classmethod
    def of(cls, name: str, known: Mapping[str, Any], schema: Schema) -> "Kind":
        """The kind ``name``, such as ``apps/v1 Deployment``, of which a document has ``known``."""
        api_version, kind = name.split(" ")
        return cls(
            api_version=api_version,
            name=kind,
            plural=known["plural"],
            namespaced=known["namespaced"],
            schema=schema,
        )

    def path(self, namespace: str | None, name: str = "") -> str:
        """Where the API server serves the object ``name``, or the collection without one."""
        base = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{base}{scope}/{self.plural}" + (f"/{name}" if name else "")


def builtin(api_version: str, kind: str) -> Kind | None:
    """The kind of Kubernetes itself by this name, or None."""
    name = f"{api_version} {kind}"
    known = DOCUMENT.content["kinds"].get(name)
    return Kind.of(name, known, schema(known["schema"])) if known else None


def everything() -> list[Kind]:
    """All kinds of Kubernetes itself."""
    kinds = DOCUMENT.content["kinds"].items()
    return [Kind.of(name, known, schema(known["schema"])) for name, known in kinds]


def schema(name: str) -> Schema:
    """The schema ``name`` of the document, such as ``io.k8s.api.apps.v1.Deployment``."""
    return DOCUMENT.content["schemas"][name]


def reduced(documents: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of the API server's documents by path, such as ``apis/apps/v1``: schemas, and where each kind is served."""
    schemas: dict[str, Schema] = {}
    served: dict[str, dict[str, Any]] = {}
    for group, document in documents.items():
        schemas |= {name: plain(known) for name, known in document["components"]["schemas"].items()}
        for path, operations in document["paths"].items():
            created = operations.get("post", {}).get("x-kubernetes-group-version-kind")
            collection = _COLLECTION.fullmatch(path.removeprefix(f"/{group}"))
            if created and collection:
                body = operations["post"]["requestBody"]["content"]["*/*"]["schema"]["$ref"]
                served[f"{group.split('/', 1)[1]} {created['kind']}"] = {
                    "plural": collection["plural"],
                    "namespaced": bool(collection["scope"]),
                    "schema": body.rsplit("/", maxsplit=1)[-1],
                }
    return {"version": VERSION, "kinds": served, "schemas": schemas}


def plain(value: Any) -> Any:
    """``value`` without the words for people; a property that is called ``description`` is no such word."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in _SILENT or not isinstance(v, str | list)}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _write() -> None:
    folder = go.download(f"k8s.io/kubernetes@v{VERSION}") / "api" / "openapi-spec" / "v3"
    documents = {
        path.name.removesuffix("_openapi.json").replace("__", "/"): json.loads(path.read_text())
        for path in sorted(folder.glob("api*__*_openapi.json"))
    }
    DOCUMENT.write(reduced(documents))


if __name__ == "__main__":
    _write()
