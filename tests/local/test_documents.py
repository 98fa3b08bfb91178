"""Whoever reads one page finds the others."""

import re
from pathlib import Path

import pytest

from local.home import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]


def links(page: Path) -> set[Path]:
    """The files that ``page`` leads to."""
    found = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    return {(page.parent / link).resolve() for link in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_leads_nowhere(page: Path) -> None:
    assert [str(link) for link in links(page) if not link.exists()] == []


def test_every_choice_is_listed_by_its_title() -> None:
    choices = sorted((DOCS / "adr").glob("0*.md"))
    titles = [page.read_text().splitlines()[0].removeprefix("# ").split(": ", 1) for page in choices]
    listed = [line for line in (DOCS / "adr" / "README.md").read_text().splitlines() if line.startswith("- ")]
    assert listed == [
        f"- [{number}]({page.name}): {title}" for page, (number, title) in zip(choices, titles, strict=True)
    ]


def test_the_readme_leads_to_every_runbook_and_reference() -> None:
    wanted = {*(DOCS / "runbooks").glob("*.md"), *(DOCS / "reference").glob("*.md")}
    assert wanted - links(REPOSITORY / "README.md") == set()
