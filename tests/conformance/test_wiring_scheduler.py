"""The wired scheduler against the real one: which nodes its rule may bind a recorded pod to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wired import Case, count, sample, scheduler

from kubelemma.model.components.scheduler.decision.node_name import pre_enqueue
from kubelemma.model.components.scheduler.decision.profile import decide


@pytest.fixture(scope="session")
def problems(oracle: Callable[[str], list[Case]]) -> list[Case]:
    """All recorded problems of the scheduler."""
    return oracle("scheduler")


def test_random_problems(problems: list[Case], tally: Any) -> None:
    """The rule has an outcome for every feasible node, and with scores for every best one."""
    for case in sample(problems, 12):
        count(tally, "wired scheduler", case["id"], scheduler.compare(case))
    tally.verify("wired scheduler")


def test_nodes_almost_alike(problems: list[Case], tally: Any) -> None:
    """With one more node for each, without one label or pod, it binds where the profile would."""
    for case in sample(problems, 60):
        count(tally, "wired nodes almost alike", case["id"], scheduler.compare_merged(case))
    tally.verify("wired nodes almost alike")


@given(st.integers(0, 2_499), st.integers(0, 11), st.integers(1, 3))
def test_nodes_that_are_alike(problems: list[Case], which: int, node: int, copies: int) -> None:
    """With more nodes like one of a problem, which are one shape, all of them stand for it."""
    case = problems[which % len(problems)]
    asked = scheduler.problem(case["input"])
    assume(not scheduler.left_out(case) and pre_enqueue(asked.pod).ok)
    more = scheduler.with_copies(asked, node % len(asked.nodes), copies)
    decision = decide(more.pod, more.snapshot)
    assert scheduler.bound(more, scoring=False) == sorted(decision.feasible)
    assert scheduler.bound(more, scoring=True) == sorted(decision.scores.best)
