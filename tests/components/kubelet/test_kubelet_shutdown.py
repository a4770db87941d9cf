"""Graceful node shutdown: who ends when, and what becomes of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from storing import reachable

from kubelemma import api
from kubelemma.model.cluster.state import Phase
from kubelemma.model.components.kubelet.actions import END_POD, NODE_SHUTDOWN, POWER_OFF
from kubelemma.model.components.kubelet.decision import next_to_end
from kubelemma.model.components.kubelet.decision.shutdown import SYSTEM_CRITICAL_PRIORITY
from kubelemma.model.components.nodelifecycle.actions import NODE_NOT_READY
from kubelemma.question import STDIN, Question
from kubelemma.solver.result import Verdict

MEMBER = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1"}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: member}
spec:
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1", memory: 1Gi, pods: "9"}}]}
  events: [{nodeShutdown: {node: node-1}}]
  properties: [STS-1]
"""


@given(st.lists(st.integers(-5, 5) | st.integers(SYSTEM_CRITICAL_PRIORITY, 2**31 - 1)))
def test_critical_pods_end_last(priorities: list[int]) -> None:
    """As long as any other is left, none of them ends; all of one group may end in any order."""
    now = next_to_end(priorities)
    regular = [i for i, p in enumerate(priorities) if p < SYSTEM_CRITICAL_PRIORITY]
    assert list(now) == (regular or list(range(len(priorities))))


def test_a_member_fails_and_is_made_anew() -> None:
    """What is Failed leaves its name to another; the API hears first that the node is not Ready."""
    (case,) = api.ask(Question(paths=(STDIN,), stdin=MEMBER)).cases
    scenario, done = case.scenario, set()
    for state in reachable(scenario.system):
        for step in scenario.system.successors(state):
            done.add(step.outcome.action)
            if step.outcome.action == POWER_OFF:
                (node,) = (state[p] for p in step.positions if hasattr(state[p], "up"))
                assert not node.ready
                assert all(group.phase == Phase.FAILED for group in node.pods)
    assert {NODE_SHUTDOWN, END_POD, POWER_OFF, NODE_NOT_READY} <= done
    found = {p.property.id: p.verdict for p in api.explore(case).result.properties}
    assert found["STS-1"] is Verdict.HOLDS
