"""Nodes whose machines are gone in the cloud, and what becomes of their pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelemma import api
from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.machines import Machine
from kubelemma.model.cluster.state import Group, NodeState, Phase
from kubelemma.model.components.cloudnodelifecycle.actions import (
    COLLECT_ORPHAN,
    DELETE_NODE,
    TAINT_SHUTDOWN,
    UNTAINT_SHUTDOWN,
)
from kubelemma.model.components.cloudnodelifecycle.decision import (
    is_orphan,
    is_tainted,
    is_untainted,
    node_goes,
)
from kubelemma.model.components.cloudnodelifecycle.rules import OF_NODES, collect
from kubelemma.model.components.kubelet.actions import NODE_RETURN, RUNTIME_RETURN
from kubelemma.model.components.nodelifecycle.decision import ZoneNodes, ZoneState
from kubelemma.model.components.nodelifecycle.rules import (
    Census,
    KnownZone,
    Pace,
    judged,
    settled,
)
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.manifests.problems import InvalidInput
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State, Transition

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
GONE, MISTAKEN = "cloud-machine-misreported-repaired", "cloud-machine-misreported"


def scenario_of(example: str) -> Scenario:
    """The scenario of an example."""
    case, *_ = api.ask(api.Question(paths=(str(EXAMPLES / example),))).cases
    return case.scenario


def steps(scenario: Scenario) -> Iterator[tuple[State, Transition]]:
    """Every step of every state that can be reached."""
    seen, queue = set(scenario.system.starts), list(scenario.system.starts)
    while queue:
        state = queue.pop()
        for step in scenario.system.successors(state):
            yield state, step
            if step.state not in seen:
                seen.add(step.state)
                queue.append(step.state)


def nodes(scenario: Scenario, state: State) -> tuple[NodeState, ...]:
    """The nodes of a state."""
    at = scenario.system.positions["nodes"]
    return state[at.start : at.stop]


def test_decisions() -> None:
    """The cloud is asked of Nodes that are not Ready; without its Node a pod is an orphan."""
    assert node_goes(ready=False, exists=False)
    assert not node_goes(ready=True, exists=False)
    assert not node_goes(ready=False, exists=True)
    assert is_orphan(node_exists=False)
    assert not is_orphan(node_exists=True)


def test_a_node_that_is_gone_is_nobodys() -> None:
    """Nothing is bound to it, and nothing is written of it; its pods go."""
    scenario, done = scenario_of(GONE), set()
    for state, step in steps(scenario):
        done.add(step.outcome.action)
        for node in nodes(scenario, step.state):
            if node.machine == Machine.DELETED:
                assert not any((node.up, node.ready, node.evicting, node.cordoned))
                assert all(
                    g.phase != Phase.ASSIGNED or g in _pods(state, scenario) for g in node.pods
                )
        if step.outcome.action == COLLECT_ORPHAN:
            assert any(n.machine == Machine.DELETED and n.pods for n in nodes(scenario, state))
    assert {DELETE_NODE, COLLECT_ORPHAN} <= done
    assert done & OF_NODES


def _pods(state: State, scenario: Scenario) -> set[object]:
    return {group for node in nodes(scenario, state) for group in node.pods}


def test_a_machine_that_is_gone_does_not_return() -> None:
    """A machine that is merely down may; one that the cloud does not have may not."""
    scenario = scenario_of(GONE)
    for state, step in steps(scenario):
        if step.outcome.action == NODE_RETURN:
            assert any(n.machine == Machine.THERE and not n.up for n in nodes(scenario, state))
        missing = [n for n in nodes(scenario, step.state) if n.machine != Machine.THERE]
        assert not any(node.up for node in missing)


def test_a_kubelet_that_ails_works_no_more_on_a_machine_that_is_gone() -> None:
    """Its container runtime does not answer again either."""
    check = (
        (EXAMPLES / GONE / "check.yaml").read_text("utf-8").replace("nodeCrash", "runtimeOutage")
    )
    app = (EXAMPLES / MISTAKEN / "statefulset.yaml").read_text("utf-8")
    check = re.sub(r"resources: .*", "resources: []", check)
    (case,) = api.ask(api.Question(paths=("-",), stdin=f"{check}---\n{app}")).cases
    done = set()
    for _, step in steps(case.scenario):
        done.add(step.outcome.action)
        missing = [n for n in nodes(case.scenario, step.state) if n.machine != Machine.THERE]
        assert not any(node.up for node in missing)
    assert {DELETE_NODE, RUNTIME_RETURN} <= done


def test_where_the_cloud_is_mistaken_containers_run_on() -> None:
    """The API forgets the pods of the Node, and the machine does not."""
    scenario = scenario_of(MISTAKEN)
    lingering = {
        group.phase
        for _, step in steps(scenario)
        if step.outcome.action == COLLECT_ORPHAN
        for node in nodes(scenario, step.state)
        if node.machine == Machine.DELETED
        for group in node.pods
    }
    assert Phase.LINGERING in lingering


@pytest.mark.parametrize("phase", [Phase.ENDED, Phase.CREATING, Phase.ASSIGNED])
def test_what_does_not_run_does_not_run_on(phase: Phase) -> None:
    """Containers that have ended, or were never started, do not start as their Node goes."""
    pods = (Group(0, phase, 1),)
    (outcome,) = collect(Machine.DELETED, up=False, cut_off=True, pods=pods)
    assert outcome.writes == {PODS: ()}


def test_a_node_that_is_gone_counts_in_no_zone() -> None:
    """Two that are gone and one that is silent are one of three, which is no disruption."""
    scenario = scenario_of("zone-partly-down")
    there = nodes(scenario, scenario.system.starts[0])
    down = [node._replace(up=False, ready=False) for node in there[:3]]
    gone = [node._replace(machine=Machine.DELETED) for node in down[:2]]
    of_five = settled(scenario.world, (*down, *there[3:]))
    of_three = settled(scenario.world, (*gone, down[2], *there[3:]))
    alone = settled(scenario.world, (*gone, *down[2:]))
    assert [zone.state for zone in of_five.zones] == [ZoneState.PARTIAL_DISRUPTION]
    assert [zone.state for zone in of_three.zones] == [ZoneState.NORMAL]
    assert alone.all_disrupted


def test_zones_are_all_disrupted_where_some_have_no_nodes() -> None:
    """What is not there does not keep the controller from stopping, or from going on."""
    full, normal = KnownZone(ZoneState.FULL_DISRUPTION), KnownZone(ZoneState.NORMAL)
    empty, silent, ready = ZoneNodes(0, 0), ZoneNodes(0, 1), ZoneNodes(1, 0)
    stopped = judged((normal, normal), Census((empty, silent), 0))
    assert stopped == (full, full._replace(pace=Pace.STOPPED))
    assert judged(stopped, Census((empty, silent), 0)) == stopped
    assert judged(stopped, Census((empty, ready), 0)) == (normal, normal)


def test_without_the_event_no_node_goes() -> None:
    """No rule of others is changed, and none is added."""
    names = {rule.name for rule in scenario_of("statefulset-lost-node").system.rules}
    assert not {"delete a Node", "remove from a Node that is gone"} & names


def test_it_needs_a_cloud() -> None:
    """Nobody else would say that a machine is gone."""
    text = (EXAMPLES / MISTAKEN / "check.yaml").read_text("utf-8").replace("  cloud: {}\n", "")
    text = text.replace("resources: [statefulset.yaml]", "resources: []")
    with pytest.raises(InvalidInput, match="needs a cloud, whose machine it is about"):
        api.ask(api.Question(paths=("-",), stdin=text))


def test_a_machine_that_is_switched_off_keeps_its_node() -> None:
    """Its Node is tainted while it is not Ready, and takes no pods until the taint is gone."""
    check = (EXAMPLES / GONE / "check.yaml").read_text("utf-8")
    check = check.replace("machineMissing", "machineStopped") + "  - nodeReturn: {}\n"
    app = (EXAMPLES / MISTAKEN / "statefulset.yaml").read_text("utf-8")
    check = re.sub(r"resources: .*", "resources: []", check)
    (case,) = api.ask(api.Question(paths=("-",), stdin=f"{check}---\n{app}")).cases
    scenario, done = case.scenario, set()
    for state, step in steps(scenario):
        done.add(step.outcome.action)
        before = [n for n in nodes(scenario, state) if n.unsettled]
        after = [n for n in nodes(scenario, step.state) if n.unsettled]
        if step.outcome.action == TAINT_SHUTDOWN:
            assert (len(before), len(after)) == (0, 1)
            assert not after[0].ready
        if step.outcome.action == UNTAINT_SHUTDOWN:
            assert before[0].ready
        if step.outcome.action == BIND:
            assert [_bound(n) for n in before] == [_bound(n) for n in after]
        assert not any(n.machine == Machine.STOPPED and n.up for n in nodes(scenario, step.state))
    assert {TAINT_SHUTDOWN, UNTAINT_SHUTDOWN, NODE_RETURN, BIND} <= done
    assert DELETE_NODE not in done


def _bound(node: NodeState) -> int:
    return sum(group.size for group in node.pods if group.phase == Phase.ASSIGNED)


def test_taints_of_machines() -> None:
    """One that is missing is deleted and not tainted; Ready takes the taint away by itself."""
    assert is_tainted(ready=False, exists=True, stopped=True, tainted=False)
    assert not is_tainted(ready=True, exists=True, stopped=True, tainted=False)
    assert not is_tainted(ready=False, exists=False, stopped=True, tainted=False)
    assert not is_tainted(ready=False, exists=True, stopped=False, tainted=False)
    assert not is_tainted(ready=False, exists=True, stopped=True, tainted=True)
    assert is_untainted(ready=True, tainted=True)
    assert not is_untainted(ready=False, tainted=True)
