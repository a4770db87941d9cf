"""Nodes that somebody deletes, and that their kubelets register again."""

from __future__ import annotations

from pathlib import Path

import pytest
from storing import reachable

from kubelemma import api
from kubelemma.model.cluster.machines import NODELESS, Machine, Unsettled
from kubelemma.model.cluster.state import Ailment, NodeState, Phase
from kubelemma.model.components.cloudnode.actions import MACHINE_UNKNOWN
from kubelemma.model.components.cloudnodelifecycle.actions import COLLECT_ORPHAN
from kubelemma.model.components.kubelet.actions import REMOVE_NODE
from kubelemma.model.components.nodelifecycle.actions import NODE_READY, REGISTER_NODE
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.question import STDIN, Question
from kubelemma.solver.result import Verdict
from kubelemma.vacuous import why

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

WEB = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: KEY
        whenUnsatisfiable: DoNotSchedule
        labelSelector: {matchLabels: {app: web}}
      containers: [{name: web, image: "web:1"}]
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: web}
spec:
  cluster:
    nodes:
    - {name: a, allocatable: {cpu: "1"}, labels: {topology.kubernetes.io/zone: a}}
    - {name: b, allocatable: {cpu: "1"}, labels: {topology.kubernetes.io/zone: b}}
  events: [EVENTS]
  properties: [PROMISES]
"""


def reasons_of(case: api.Case) -> dict[str, str]:
    """Why promises are vacuous, by their identifiers."""
    result = api.explore(case).result
    found = (each for each in result.properties if each.vacuous)
    return {each.property.id: why(each, case.scenario, result.statistics) for each in found}


def nodes(state: tuple[object, ...]) -> list[NodeState]:
    """The nodes of a state."""
    return [value for value in state if isinstance(value, NodeState)]


@pytest.mark.parametrize("key", ["kubernetes.io/hostname", "topology.kubernetes.io/zone"])
def test_a_node_that_is_gone_is_no_domain(key: str) -> None:
    """Its pods come back on the other node, which is the only one that counts."""
    text = WEB.replace("KEY", key).replace("EVENTS", "deleteNode: {node: a}")
    text = text.replace("PROMISES", "RS-1, GC-1, GC-2, NODE-1, NODE-2, NODE-5")
    (case,) = api.ask(Question(paths=(STDIN,), stdin=text)).cases
    explored = api.explore(case)
    assert {found.verdict for found in explored.result.properties} == {Verdict.HOLDS}
    system, done = case.scenario.system, set()
    for state in reachable(system):
        for step in system.successors(state):
            done.add(step.outcome.action)
            then, now = nodes(state), nodes(step.state)
            for before, after in zip(then, now, strict=True):
                if step.outcome.action == BIND and before.machine in NODELESS:
                    assert before == after
                if step.outcome.action == REMOVE_NODE and before != after:
                    assert after.machine == Machine.UNREGISTERED
                    assert (after.up, after.ready, after.tainted) == (True, False, Ailment.NONE)
                    assert after.pods == before.pods
    assert {REMOVE_NODE, COLLECT_ORPHAN, REGISTER_NODE, NODE_READY, BIND} <= done


def test_a_new_node_is_not_ready_and_open() -> None:
    """Nobody has cordoned it, and pods that have not been removed are still there."""
    (case,) = api.ask(Question(paths=(str(EXAMPLES / "node-returns-uncordoned"),))).cases
    system, found = case.scenario.system, False
    for state in reachable(system):
        for step in system.successors(state):
            if step.outcome.action != REGISTER_NODE:
                continue
            pairs = zip(nodes(state), nodes(step.state), strict=True)
            ((before, after),) = ((b, a) for b, a in pairs if b != a)
            assert (after.ready, after.tainted) == (False, Ailment.NOT_READY)
            assert not after.cordoned
            assert after.pods == before.pods
            found = found or before.cordoned
    assert found


@pytest.mark.parametrize("cloud", [True, False])
def test_with_a_cloud_a_new_node_waits_for_it(cloud: bool) -> None:  # noqa: FBT001
    """Its kubelet taints it as at first; what the cloud had said of the old Node is gone."""
    text = WEB.replace("KEY", "kubernetes.io/hostname").replace("EVENTS", "deleteNode: {node: a}")
    text = text.replace("PROMISES", "RS-1, CCM-2" if cloud else "RS-1")
    if cloud:
        shut = "taints: [{key: node.cloudprovider.kubernetes.io/shutdown, effect: NoSchedule}], "
        text = text.replace("  cluster:", "  cloud: {}\n  cluster:")
        text = text.replace("{name: a, alloc", f"{{name: a, {shut}alloc")
    (case,) = api.ask(Question(paths=(STDIN,), stdin=text)).cases
    assert {found.verdict for found in api.explore(case).result.properties} == {Verdict.HOLDS}
    system, found, lost = case.scenario.system, set(), set()
    for state in reachable(system):
        for step in system.successors(state):
            pairs = zip(nodes(state), nodes(step.state), strict=True)
            changed = [(before, after) for before, after in pairs if before != after]
            if step.outcome.action == REGISTER_NODE:
                ((_, new),) = changed
                found.add(new.unsettled)
            elif step.outcome.action == REMOVE_NODE:
                ((old, gone),) = changed
                lost.add(old.unsettled)
                assert gone.unsettled == Unsettled.NONE
            elif step.outcome.action == BIND:
                assert not any(before.unsettled for before, _ in changed)
    assert found == {Unsettled.UNINITIALIZED if cloud else Unsettled.NONE}
    assert (Unsettled.SHUTDOWN in lost) is cloud


def test_a_cloud_may_not_know_a_new_node() -> None:
    """Then it waits for ever, as one that was new at the start does."""
    happens = "[{deleteNode: {node: a}}, {registerNode: {node: a}}, {machineUnknown: {node: a}}]"
    text = WEB.replace("KEY", "kubernetes.io/hostname").replace("[EVENTS]", happens)
    text = text.replace("PROMISES", "CCM-2").replace("  cluster:", "  cloud: {}\n  cluster:")
    (case,) = api.ask(Question(paths=(STDIN,), stdin=text)).cases
    (asked,) = api.explore(case).result.properties
    assert asked.verdict is Verdict.VIOLATED
    assert asked.trace is not None
    actions = {step.outcome.action for step in asked.trace.steps}
    assert actions == {REMOVE_NODE, REGISTER_NODE, MACHINE_UNKNOWN, NODE_READY}


def test_a_kubelet_stops_what_was_removed() -> None:
    """The API forgets a pod whose containers run until their kubelet hears of it."""
    (case,) = api.ask(Question(paths=(str(EXAMPLES / "node-deleted-running"),))).cases
    phases = {
        Phase(group.phase)
        for state in reachable(case.scenario.system)
        for node in nodes(state)
        if node.machine in NODELESS
        for group in node.pods
    }
    assert {Phase.AVAILABLE, Phase.LINGERING} <= phases


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ("nodeShutdown: {drained: true}", "the shutdown waits until a node is drained, and nobody"),
        ("deleteNode: {drained: true}", "the deletion of a Node waits until a node is drained"),
        ("registerNode: {}", "only a Node that was deleted is registered again"),
    ],
)
def test_who_waits_for_what_never_comes_says_so(events: str, words: str) -> None:
    """Where nobody drains, or deletes, what is asked of nodes is vacuous for that reason."""
    text = WEB.replace("KEY", "kubernetes.io/hostname").replace("EVENTS", events)
    text = text.replace("PROMISES", "NODE-1, NODE-2")
    (case,) = api.ask(Question(paths=(STDIN,), stdin=text)).cases
    reasons = reasons_of(case)
    assert set(reasons) == {"NODE-1", "NODE-2"}
    assert all(words in reason for reason in reasons.values())


def test_where_nobody_cordons_no_cordon_is_lost() -> None:
    """A Node that comes back open was open before."""
    text = WEB.replace("KEY", "kubernetes.io/hostname").replace("PROMISES", "NODE-5")
    text = text.replace("EVENTS", "deleteNode: {}")
    (case,) = api.ask(Question(paths=(STDIN,), stdin=text)).cases
    assert reasons_of(case) == {"NODE-5": "no Node is ever cordoned"}


def test_a_cloud_that_misses_no_machine_says_so() -> None:
    """It is asked of nodes that are down, and none ever is."""
    text = WEB.replace("KEY", "kubernetes.io/hostname").replace("EVENTS", "machineMissing: {}")
    text = text.replace("  cluster:", "  cloud: {}\n  cluster:").replace("PROMISES", "CCM-1")
    (case,) = api.ask(Question(paths=(STDIN,), stdin=text)).cases
    assert "none ever is" in reasons_of(case)["CCM-1"]
