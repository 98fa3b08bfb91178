"""The document: the same bytes for the same graph, readable by people, browsers and screen readers."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from local.diagram.graph import Graph, from_preview
from local.diagram.kinds import Kind, kind_of
from local.diagram.svg import draw
from local.diagram.text import fitted, width_of

GOLDEN = Path(__file__).with_name("golden.svg")
Parse = Callable[[str], Element]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def graph(preview: dict[str, Any]) -> Graph:
    """The small graph."""
    return from_preview(preview, stack="test", engine="3.0.0")


def test_a_small_graph_is_drawn_as_agreed(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "drawn.svg").write_text(draw(graph), encoding="utf-8")
    assert draw(graph) == GOLDEN.read_text(encoding="utf-8"), (
        f"Look at {tmp_path / 'drawn.svg'} in a browser; if it is better, copy it to {GOLDEN}."
    )


def test_every_resource_is_drawn_once_and_names_itself(graph: Graph, parsed: Parse) -> None:
    chips = parsed(draw(graph)).findall(f".//{SVG}g[@data-resource]")
    assert sorted(chip.get("data-resource", "") for chip in chips) == [
        "keys/kms Alias state",
        "keys/kms Key state",
        "sns Topic alarms",
        "store/box/s3 Bucket box",
        "store/box/s3 BucketPolicy box",
        "store/box/s3 BucketVersioning box",
        "store/cloudwatch MetricAlarm <full & failing>",
    ]


def test_all_text_of_a_chip_is_inside_it(made_up: Callable[..., Graph], parsed: Parse) -> None:
    chips = parsed(draw(made_up(400))).findall(f".//{SVG}g[@data-resource]")
    assert len(chips) == 400
    cut = 0
    for chip in chips:
        (body,) = chip.findall(f"{SVG}rect[@class='body']")
        for text in chip.findall(f"{SVG}text"):
            size, x, y = (float(text.get(name, "")) for name in ("font-size", "x", "y"))
            # A lock is 8 wide and stands 4 from the right.
            lock = 12 if chip.findall(f".//{SVG}rect[@class='lock']") else 0
            assert x + width_of(text.text or "", size) <= float(body.get("width", "")) - lock
            assert size <= y <= float(body.get("height", "")) - 3
            cut += "…" in (text.text or "")
    assert cut  # some are too long to be shown in full


def test_no_count_hides_another(made_up: Callable[..., Graph], parsed: Parse) -> None:
    counts = parsed(draw(made_up(400))).findall(f".//{SVG}rect[@class='count']")
    spans = sorted(tuple(float(c.get(name, "")) for name in ("x", "y", "width", "height")) for c in counts)
    assert len(spans) > 20
    for (x, y, width, height), (to_x, to_y, _, _) in itertools.combinations(spans, 2):
        assert to_x >= x + width or abs(to_y - y) >= height


def test_those_who_do_not_see_it_are_told_the_rooms_and_what_each_needs(graph: Graph, parsed: Parse) -> None:
    root = parsed(draw(graph))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title description"
    assert root.findtext(f"{SVG}title[@id='title']") == (
        "Stack test: 7 resources in 2 rooms · 8 dependencies · Pulumi 3.0.0"
    )
    described = root.findtext(f"{SVG}desc[@id='description']") or ""
    assert "keys: 2 resources." in described
    assert "store: 4 resources, needs keys (1)." in described
    assert "alarms: sns Topic, needs keys (1), store (1)." in described


def test_it_follows_the_readers_choice_of_light_or_dark(graph: Graph) -> None:
    assert "prefers-color-scheme: dark" in draw(graph)


def test_the_legend_names_the_kinds_that_are_there(graph: Graph) -> None:
    drawn = draw(graph)
    assert "holds data · 1" in drawn
    assert "runs code" not in drawn


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("s3 Bucket", Kind.DATA),
        ("s3 BucketPolicy", Kind.ACCESS),
        ("s3 BucketVersioning", Kind.SETTING),
        ("kms Alias", Kind.KEY),
        ("vpc SecurityGroupIngressRule", Kind.NETWORK),
        ("cloudwatch MetricAlarm", Kind.OBSERVATION),
        ("eks NodeGroup", Kind.COMPUTE),
    ],
)
def test_a_resource_is_coloured_by_what_it_is_for(label: str, kind: Kind) -> None:
    assert kind_of(label) is kind


def test_a_text_is_cut_in_its_middle_and_only_if_it_must_be() -> None:
    assert fitted("network-data", 10, width_of("network-data", 10)) == "network-data"
    shorter = fitted("network-data-eu-west-1a", 10, width_of("network-data", 10))
    assert shorter == "networ…st-1a"
