"""The committed pictures show the program as it is."""

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from local.aws.emulator import Aws
from local.console import Console
from local.diagram.graph import from_preview
from local.diagram.preview import graph_of
from local.diagram.svg import draw
from local.home import REPOSITORY
from local.pulumi.engine import EngineError
from local.pulumi.stack import Stack

SVG = "{http://www.w3.org/2000/svg}"


def _names(root: Element) -> set[str]:
    return {chip.get("data-resource", "") for chip in root.findall(f".//{SVG}g[@data-resource]")}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_picture_is_that_of_the_stack(
    stack: str, engine: Path, aws: Aws, tmp_path: Path, parsed: Callable[[str], Element]
) -> None:
    preview = Stack(stack, engine=engine, endpoint=aws.endpoint, folder=tmp_path).previewed_json()
    now = from_preview(preview, stack=stack, engine="")
    path = REPOSITORY / "docs" / "diagrams" / f"{stack}.svg"
    committed = parsed(path.read_text(encoding="utf-8"))
    drawn, shown = _names(parsed(draw(now))), _names(committed)
    assert committed.get("data-graph") == now.fingerprint, (
        f"{path.relative_to(REPOSITORY)} is stale: run `make diagram STACK={stack}` and commit it. "
        f"New: {sorted(drawn - shown) or 'none'}; gone: {sorted(shown - drawn) or 'none'}; "
        "else dependencies, components or protection differ."
    )


def test_a_stack_without_a_file_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(EngineError, match=r"--stack is nowhere but .* Use one of dev, local, prod"):
        graph_of("nowhere", Console())
