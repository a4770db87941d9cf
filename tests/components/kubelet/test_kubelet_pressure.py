"""Nodes that are short of memory: who goes, and who is let in."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storing import reachable

from kubelemma import api
from kubelemma.model.cluster.machines import Memory
from kubelemma.model.cluster.state import Ailment, NodeState, Phase
from kubelemma.model.components.kubelet.actions import (
    ADMIT,
    EVICT_SHORT,
    MEMORY_EASES,
    MEMORY_FREED,
    MEMORY_SHORT,
    NODE_RETURN,
    REJECT,
    REPORT_MEMORY,
)
from kubelemma.model.components.kubelet.decision.pressure import (
    Candidate,
    Use,
    admits_under_pressure,
    candidate,
    next_to_evict,
)
from kubelemma.model.components.kubelet.decision.shutdown import SYSTEM_CRITICAL_PRIORITY
from kubelemma.model.components.nodelifecycle.actions import (
    SWAP_NO_SCHEDULE,
    TAINT_NO_SCHEDULE,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod
from kubelemma.question import STDIN, Question
from kubelemma.solver.result import Verdict

SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1", resources: RESOURCES}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: short}
spec:
  cluster: {nodes: [{count: 1, allocatable: {cpu: "1", memory: 1Gi, pods: "9"}}]}
  events: [{memoryPressure: {}}]
"""
POSSIBLE = {
    Use.WITHIN: (-2, -1, 0),
    Use.OPEN: (-2, -1, 0, 1, 2),
    Use.EXCEEDS: (1, 2),
}
"""By how much a pod may use more than it requests."""


class Measured(NamedTuple):
    """A pod with its use of memory beyond its request; negative where it uses less."""

    beyond: int
    priority: int


def first_of(pods: list[Measured]) -> int:
    """The place of the pod that is evicted first, of pods whose use is known.

    One that uses more than it requests, then one of low priority, then one that uses most beyond
    (``rankMemoryPressure`` in pkg/kubelet/eviction/helpers.go).
    """
    rank = [(pod.beyond <= 0, pod.priority, -pod.beyond) for pod in pods]
    return rank.index(min(rank))


CANDIDATES = st.builds(
    Candidate, st.sampled_from(Use), st.sampled_from((0, 1, SYSTEM_CRITICAL_PRIORITY))
)


@given(st.lists(CANDIDATES, max_size=4))
def test_whoever_may_be_first_may_go(pods: list[Candidate]) -> None:
    """They are those that come first by some use of memory of all, critical pods aside."""
    asked = [i for i, pod in enumerate(pods) if not pod.critical]
    uses = product(*(POSSIBLE[pods[i].use] for i in asked))
    firsts = {
        asked[first_of([Measured(b, pods[i].priority) for b, i in zip(use, asked, strict=True)])]
        for use in uses
        if asked
    }
    assert set(next_to_evict(pods)) == firsts


def pod(resources: object, **spec: object) -> Pod:
    """A pod of one container."""
    container = {"name": "c", "image": "c:1", "resources": resources}
    return decode({"metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}, Pod)


@pytest.mark.parametrize(
    ("resources", "use"),
    [
        ({}, Use.EXCEEDS),
        ({"requests": {"cpu": "1"}}, Use.EXCEEDS),
        ({"requests": {"memory": "1Gi"}}, Use.OPEN),
        ({"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}, Use.OPEN),
        ({"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}, Use.WITHIN),
    ],
)
def test_what_a_pod_may_use(resources: object, use: Use) -> None:
    """By its requests and limits of memory."""
    assert candidate(pod(resources)).use is use


def test_whom_a_node_short_of_memory_admits() -> None:
    """All but those of class BestEffort that do not tolerate the taint; critical pods always."""
    tolerates = {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}
    assert not admits_under_pressure(pod({}))
    assert admits_under_pressure(pod({"requests": {"cpu": "1m"}}))
    assert admits_under_pressure(pod({"limits": {"memory": "1Mi"}}))
    assert admits_under_pressure(pod({}, tolerations=[tolerates]))
    assert admits_under_pressure(pod({}, priority=SYSTEM_CRITICAL_PRIORITY))


@pytest.mark.parametrize("resources", ["{}", "{requests: {cpu: 1m, memory: 1Mi}}"])
def test_a_shortage_comes_and_goes(resources: str) -> None:
    """It evicts at most once, is reported and tainted late, and all of it goes again."""
    text = SET.replace("RESOURCES", resources)
    (case,) = api.ask(Question(paths=(STDIN,), stdin=text)).cases
    system, done = case.scenario.system, set()
    for state in reachable(system):
        for step in system.successors(state):
            done.add(step.outcome.action)
            (before,) = (value for value in state if isinstance(value, NodeState))
            (after,) = (value for value in step.state if isinstance(value, NodeState))
            if step.outcome.action == EVICT_SHORT:
                assert (before.memory, after.memory) == (Memory.SHORT, Memory.EASED)
                assert [group.phase for group in after.pods] == [Phase.FAILED]
            if step.outcome.action == ADMIT and resources == "{}":
                assert before.memory == Memory.ENOUGH
            if after.memory == Memory.ENOUGH:
                assert not after.reported & Ailment.MEMORY_PRESSURE
    expected = {MEMORY_SHORT, EVICT_SHORT, MEMORY_FREED, REPORT_MEMORY, MEMORY_EASES}
    assert expected | {TAINT_NO_SCHEDULE, SWAP_NO_SCHEDULE} <= done
    assert (REJECT in done) is (resources == "{}")


STATEFUL = SET.replace("RESOURCES", "{}") + "  properties: [KUB-2]\n"


def test_what_is_evicted_has_ended() -> None:
    """KUB-2 is asked of a pod that a kubelet evicts, and that is Failed then."""
    (case,) = api.ask(Question(paths=(STDIN,), stdin=STATEFUL)).cases
    (asked,) = api.explore(case).result.properties
    assert (asked.verdict, asked.vacuous) == (Verdict.HOLDS, False)


def test_memory_is_free_after_a_boot() -> None:
    """A machine that crashes while it is short of memory evicts nobody when it is back."""
    text = SET.replace("RESOURCES", "{requests: {memory: 100Mi}}")
    text = text.replace("{memoryPressure: {}}", "{memoryPressure: {}}, {nodeCrash: {}}")
    (case,) = api.ask(Question(paths=(STDIN,), stdin=text)).cases
    system = case.scenario.system
    (place,) = system.positions["nodes"]
    short = [state for state in reachable(system) if state[place].memory == Memory.SHORT]
    boots = [
        step.state[place].memory
        for state in short
        for step in system.successors(state)
        if step.outcome.action == NODE_RETURN
    ]
    assert set(boots) == {Memory.EASED}
