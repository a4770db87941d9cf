"""The page on what the model has of Kubernetes says neither more nor less than there is."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

from kubelemma.properties.catalogue import STATEMENTS

ROOT = Path(__file__).resolve().parents[2]


@cache
def tool() -> ModuleType:
    """The program that writes the page."""
    path = ROOT / "tools" / "coverage_page.py"
    spec = importlib.util.spec_from_file_location("tools_coverage_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date() -> None:
    """The page in the docs says what the registries have; make pages writes it."""
    assert tool().page() == (ROOT / "docs" / "coverage.md").read_text("utf-8")


def test_everything_has_a_duty() -> None:
    """Every step of a rule, every event, every promise and every case is part of some duty.

    What is new belongs to one in ``DUTIES`` of tools/coverage_page.py, which is then not empty.
    """
    assert tool().missing() == ()


def test_nothing_is_named_that_is_not_there() -> None:
    """What a duty names is in a registry, in the catalogue or in the gallery."""
    page = tool()
    duties = [duty for found in page.DUTIES.values() for duty in found]
    assert {step for duty in duties for step in duty.steps} <= set(page.ROOMS)
    assert {name for duty in duties for name in duty.promises} <= set(STATEMENTS)
    assert {name for duty in duties for name in duty.cases} <= set(page.gallery())
    for room in {room for duty in duties for room in duty.rooms}:
        assert any((ROOT / "model" / folder / room).is_dir() for folder in (".", "components"))
