"""Names and labels: the one place where objects in Kubernetes get theirs."""

from collections.abc import Mapping

from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra.aws.app_roles import NAMESPACE
from infra.names import PROJECT

# What all pods of the image are called; which of them it is says the component.
APP_NAME = "state-api"
COMPONENT = "app.kubernetes.io/component"
NAME = "app.kubernetes.io/name"


def labels(component: str, *, name: str = APP_NAME) -> dict[str, str]:
    """The labels that every object carries.

    The version is left out: it would be a second place that says which image runs, and roll what did not change.

    Source: Kubernetes documentation, "Recommended Labels".
    """
    return {
        NAME: name,
        COMPONENT: component,
        "app.kubernetes.io/part-of": PROJECT,
        "app.kubernetes.io/managed-by": "pulumi",
    }


def selector(component: str, *, name: str = APP_NAME) -> dict[str, str]:
    """What finds the pods of a component; a Deployment's can never be changed."""
    return {NAME: name, COMPONENT: component}


def metadata(
    name: str | None,
    component: str,
    *,
    app: str = APP_NAME,
    namespace: str | None = NAMESPACE,
    more: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> ObjectMetaArgsDict:
    """The metadata of an object; without ``name`` the engine makes one up, without ``namespace`` it is the cluster's."""
    found: ObjectMetaArgsDict = {"labels": {**labels(component, name=app), **(more or {})}}
    if name is not None:
        found["name"] = name
    if namespace is not None:
        found["namespace"] = namespace
    if annotations:
        found["annotations"] = dict(annotations)
    return found
