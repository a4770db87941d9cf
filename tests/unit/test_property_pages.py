"""The pages of properties in the documentation, and what SARIF's readers are told of a property."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.reports import property_pages
from kubelemma.reports.property_pages import help_text, page_path, page_url

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "properties"
GALLERY = (ROOT / "docs" / "gallery.md").read_text("utf-8")


@cache
def generator() -> ModuleType:
    """The script that writes the pages."""
    path = ROOT / "tools" / "property_pages.py"
    spec = importlib.util.spec_from_file_location("tools_property_pages", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_pages_are_up_to_date() -> None:
    """What is in docs/properties is what ``make pages`` writes."""
    written = generator().pages()
    there = {path.name: path.read_text("utf-8") for path in PAGES.glob("*")}
    assert set(written) == set(there)
    assert [name for name, text in written.items() if there[name] != text] == [], "run: make pages"


@pytest.mark.parametrize("identifier", STATEMENTS)
def test_a_page_tells_a_real_story(identifier: str) -> None:
    """Every property has a page, with a story that contradicts it and comes from somewhere."""
    text = (ROOT / page_path(identifier)).read_text("utf-8")
    assert f"\nWhere it contradicts {identifier}\n" in text
    assert re.search(r"^ +1 . ", text.partition("\nWhat happens\n")[2], re.MULTILINE)
    assert ("kubelemma check examples/" in text) is not ("breaks the model on purpose" in text)


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link leads to a file, and those into the gallery to a case of it."""
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", page.read_text("utf-8")):
        path, _, case = target.partition("#")
        assert (page.parent / path).exists(), target
        assert not case or f"\n## {case}\n" in GALLERY, target


@pytest.mark.parametrize("identifier", STATEMENTS)
def test_sources_are_places(identifier: str) -> None:
    """Where a promise is written is a page of the documentation, or a path in the source."""
    references = STATEMENTS[identifier].references()
    assert references
    form = r"https://kubernetes\.io/docs/\S+|(staging/src/k8s\.io/[a-z-]+/|plugin/)?"
    form += r"(pkg|controllers)/[a-z0-9_/]+(\.go)?"
    assert [part for part in references if not re.fullmatch(form, part)] == []


def test_help_has_all_that_is_known() -> None:
    """The Markdown of a property leaves nothing out, and links into Kubernetes' source."""
    for statement in STATEMENTS.values():
        plain = help_text(statement).replace("\\", "")
        told = (statement.statement, statement.why, statement.conditions, statement.remediation)
        assert [part for part in told if part not in plain] == []
        assert all(part in plain for part in statement.references())


def test_address_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none while the pages are not published, and then one constant says where."""
    assert page_url("DEP-4") is None
    monkeypatch.setattr(property_pages, "SITE", "https://example.org/")
    assert page_url("DEP-4") == "https://example.org/properties/DEP-4.html"
