"""The coverage page says what the table does, and no type of the program is left out of both."""

import ast
import functools
from dataclasses import replace

import pytest

from local.home import REPOSITORY
from local.provider.aws.coverage import GAPS, PAGE, coverage_page
from local.provider.aws.table import TABLE
from local.provider.aws.types import Call, ResourceType


def places(tokens: set[str]) -> set[tuple[str, ...]]:
    """``("rds", "Cluster")`` of ``aws:rds/cluster:Cluster``: how the program spells it."""
    return {(token.split(":")[1].split("/")[0], token.split(":")[2]) for token in tokens}


@functools.cache
def declared() -> set[tuple[str, ...]]:
    """Every ``aws.MODULE.TYPE(...)`` in the program, whatever configuration it takes to get there."""
    found = set()
    for path in (REPOSITORY / "infra").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                aws, *place = ast.unparse(node.func).split(".")
                if aws == "aws" and len(place) == 2 and place[1][0].isupper():
                    # The SDK spells a module that would be a word of Python with an underscore.
                    found.add((place[0].removesuffix("_"), place[1]))
    return found


def row(entry: ResourceType) -> str:
    (line,) = [line for line in coverage_page([entry]).splitlines() if f"`{entry.token}` |" in line][:1]
    return line


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text() == coverage_page(TABLE.values()), "run python -m local.provider.aws.coverage"


def test_every_type_that_the_program_can_declare_is_covered_or_a_listed_gap() -> None:
    assert len(declared()) > 40
    assert declared() - places(TABLE.keys() | GAPS.keys()) == set()


def test_what_is_only_checked_is_not_said_to_be_tried() -> None:
    assert "| service model |" in row(TABLE["aws:appautoscaling/target:Target"])
    key = TABLE["aws:kms/key:Key"]
    assert "| emulator |" in row(key)
    assert "| emulator, without a call to read it back |" in row(replace(key, read=None))
    rotation = Call(operation="enable_key_rotation", emulated=False)
    assert "| emulator; service model for `enable_key_rotation` |" in row(replace(key, updates=(rotation,)))


@pytest.mark.parametrize("token", sorted(GAPS))
def test_a_gap_is_of_a_type_that_the_program_can_declare(token: str) -> None:
    assert places({token}) <= declared()
