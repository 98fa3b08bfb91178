"""The API server of one cluster: server-side apply, reads and deletions through the official client."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import urllib3
from kubernetes import config

from local.provider.kubernetes.kinds import Kind, builtin
from local.provider.values import Properties

MANAGER = "pulumi-kubernetes"
_TRIES = 5
_TRY_AGAIN = {429, 502, 503, 504}
_TIMEOUT = (5, 60)


class ApiError(Exception):
    """The API server refused; ``status`` and ``reason`` are its own, ``causes`` are (field, message)."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(answer.get("message") or f"the API server answered {status}")
        self.status = status
        self.reason: str = answer.get("reason") or ""
        details = answer.get("details") or {}
        self.kind: str = details.get("kind") or ""
        self.causes: Sequence[tuple[str, str]] = [
            (cause.get("field", "").lstrip("."), cause.get("message", ""))
            for cause in details.get("causes") or ()
        ]
        self.conflicting = any(
            cause.get("reason") == "FieldManagerConflict" for cause in details.get("causes") or ()
        )


class UnreachableError(Exception):
    """Nothing answers where the kubeconfig says that the API server is."""


class Cluster:
    """Reads and writes whole objects; each write names the field manager ``pulumi-kubernetes`` and is validated strictly."""

    def __init__(self, kubeconfig: Mapping[str, Any], context: str | None) -> None:
        self._api = config.new_client_from_config_dict(
            dict(kubeconfig), context=context, persist_config=False
        )

    def get(self, kind: Kind, namespace: str | None, name: str) -> Properties | None:
        """The object, or None where there is none."""
        try:
            return self._ask("GET", kind.path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: Kind, namespace: str | None, selector: Mapping[str, str]) -> list[Properties]:
        """The objects of ``kind`` with these labels."""
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        return self._ask("GET", kind.path(namespace), [("labelSelector", labels)])["items"]

    def apply(
        self, kind: Kind, manifest: Properties, *, force: bool = False, dry: bool = False
    ) -> Properties:
        """Server-side apply; the object as it is afterwards, or with ``dry`` as it would be.

        Raises:
            ApiError: it is invalid, not admitted, or a field belongs to another manager.
        """
        metadata = manifest["metadata"]
        query = [("fieldManager", MANAGER), ("force", str(force).lower()), ("fieldValidation", "Strict")]
        path = kind.path(metadata.get("namespace"), metadata["name"])
        return self._ask("PATCH", path, [*query, *([("dryRun", "All")] if dry else [])], manifest)

    def delete(self, kind: Kind, namespace: str | None, name: str, *, propagation: str) -> None:
        """Begin the deletion; one that is gone already is no error."""
        try:
            self._ask("DELETE", kind.path(namespace, name), [], {"propagationPolicy": propagation})
        except ApiError as error:
            if error.status != 404:
                raise

    def served(self, api_version: str, name: str) -> Kind | None:
        """The kind as the cluster serves it, a custom resource's too, or None where it serves none such."""
        known = builtin(api_version, name)
        if known is not None:
            return known
        try:
            resources = self._ask("GET", f"/apis/{api_version}")["resources"]
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        for resource in resources:
            if resource["kind"] == name and "/" not in resource["name"]:
                return Kind(
                    api_version=api_version,
                    name=name,
                    plural=resource["name"],
                    namespaced=resource["namespaced"],
                    schema={},
                )
        return None

    def _ask(
        self, method: str, path: str, query: Sequence[tuple[str, str]] = (), body: Properties | None = None
    ) -> dict[str, Any]:
        """One call; what may succeed a moment later, such as a conflict with the server's own writes, is tried again."""
        for attempt in range(_TRIES):
            try:
                return self._once(method, path, query, body)
            except ApiError as error:
                passing = error.status in _TRY_AGAIN or (error.reason == "Conflict" and not error.conflicting)
                if not passing or attempt == _TRIES - 1:
                    raise
            time.sleep(0.1 * 2**attempt)
        raise AssertionError("the last try returns or raises")

    def _once(
        self, method: str, path: str, query: Sequence[tuple[str, str]], body: Properties | None
    ) -> dict[str, Any]:
        content = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        _, url, headers, _, _ = self._api.param_serialize(
            method,
            quote(path),
            query_params=list(query),
            header_params={"Accept": "application/json", "Content-Type": content},
            auth_settings=["BearerToken"],
        )
        text = None if body is None else json.dumps(body)
        try:
            answer = self._api.rest_client.pool_manager.request(
                method, url, body=text, headers=headers, timeout=urllib3.Timeout(*_TIMEOUT)
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(
                f"Nothing answers at {self._api.configuration.host}, where the kubeconfig says the API server is: start the "
                f"cluster or name another kubeconfig ({type(error).__name__})."
            ) from error
        said = _decoded(answer.data)
        if answer.status >= 400:
            raise ApiError(answer.status, said)
        return said


def managed(found: Properties) -> bool:
    """Whether the object was applied by this provider."""
    fields = found["metadata"].get("managedFields") or ()
    return any(entry["manager"] == MANAGER and entry["operation"] == "Apply" for entry in fields)


def _decoded(data: bytes) -> dict[str, Any]:
    """The JSON of an answer; a proxy between may answer in words."""
    try:
        said = json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace").strip()}
    return said if isinstance(said, dict) else {"message": str(said)}
