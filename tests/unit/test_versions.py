"""Versions of Kubernetes: what their names mean, and what their gates are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.versions import (
    GATES,
    MODELLED,
    NEWEST,
    Release,
    Treatment,
    Version,
    release_of,
    version_named,
    version_problem,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("1.35", NEWEST),
        ("v1.35", NEWEST),
        ("1.35.2", Release(1, 35, 2)),
        ("v1.35.3-gke.100", Release(1, 35, 3)),
        ("v1.35.0-rc.1", Release(1, 35, 0)),
        ("1.29.0", Release(1, 29, 0)),
        ("1.36", Release(1, 36)),
        ("1", None),
        ("new", None),
        ("1.35.x", None),
        ("", None),
    ],
)
def test_a_name_means_a_release(text: str, release: Release | None) -> None:
    """With or without a v, a patch, and what a vendor adds."""
    assert release_of(text) == release


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1.35", None),
        ("1.35.4", None),
        ("1.36", "1.36 is newer than Kubernetes 1.35, which is modelled"),
        ("v1.30.2", "v1.30.2 is older than Kubernetes 1.35, which is modelled"),
        ("latest", '"latest" is no version such as 1.35'),
    ],
)
def test_what_is_not_modelled_is_refused(text: str, problem: str | None) -> None:
    """Only 1.35 is modelled."""
    assert version_problem(text) == problem


def test_without_a_name_it_is_what_is_modelled() -> None:
    """And a version that is not modelled has no value."""
    assert version_named("") == MODELLED
    with pytest.raises(ValueError, match="is newer than"):
        version_named("1.40")


@pytest.mark.parametrize(
    ("text", "on"), [("1.35.0", True), ("1.35.3", True), ("1.35.4", False), ("1.35", False)]
)
def test_a_patch_may_turn_a_gate_off(text: str, on: bool) -> None:  # noqa: FBT001
    """Source: kubernetes#137409, by which it was switched off in a patch release."""
    assert version_named(text).on("MaxUnavailableStatefulSet") is on


def test_a_gate_may_be_changed_and_must_be_known() -> None:
    """What is said counts before the default."""
    assert Version(NEWEST, (("WatchListClient", False),)).on("WatchListClient") is False
    assert MODELLED.on("WatchListClient") is True
    with pytest.raises(KeyError):
        MODELLED.on("NoSuchGate")


@given(st.builds(Release, st.just(1), st.integers(30, 40), st.integers(0, 9)))
def test_a_default_holds_until_the_next_one(release: Release) -> None:
    """The last entry that is not later than the release counts."""
    for gate in GATES.values():
        earlier = [on for first, on in gate.since if first <= release]
        assert gate.default(release) is (earlier[-1] if earlier else False)
        assert [first for first, _ in gate.since] == sorted(first for first, _ in gate.since)


def test_gates_that_are_asked_are_those_that_say_so() -> None:
    """Whoever asks by a name that is no gate is found here, and data that nobody asks."""
    asked = set()
    for path in (ROOT / "model").rglob("*.py"):
        text = path.read_text("utf-8")
        if path.name == "versions.py" or ".on(" not in text:
            continue
        literals = {n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant)}
        asked |= literals & GATES.keys()
    assert asked == {name for name, gate in GATES.items() if gate.treatment is Treatment.ASKED}


def test_the_page_has_every_gate_as_it_is() -> None:
    """docs/model.md tells what the data says."""
    page = (ROOT / "docs" / "model.md").read_text("utf-8")
    for name, gate in GATES.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert row.endswith(f"| {gate.changes} | {gate.treatment.value} |")
