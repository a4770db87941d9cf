"""On what steps rest, and which of them decide: known answers on the examples."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kubelemma import api
from kubelemma.question import Question
from kubelemma.reports.narrate.decisive import _goes_round
from kubelemma.reports.story import Story

EXAMPLES = Path(__file__).parents[2] / "examples"


@cache
def stories(example: str) -> dict[str, Story]:
    """The stories of an example, by property."""
    found = [
        api.explore(case) for case in api.ask(Question(paths=(str(EXAMPLES / example),))).cases
    ]
    return {
        prop.id: prop.story
        for scenario in api.report(found).scenarios
        for prop in scenario.properties
        if prop.story is not None
    }


def test_what_was_read_is_dated() -> None:
    """A read rests on the step that wrote it last; what was so at the start on none."""
    step = stories("rollout-node-crash")["DEP-2"].steps[8]
    since = {fact.name: fact.since for fact in step.facts}
    assert step.summary == "sets spec.replicas of ReplicaSet web-v1 to 0"
    assert since["ReplicaSet web-v2"] == 8
    assert since["ReplicaSet web-v1"] == 0
    assert since["maxSurge"] == 0


def test_what_the_input_says_is_so_from_the_start() -> None:
    """Even where the actor went by something else in between, such as a plan that it had made."""
    step = stories("spread-small-node")["DEP-4"].steps[3]
    since = {fact.name: fact.since for fact in step.facts}
    assert since["maxSurge"] == since["maxUnavailable"] == 0
    assert since["ReplicaSet web-v1"] == 3


def test_steps_follow_what_made_them_possible() -> None:
    """From a pod that was created to its binding, its admission, its readiness."""
    steps = stories("rollout-node-crash")["DEP-2"].steps
    assert [step.follows for step in steps] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 11]


def test_a_status_that_lags_was_made_old_by_a_step() -> None:
    """What is not seen has a step that did it."""
    (first,) = stories("eviction-stale-status")["DRAIN-2"].steps[2].missed
    assert first.step == 1
    assert "its status still says 2" in first.words


def test_a_sync_goes_by_what_it_had_read() -> None:
    """What others have changed since it was read makes a write one that is out of date."""
    steps = stories("recreate-overlap")["DEP-3"].steps
    (found,) = [one for step in steps for one in step.missed]
    assert found in steps[6].missed
    assert found.step == 5
    assert found.words == (
        "spec.replicas of ReplicaSet web-v1 was 2 when it read that in step 3, and is 0 now"
    )


@pytest.mark.parametrize(
    ("example", "prop", "step", "words"),
    [
        ("rollout-node-crash", "DEP-2", 14, "It breaks the promise"),
        ("cordon-rollout", "STUCK", 5, "after it they cannot any more"),
        ("missing-service-account", "DEP-4", 3, "after it they cannot any more"),
        ("drain-dead-node", "DRAIN-1", 2, "after it they cannot any more"),
        ("drain-full-cluster", "DRAIN-1", 1, "after it they cannot any more"),
        ("tolerationseconds-loop", "RS-1", 6, "again and again"),
        ("tolerationseconds-loop", "DEP-4", 1, "not as promised, to the end"),
    ],
)
def test_the_step_that_decides(example: str, prop: str, step: int, words: str) -> None:
    """What breaks a promise, or after which nobody can keep it any more."""
    decisive = stories(example)[prop].decisive
    assert decisive is not None
    assert decisive.step == step
    assert words in decisive.words


def test_loops_are_found() -> None:
    """Whoever may go round for ever among states need not come to rest."""
    assert not _goes_round({})
    assert not _goes_round({(0,): [(1,)], (1,): [(2,)]})
    assert _goes_round({(0,): [(1,)], (1,): [(2,), (0,)]})
    assert _goes_round({(0,): [(0,)]})
