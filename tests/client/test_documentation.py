"""What docs/reference/client.md shows runs as it stands there."""

import inspect
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from client import AsyncVanta, Vanta

if TYPE_CHECKING:
    from tests.app.real.conftest import Served, Tenant

TEXT = (Path(__file__).parents[2] / "docs" / "reference" / "client.md").read_text()
BEGINNING, *EXAMPLES, PROGRAM = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def _environment(api: "Served", tenant: "Tenant", monkeypatch: pytest.MonkeyPatch) -> None:
    """What the document exports."""
    monkeypatch.setenv("URL", api.url)
    monkeypatch.setenv("KEY", tenant.key)


def test_each_example_runs_with_its_beginning_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for example in EXAMPLES:
        exec(BEGINNING + example, {"__name__": "example"})  # noqa: S102 - our own documentation
    told = capsys.readouterr().out
    assert len(EXAMPLES) == 3
    assert "somebody was faster" in told
    assert "urn:vanta:problem:not-found" in told
    assert "1 vanta.state.document.created state/agents/planner/7" in told


def test_the_program_runs_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trip.py"
    file.write_text(PROGRAM)
    for _ in range(2):
        runpy.run_path(str(file), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [f"That was message {said}." for said in (1, 3, 5, 7)]


@pytest.mark.parametrize("client", [Vanta, AsyncVanta])
def test_the_defaults_are_those_it_names(client: type) -> None:
    defaults = inspect.signature(client).parameters
    assert f"`retries={defaults['retries'].default}`" in TEXT
    assert f"`timeout={defaults['timeout'].default:g}`" in TEXT
