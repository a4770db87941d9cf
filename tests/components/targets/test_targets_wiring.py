"""Load balancers that send to pods: whom they know, and what a rollout leaves them."""

from __future__ import annotations

import pytest
from budgeted import verdicts
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.targets.decision import known_after
from kubelemma.model.components.targets.rules import Known, targeted
from kubelemma.model.scenario import Scenario
from kubelemma.question import STDIN, Question, ask

NUMBERS = st.integers(0, 5)
APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}}
    spec:
      readinessGates: GATES
      containers: [{name: web, image: "web:1"}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: TYPE, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: web}
spec:
  cloud: CLOUD
  cluster: {nodes: [{count: 2}]}
  events: [EVENT]
"""
GATE = "[{conditionType: cloud.google.com/load-balancer-neg-ready}]"


def served(**parts: str) -> Scenario:
    """A Deployment behind a Service, and what else is said."""
    given = {
        "REPLICAS": "1",
        "GATES": "[]",
        "TYPE": "LoadBalancer",
        "CLOUD": "{targets: pods}",
        "EVENT": "{rollout: {deployment: web}}",
        **parts,
    }
    text = APP
    for word, value in given.items():
        text = text.replace(word, value)
    (case,) = ask(Question(paths=(STDIN,), stdin=text)).cases
    return case.scenario


@given(NUMBERS, NUMBERS, st.data())
def test_any_of_those_that_are_ready_may_go(known: int, unknown: int, data: st.DataObject) -> None:
    """What is left is known or not; each that goes is one of the two."""
    leaving = data.draw(st.integers(0, known + unknown))
    found = list(known_after(known, unknown, leaving, 0))
    assert found
    for left in found:
        assert 0 <= left <= known
        assert 0 <= unknown - (leaving - (known - left)) <= unknown


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ({}, "violated"),
        ({"GATES": GATE}, "holds"),
        ({"GATES": "[{conditionType: example.com/other}]"}, "violated"),
        ({"REPLICAS": "2"}, "violated"),
    ],
)
def test_a_rollout_waits_only_for_who_has_a_gate(parts: dict[str, str], verdict: str) -> None:
    """One of the load balancer's controller, not any."""
    assert verdicts(served(**parts), "LB-4") == {"LB-4": verdict}


@pytest.mark.parametrize(
    "parts",
    [
        {"CLOUD": "{}"},
        {"TYPE": "ClusterIP"},
        {"EVENT": "{nodeCrash: {}}"},
    ],
)
def test_it_is_there_only_where_it_is_asked_for(parts: dict[str, str]) -> None:
    """Load balancers send to nodes otherwise; without one, or where machines fail, none does."""
    found = served(**parts)
    assert not [cell for cell in found.system.cells if cell.name.startswith("targets of")]
    assert verdicts(found, "LB-4") == {}


def test_it_knows_all_that_are_ready_in_the_end() -> None:
    """Never more than there are, in any state; and where nobody acts, all of them."""
    found = served()
    (each,) = targeted(found.world)
    system = found.system
    at = system.positions[each.cell].start
    seen, waiting = {system.initial}, [system.initial]
    while waiting:
        state = waiting.pop()
        known: Known = state[at]
        ready = system.summary(state)[each.front.tally]
        steps = list(system.successors(state))
        assert known.pods <= ready
        if not any(not step.rule.environment for step in steps):
            assert known.pods == ready
        after = {step.state for step in steps} - seen
        seen |= after
        waiting += after
