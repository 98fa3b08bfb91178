"""The graph has what the engine says, and nothing that it does not say."""

import random
from typing import Any

from local.diagram.graph import Graph, from_preview


def _graph(preview: dict[str, Any], engine: str = "3.0.0") -> Graph:
    return from_preview(preview, stack="test", engine=engine)


def _edges(graph: Graph) -> set[tuple[str, str]]:
    named = {resource.urn: f"{resource.label} {resource.name}" for resource in graph.resources}
    return {(named[a], named[b]) for a, b in graph.edges}


def test_a_dependency_is_one_that_the_engine_names_for_the_resource_or_for_a_property(
    preview: dict[str, Any],
) -> None:
    assert _edges(_graph(preview)) == {
        ("kms Key state", "kms Alias state"),
        ("s3 Bucket box", "s3 BucketVersioning box"),
        ("s3 Bucket box", "s3 BucketPolicy box"),
        ("s3 BucketVersioning box", "s3 BucketPolicy box"),
        ("kms Key state", "s3 BucketPolicy box"),
        ("s3 Bucket box", "cloudwatch MetricAlarm <full & failing>"),
        ("kms Key state", "sns Topic alarms"),
        ("Store store", "sns Topic alarms"),
    }


def test_the_component_around_a_resource_is_no_dependency_of_it(preview: dict[str, Any]) -> None:
    before = _edges(_graph(preview))
    alias = next(step for step in preview["steps"] if "kms/alias" in step["urn"])
    alias["newState"]["dependencies"].append(alias["newState"]["parent"])
    assert _edges(_graph(preview)) == before


def test_what_a_preview_deletes_is_not_drawn(preview: dict[str, Any]) -> None:
    assert "former" not in {resource.name for resource in _graph(preview).resources}


def test_rooms_are_the_components_of_the_program_itself(preview: dict[str, Any]) -> None:
    assert [room.name for room in _graph(preview).rooms] == ["keys", "store"]


def test_the_order_in_which_the_engine_registers_changes_nothing(preview: dict[str, Any]) -> None:
    graph = _graph(preview)
    random.Random(1).shuffle(preview["steps"])  # noqa: S311 - no secret
    assert _graph(preview) == graph


def test_the_fingerprint_is_that_of_the_program_whatever_the_engines_version(preview: dict[str, Any]) -> None:
    graph = _graph(preview)
    assert graph.fingerprint == _graph(preview, engine="9.9.9").fingerprint
    preview["steps"][3]["newState"]["dependencies"] = []
    assert graph.fingerprint != _graph(preview).fingerprint
