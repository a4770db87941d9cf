"""What only a fine grain shows: what is read once, written later, and what others do in between.

Each is something that recorded runs of the real control plane do, and that a coarser model loses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kubelemma.model.cluster.state import ACTIVE, DeploymentState, NodeState
from kubelemma.model.cluster.world import NODES
from kubelemma.model.components.nodelifecycle.decision import ZoneState
from kubelemma.model.components.nodelifecycle.rules import LIFECYCLE, KnownZone, Pace
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Application, Scenario, build
from kubelemma.model.system import State
from kubelemma.properties.select import properties_for
from kubelemma.solver.compiled import check
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import Verdict

Raw = dict[str, Any]


def scenario_of(
    replicas: int,
    nodes: Iterable[Raw],
    events: Iterable[Raw] = (),
    *,
    pods: Iterable[str] = (),
    spec: Raw | None = None,
    **others: Any,
) -> Scenario:
    """The scenario of one Deployment.

    ``pods`` are the nodes that its pods stand on, ``others`` are further fields of the Check.
    """
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{}], **(spec or {})}}
    raw = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }
    owner = {"kind": "ReplicaSet", "name": "web-1", "controller": True}
    standing = [
        {
            "metadata": {
                "name": f"web-{i}",
                "namespace": "default",
                "labels": labels,
                "ownerReferences": [owner],
            },
            "spec": {"nodeName": node, "containers": [{}]},
        }
        for i, node in enumerate(pods)
    ]
    application = Application(
        (with_defaults(decode(raw, Deployment)),),
        tuple(with_defaults(decode(node, Node)) for node in nodes),
        tuple(with_defaults(decode(pod, Pod)) for pod in standing),
    )
    document = {"spec": {"events": list(events), **others}}
    (scenario,) = build(application, decode(document, Check))
    return scenario


def node(name: str, *, zone: str = "", room: int = 20) -> Raw:
    """A node with room for so many pods."""
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    status = {"allocatable": {"cpu": "64", "memory": "64Gi", "pods": str(room)}}
    return {"metadata": {"name": name, "labels": labels}, "status": status}


def scale(replicas: int) -> Raw:
    """Somebody sets ``spec.replicas``."""
    return {"scale": {"deployment": "web", "replicas": replicas}}


def reachable(scenario: Scenario, where: Callable[[State], bool] = lambda _: True) -> list[State]:
    """All states that can be reached, those alone being left that meet a condition."""
    system = scenario.system
    seen, level = {system.initial}, [system.initial]
    while level:
        steps = (step for state in level if where(state) for step in system.successors(state))
        fresh = dict.fromkeys(system.canonical(step.state) for step in steps)
        level = [state for state in fresh if state not in seen]
        seen.update(level)
    return list(seen)


def active(scenario: Scenario, state: State) -> list[int]:
    """How many active pods each node has, sorted."""
    nodes: list[NodeState] = [state[p] for p in scenario.system.positions[NODES]]
    return sorted(sum(g.size for g in n.pods if g.phase in ACTIVE) for n in nodes)


def settled(scenario: Scenario) -> set[tuple[int, ...]]:
    """How the active pods may lie where only the environment can act."""
    return {
        tuple(active(scenario, state))
        for state in reachable(scenario)
        if all(step.rule.environment for step in scenario.system.successors(state))
    }


def deployment(scenario: Scenario, state: State) -> DeploymentState:
    """The one Deployment."""
    found: DeploymentState = state[
        scenario.system.positions[scenario.world.workloads[0].cell].start
    ]
    return found


# Victims


def test_victims_are_ranked_once() -> None:
    """Of 5 and 3 pods four go by one ranking: all may be of the first node, or end in balance."""
    scenario = scenario_of(8, [node("a"), node("b")], [scale(4)], pods=[*"aaaaabbb"])
    ends = settled(scenario)
    assert (1, 3) in ends
    assert ends == {(3, 5), (1, 3)}


def test_equally_crowded_nodes_may_be_emptied() -> None:
    """Of 4 and 4 pods, which rank alike, any four may be chosen."""
    scenario = scenario_of(8, [node("a"), node("b")], [scale(4)], pods=[*"aaaabbbb"])
    assert settled(scenario) == {(4, 4), (0, 4), (1, 3), (2, 2)}


def test_a_chosen_pod_is_deleted_though_another_went() -> None:
    """Scaled from 4 to 2 while a user deletes a pod, only 1 may be left for a while."""
    events = [scale(2), {"deletePod": {"deployment": "web"}}]
    scenario = scenario_of(4, [node("a"), node("b")], events)
    sizes = {
        (deployment(scenario, state).sets[0].replicas, sum(active(scenario, state)))
        for state in reachable(scenario)
    }
    assert (2, 1) in sizes
    assert {sum(end) for end in settled(scenario)} == {2, 4}


def test_a_promise_is_broken_by_a_choice_that_is_old() -> None:
    """The chosen pod is deleted although the other one has turned unready since."""
    events = [scale(1), {"probeFailure": {"deployment": "web"}}]
    scenario = scenario_of(2, [node("a"), node("b")], events)
    (found,) = check(scenario.system, properties_for(scenario, ["DEP-2"]), Limits()).properties
    assert found.verdict is Verdict.VIOLATED


# Status, and what a Deployment sync has read


def test_a_status_may_be_older_than_the_pods() -> None:
    """A ReplicaSet's status says what its sync had counted, whatever is true when it is written."""
    events = [{"probeFailure": {"deployment": "web", "max": 2}}]
    scenario = scenario_of(2, [node("a")], events)
    system, available = scenario.system, scenario.world.workloads[0].tally("available")
    found = {
        (step.state[0].sets[0].status_available, system.summary(step.state)[available])
        for state in reachable(scenario)
        for step in system.successors(state)
        if step.outcome.action == "write-status"
    }
    assert (1, (0,)) in found
    assert (1, (2,)) in found


def test_a_deployment_sync_may_write_what_it_had_read_before() -> None:
    """Scaled up and at once down again, the ReplicaSet may still be scaled up after that."""
    scenario = scenario_of(1, [node("a")], [scale(3), scale(1)])
    late = [
        step
        for state in reachable(scenario)
        for step in scenario.system.successors(state)
        if step.outcome.action == "scale-replicaset"
        and deployment(scenario, state).replicas == 1
        and deployment(scenario, step.state).sets[0].replicas == 3
    ]
    assert late
    assert {sum(end) for end in settled(scenario)} == {1, 3}


# Nodes


def zone_memory(scenario: Scenario, state: State) -> tuple[KnownZone, ...]:
    """What the node lifecycle controller remembers of its zones."""
    zones: tuple[KnownZone, ...] = state[scenario.system.positions[LIFECYCLE].start].zones
    return zones


def test_no_evictions_in_a_zone_are_no_full_disruption() -> None:
    """Three of four nodes down: the rate of taints is 0, and those that are there stay."""
    scenario = scenario_of(
        1, [node(name) for name in "abcd"], [{"nodeCrash": {"max": 3}}, {"nodeReturn": {}}]
    )
    partly = [
        state
        for state in reachable(scenario)
        if zone_memory(scenario, state)[0] == KnownZone(ZoneState.PARTIAL_DISRUPTION, Pace.STOPPED)
    ]
    nodes = scenario.system.positions[NODES]
    tainted = [state for state in partly if any(state[p].evicting for p in nodes)]
    assert tainted
    for state in tainted:
        for step in scenario.system.successors(state):
            if step.outcome.action == "untaint":
                assert state[step.positions[1]].ready


def test_a_restarted_controller_manager_takes_nodes_for_new_ones() -> None:
    """It lifts the NoExecute taints of nodes that are still Unknown, and taints them again."""
    scenario = scenario_of(
        1,
        [node("a"), node("b")],
        [{"nodeCrash": {}}],
        faults={"controllerRestarts": 1},
    )
    lifted = {
        step.outcome.why
        for state in reachable(scenario)
        for step in scenario.system.successors(state)
        if step.outcome.action == "untaint" and not state[step.positions[1]].ready
    }
    assert lifted == {"the controller has restarted, and takes the node for a new one"}


def test_an_outage_of_the_api_server_makes_live_nodes_unknown() -> None:
    """Nodes that are up turn Unknown, all zones are disrupted, and in the end nothing is lost."""
    scenario = scenario_of(1, [node("a"), node("b")], faults={"apiServerOutages": 1})
    nodes = scenario.system.positions[NODES]
    states = reachable(scenario)
    assert any(not state[p].ready and state[p].up for state in states for p in nodes)
    assert any(zone_memory(scenario, s)[0].state is ZoneState.FULL_DISRUPTION for s in states)
    assert {sum(end) for end in settled(scenario)} == {1}


def test_taints_come_in_either_order() -> None:
    """NoExecute may be there before NoSchedule, and pods may be bound in between."""
    scenario = scenario_of(0, [node("a"), node("b")], [{"nodeCrash": {}}, scale(1)])
    nodes = scenario.system.positions[NODES]
    between = [
        state
        for state in reachable(scenario)
        if any(state[p].evicting and not state[p].tainted and not state[p].ready for p in nodes)
    ]
    assert between
    assert any(
        step.outcome.action == "bind" and state[step.positions[1]].evicting
        for state in between
        for step in scenario.system.successors(state)
    )


def test_who_tolerates_nothing_for_long_is_evicted_once_more() -> None:
    """Tolerated for 0 s (kubernetes#112930), a pod is bound and evicted again, and that ends."""
    key = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    spec = {"tolerations": [{**key, "tolerationSeconds": 0}]}
    scenario = scenario_of(1, [node("a"), node("b", room=0)], [{"nodeCrash": {}}], spec=spec)
    again = [
        step
        for state in reachable(scenario)
        for step in scenario.system.successors(state)
        if step.outcome.action == "evict" and state[step.positions[0]].ready
    ]
    assert again
    found = check(scenario.system, properties_for(scenario, ["RS-1", "DEP-4"]), Limits())
    assert {each.verdict for each in found.properties} == {Verdict.HOLDS, Verdict.VIOLATED}
    assert {e.property.id for e in found.properties if e.verdict is Verdict.HOLDS} == {"RS-1"}


def test_a_drain_lists_the_pods_once() -> None:
    """Who comes later, tolerating the cordon, is left alone: the drain ends, and the pod stays."""
    cordon = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}
    spec = {"tolerations": [cordon]}
    events = [{"drain": {"node": "a"}}]
    scenario = scenario_of(2, [node("a")], events, spec=spec)
    deletions = [
        step
        for state in reachable(scenario)
        for step in scenario.system.successors(state)
        if step.outcome.action == "evict-pod"
    ]
    assert deletions
    found = check(scenario.system, properties_for(scenario, ["DEP-4"]), Limits())
    assert found.properties[0].verdict is Verdict.HOLDS
    most = max(
        sum(g.size for g in step.state[p].pods if g.marks)
        for step in deletions
        for p in scenario.system.positions[NODES]
    )
    assert most == 1


def test_a_kubelet_admits_by_its_own_idea_of_its_node() -> None:
    """What it finds itself counts, and not what the API shows and the scheduler goes by."""
    spec = {"containers": [{"name": "main", "resources": {"requests": {"cpu": "3"}}}]}
    group = {"count": 1, "allocatable": {"cpu": "4"}, "kubeletAllocatable": {"cpu": "2"}}
    scenario = scenario_of(0, [], [scale(1)], spec=spec, cluster={"nodes": [group]})
    actions = {
        step.outcome.action
        for state in reachable(scenario)
        for step in scenario.system.successors(state)
    }
    assert "bind" in actions
    assert "reject" in actions
    assert "admit" not in actions
