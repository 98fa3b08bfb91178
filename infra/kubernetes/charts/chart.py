"""A Helm chart, pinned, and its values as a dataclass: nothing is set that is not typed here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

# A chart that is not ready by then has failed; images come from far away the first time.
_TIMEOUT_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One version of a chart, which brings the images of one version of what it installs."""

    name: str
    version: str
    repository: str


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What a container asks for, and the memory that it gets at most."""

    cpu: str
    memory: str


def resources(requests: Requests) -> dict[str, Any]:
    """The ``resources`` of a container: as much memory as it asks for, and CPU as there is."""
    return {
        "requests": {"cpu": requests.cpu, "memory": requests.memory},
        "limits": {"memory": requests.memory},
    }


def release(
    name: str,
    chart: Chart,
    values: object,
    *,
    namespace: str,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
) -> kubernetes.helm.v3.Release:
    """The release ``name`` of a chart; one that does not get ready is rolled back.

    The charts' own tests are skipped, and the definitions that a chart brings are its own to update.
    """
    return kubernetes.helm.v3.Release(
        name,
        name=name,
        chart=chart.name,
        version=chart.version,
        repository_opts={"repo": chart.repository},
        namespace=namespace,
        values=wire(values),
        atomic=True,
        timeout=_TIMEOUT_SECONDS,
        max_history=5,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(depends_on)),
    )


def wire(values: object) -> Any:
    """Values as Helm reads them: ``service_account`` is ``serviceAccount``, and what is None is left to the chart.

    A key that is spelt otherwise has its spelling in the field's metadata: ``field(metadata={"key": "installCRDs"})``.
    """
    if isinstance(values, Mapping):
        return {key: wire(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [wire(value) for value in values]
    if not is_dataclass(values) or isinstance(values, type):
        return values
    return {
        field.metadata.get("key", _camel(field.name)): wire(value)
        for field in fields(values)
        if (value := getattr(values, field.name)) is not None
    }


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
