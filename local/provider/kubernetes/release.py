"""Helm releases: their arguments are checked and kept. No chart is rendered or installed here, for there is no chart source."""

import secrets

from local.provider.protocol import Failure, State
from local.provider.schema import problems, resource_schema
from local.provider.values import Properties

RELEASE = "kubernetes:helm.sh/v3:Release"


def named(inputs: Properties, resource: str, old: Properties, namespace: str) -> Properties:
    """``inputs`` with the name and namespace that the plugin would give the release."""
    name = inputs.get("name") or old.get("name") or f"{resource}-{secrets.token_hex(4)}"
    return {**inputs, "name": name, "namespace": inputs.get("namespace") or namespace}


def faults(inputs: Properties) -> list[Failure]:
    """Unknown and ill-typed arguments; of the values, only a chart could tell."""
    return [Failure(*p) for p in problems(inputs, resource_schema("pulumi_kubernetes", RELEASE).inputs)]


def stored(inputs: Properties) -> State:
    """The release as if Helm had deployed it."""
    named = {"name": inputs["name"], "namespace": inputs["namespace"]}
    status = {**named, "chart": inputs["chart"], "status": "deployed", "revision": 1}
    if "version" in inputs:
        status["version"] = inputs["version"]
    return State(f"{inputs['namespace']}/{inputs['name']}", {**inputs, "resourceNames": {}, "status": status})
