"""Which stories are told once: those that differ in the names of their objects only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.statement import Severity
from kubelemma.reports.alike import likeness, story_likeness
from kubelemma.reports.document import PropertyReport
from kubelemma.reports.picture import BudgetBox, NodeBox, Picture, WorkloadBox
from kubelemma.reports.story import Fact, Story, StoryStep
from kubelemma.solver.result import Verdict

NAMES = st.from_regex(r"x[a-z-]{0,6}[a-z]", fullmatch=True)


def story(name: str, node: str = "node-1", size: int = 2, budget: str = "") -> Story:
    """A story of a Deployment and its budget on a node."""
    guard = budget or f"{name}-guard"
    steps = (
        StoryStep(1, "user", "scale", f"scales {name} to {size}", why=f"{name}: so it is."),
        StoryStep(2, "scheduler", "bind", f"binds {name}-v1-1 to {node}", facts=(Fact("a", name),)),
        StoryStep(3, "api-server", "evict", f"asks shop/{guard} of {name}."),
    )
    picture = Picture(
        (WorkloadBox(f"shop/{name}", size, "v1"),),
        nodes=(NodeBox("node-1"), NodeBox("node-2")),
        budgets=(BudgetBox(f"shop/{guard}", 1, 1, 1, 0),),
    )
    subject = f"Deployment shop/{name}"
    return Story("DEP-4", subject, (), steps, None, True, (f"{name} hangs",), picture=picture)


@given(NAMES)
def test_names_make_no_difference(name: str) -> None:
    """Whatever a Deployment, its budget and its nodes are called, the story is the same."""
    assert story_likeness(story(name)) == story_likeness(story("web", "node-2"))


def test_parts_of_names_are_no_names() -> None:
    """What only begins or ends like a name stays as it is."""
    for words in ("webbing", "web-api", "my-web", "web.example", "/srv/web"):
        steps = (StoryStep(1, "user", "say", f"says {words}"),)
        one, other = (replace(story(name), steps=steps) for name in ("web", "api"))
        assert story_likeness(one) == story_likeness(other), words


@pytest.mark.parametrize(
    "other",
    [
        story("api", size=3),
        replace(story("api"), standstill=False),
        replace(story("api"), loop_start=1),
        replace(story("api"), conclusion=("it goes on",)),
        replace(story("api"), steps=story("api").steps[:2]),
    ],
)
def test_what_happens_makes_a_difference(other: Story) -> None:
    """Other numbers, another end, other steps are another story."""
    assert story_likeness(other) != story_likeness(story("web"))


def test_what_it_weighs_makes_a_difference() -> None:
    """Violations of one course are told apart where one counts more."""
    found = PropertyReport(
        STATEMENTS["DEP-4"], "Deployment web", Verdict.VIOLATED, story=story("a")
    )
    assert likeness(found) == likeness(replace(found, subject="Deployment api"))
    assert likeness(found) != likeness(replace(found, regraded=Severity.LOW))
    assert likeness(found) != likeness(replace(found, expected="violated"))
    assert likeness(found) != likeness(replace(found, statement=STATEMENTS["STUCK"]))
