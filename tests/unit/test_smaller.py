"""What a limit leaves undecided is asked of fewer replicas, and said for what it is."""

from __future__ import annotations

import pytest

from kubelemma import api
from kubelemma.leaving_open import doubted
from kubelemma.question import Case, Question
from kubelemma.smaller import SHARE, kept_seconds, with_smaller
from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, PropertyResult, Verdict

STATES = 900
"""Enough for a few replicas, and not for ten."""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 10
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: web}]
"""
MOUNTED = f"""{DEPLOYMENT}
      volumes: [{{name: data, awsElasticBlockStore: {{volumeID: v}}}}]
"""


def explored(case: Case) -> CheckResult:
    """What comes out in so few states."""
    return check(case.scenario.system, case.properties, Limits(max_states=STATES))


def asked(text: str, *properties: str) -> tuple[Case, dict[str, PropertyResult]]:
    """A rollout of ten replicas, and what is found of each property."""
    question = Question(
        paths=("-",), stdin=text, questions=("rollout",), properties=properties, max_states=STATES
    )
    (case,) = api.ask(question).cases
    found = with_smaller(case, explored(case), explored)
    return case, {each.property.id: each for each in found.properties}


def largest(case: Case) -> tuple[int, dict[str, PropertyResult]]:
    """The largest size of which every state fits the limit, by asking all of them."""
    sizes = {size: case.resized(size, None) for size in case.sizes}
    results = {size: explored(own) for size, own in sizes.items() if own is not None}
    size = max(size for size, found in results.items() if found.statistics.exhaustive)
    return size, {each.property.id: each for each in results[size].properties}


@pytest.mark.parametrize("identifier", ["DEP-1", "DEP-4", "RS-4"])
def test_what_is_undecided_says_what_holds_of_fewer(identifier: str) -> None:
    """It stays undecided; what is said of fewer is what a search of just so many finds."""
    case, found = asked(DEPLOYMENT, identifier)
    size, answers = largest(case)
    assert 0 < size < 10
    assert found[identifier].verdict is Verdict.INCONCLUSIVE
    expected = f"{answers[identifier].verdict} for {size} replicas, every state"
    assert found[identifier].reason.endswith(f"; {expected}")


def test_what_is_decided_is_asked_no_smaller() -> None:
    """A search that came to its end is the answer."""
    case, _ = asked(DEPLOYMENT.replace("10", "2"), "DEP-1")
    whole = explored(case)
    assert whole.statistics.exhaustive
    assert with_smaller(case, whole, lambda _: pytest.fail("it is decided")) is whole


def test_what_is_left_open_is_so_for_fewer() -> None:
    """A disk that may keep pods from starting does so whatever their number."""
    case, found = asked(MOUNTED, "DEP-1", "DEP-4")
    _, answers = largest(case)
    assert doubted(answers["DEP-4"], case).verdict is Verdict.INCONCLUSIVE
    assert "every state" not in found["DEP-4"].reason
    assert "holds for" in found["DEP-1"].reason


def test_what_is_vacuous_of_fewer_is_said_to_be() -> None:
    """Where no node is ever lost, its promise says nothing of any number."""
    case, found = asked(DEPLOYMENT, "NODE-2")
    size, answers = largest(case)
    assert answers["NODE-2"].vacuous
    assert found["NODE-2"].reason.endswith(f"; vacuous for {size} replicas, every state")


def test_fewer_replicas_have_what_is_left_of_the_limit() -> None:
    """A part of it is kept for them, and each of them is given what the others left."""
    question = Question(
        paths=("-",), stdin=DEPLOYMENT, questions=("rollout",), time_limit_seconds=50.0
    )
    (case,) = api.ask(question).cases
    assert kept_seconds(case) == SHARE * 50.0
    undecided = explored(case)
    given: list[Case] = []

    def explore(smaller: Case) -> CheckResult:
        given.append(smaller)
        return explored(smaller)

    with_smaller(case, undecided, explore, spent_seconds=45.0)
    left = [smaller.check.spec.bounds.time_limit_seconds or 0.0 for smaller in given]
    assert left[0] < 5.0
    assert left == sorted(left, reverse=True)
    assert all(kept_seconds(smaller) == 0.0 for smaller in given)
    with_smaller(case, undecided, lambda _: pytest.fail("no time is left"), spent_seconds=50.0)
