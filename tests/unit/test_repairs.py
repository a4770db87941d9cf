"""Repairs that are tried: what is advised is searched, and said to hold only where it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubelemma import api
from kubelemma.question import Case, Question
from kubelemma.repairs import CHANGES, with_trials
from kubelemma.reports.advice import advice
from kubelemma.reports.cases import Repair
from kubelemma.reports.document import HELPS, PropertyReport, Tried
from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Verdict

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RECREATE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: web}]
"""


def explored(case: Case, states: int) -> CheckResult:
    """Search without remembering anything."""
    return check(case.scenario.system, case.properties, Limits(max_states=states))


def tried(question: Question) -> PropertyReport:
    """DEP-4 in the one scenario of a question that violates it, with what was tried."""
    asked = api.ask(question)
    found = [api.explore(case, engine="plain") for case in asked.cases]
    report = with_trials(api.report(found), [each.case for each in found], explored)
    properties = [p for s in report.scenarios for p in s.properties]
    return next(p for p in properties if p.id == "DEP-4" and p.verdict is Verdict.VIOLATED)


def example(name: str) -> PropertyReport:
    """The same of an example."""
    return tried(Question(paths=(str(EXAMPLES / name),)))


@pytest.mark.parametrize(
    ("name", "repairs"),
    [
        ("rollout-anti-affinity", {Repair.OLD_FIRST, Repair.APART_AS_A_WISH}),
        (
            "spread-deadlock",
            {Repair.HONOR_TAINTS, Repair.EACH_VERSION, Repair.SPREAD_AS_A_WISH},
        ),
    ],
)
def test_what_repairs_is_found_to(name: str, repairs: set[Repair]) -> None:
    """The repairs of the gallery hold when they are tried, too."""
    found = example(name)
    assert {one.repair for one in found.tried} == repairs
    assert all(one.verdict is Verdict.HOLDS and not one.instead for one in found.tried)
    assert all(one.tried == HELPS for one in advice(found) if one.repair)


def test_what_does_not_help_is_not_advised() -> None:
    """Two constraints that contradict each other do so for each version by itself as well."""
    found = example("spread-conflict")
    assert Tried(Repair.EACH_VERSION, Verdict.VIOLATED) in found.tried
    assert [one.repair for one in advice(found)] == [Repair.SPREAD_AS_A_WISH]


def test_a_usual_question_is_asked_again() -> None:
    """Of a question that was asked by default, the same events are tried."""
    events = ("rollout=web", "node-crash=1")
    found = tried(Question(paths=("-",), stdin=RECREATE, events=events))
    assert found.tried == (Tried(Repair.ROLLING_UPDATE, Verdict.HOLDS),)
    usual = tried(Question(paths=("-",), stdin=RECREATE, questions=("rollout", "node-lost")))
    assert usual.tried == found.tried


def test_what_is_left_open_is_not_said_to_hold() -> None:
    """A volume that is not modelled may keep pods from starting after a repair as well."""
    text = (EXAMPLES / "rollout-anti-affinity" / "deployment.yaml").read_text("utf-8")
    volume = "      volumes: [{name: d, awsElasticBlockStore: {volumeID: d}}]\n"
    question = Question(
        paths=("-",),
        stdin=text + volume,
        nodes=("count=3,cpu=4,memory=8Gi",),
        questions=("rollout",),
    )
    found = tried(question)
    assert {one.repair for one in found.tried} == {Repair.OLD_FIRST, Repair.APART_AS_A_WISH}
    assert {one.verdict for one in found.tried} == {Verdict.INCONCLUSIVE}


def test_every_repair_can_be_tried() -> None:
    """Whatever advice may name is a change."""
    assert set(CHANGES) == set(Repair)
