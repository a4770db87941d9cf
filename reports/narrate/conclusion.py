"""Where a run contradicts a property, with the numbers; and what stuck pods wait for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.templates import revision_hash
from kubelemma.model.system import State
from kubelemma.model.wiring.scheduler import feasibility
from kubelemma.model.wiring.state import ADMITTED, Counts, DeploymentState, NodeState
from kubelemma.model.wiring.topology import topology_of
from kubelemma.model.wiring.world import NODES, Workload
from kubelemma.properties.capacity import overcommitted
from kubelemma.properties.deployments import promised
from kubelemma.properties.formula import LeadsTo
from kubelemma.properties.statement import Property
from kubelemma.reports.style import plural
from kubelemma.solver.result import Trace

from .cast import Cast, node_name, set_name


def conclusion(scenario: Scenario, prop: Property, trace: Trace, last: Cast) -> tuple[str, ...]:
    """The sentences that end a story; ``last`` names the pods of the last state."""
    state = trace.states()[-1]
    end = _end(trace)
    return (
        *([end] if end else []),
        *_due(scenario, prop, trace),
        *_terms(scenario, prop, state),
        f"{prop.id} promises: {prop.statement.statement}",
        *(_waiting(scenario, state, last) if trace.standstill else ()),
    )


def _end(trace: Trace) -> str:
    if trace.standstill:
        return "Nobody can act any more, users and faults aside."
    if trace.loop_start is not None:
        return f"From step {trace.loop_start + 1} on, everything repeats for ever."
    return ""


def _due(scenario: Scenario, prop: Property, trace: Trace) -> Iterator[str]:
    """From where on something should have followed."""
    if isinstance(prop.formula, LeadsTo):
        since = prop.formula.due_since(scenario.system, trace.states())
        if since is not None:
            when = f"After step {since}" if since else "From the start"
            yield f"{when}, something is due that never comes."


# The terms of the property, with their values


def _terms(scenario: Scenario, prop: Property, state: State) -> Iterator[str]:
    if prop.id in _OF_NODES:
        yield from _overcommitment(scenario, state)
    for workload in scenario.world.workloads:
        if prop.subject == workload.cell and prop.id in _OF_WORKLOADS:
            yield from _OF_WORKLOADS[prop.id](scenario, workload, state)


def _deployment(scenario: Scenario, workload: Workload, state: State) -> DeploymentState:
    found: DeploymentState = state[scenario.system.positions[workload.cell].start]
    return found


def _tally(scenario: Scenario, workload: Workload, state: State, what: str) -> Counts:
    found: Counts = scenario.system.summary(state)[workload.tally(what)]
    return found


def _surge(scenario: Scenario, workload: Workload, state: State) -> Iterator[str]:
    deployment = _deployment(scenario, workload, state)
    surge = workload.max_surge.scaled(deployment.replicas, round_up=True)
    total = sum(s.replicas for s in deployment.sets)
    yield (
        f"The ReplicaSets now ask for {total} pods, where spec.replicas {deployment.replicas} + "
        f"maxSurge {surge} allow {deployment.replicas + surge}."
    )


def _availability(scenario: Scenario, workload: Workload, state: State) -> Iterator[str]:
    deployment = _deployment(scenario, workload, state)
    available = sum(_tally(scenario, workload, state, "available"))
    least = promised(workload, deployment)
    yield (
        f"The last deletion leaves {available} available, where {least} are promised: "
        f"spec.replicas {deployment.replicas} - maxUnavailable {deployment.replicas - least}."
    )


def _progress(scenario: Scenario, workload: Workload, state: State) -> Iterator[str]:
    deployment = _deployment(scenario, workload, state)
    available = _tally(scenario, workload, state, "available")
    queue: Counts = state[scenario.system.positions[workload.queue].start]
    wanted = revision_hash(deployment.template)
    yield (
        f"{workload.name} should have {plural(deployment.replicas, 'available pod')} of {wanted} "
        f"and no others; it has {_by_version(deployment, queue, available)}."
    )


def _by_version(deployment: DeploymentState, queue: Counts, available: Counts) -> str:
    parts = [
        f"{available[s.template]} available of {revision_hash(s.template)} "
        f"(ReplicaSet of {s.replicas}"
        + (f", {queue[s.template]} pending)" if queue[s.template] else ")")
        for s in deployment.sets
    ]
    return " and ".join(parts)


def _counts(scenario: Scenario, workload: Workload, state: State) -> Iterator[str]:
    active = _tally(scenario, workload, state, "active")
    for replica_set in _deployment(scenario, workload, state).sets:
        have = active[replica_set.template]
        name = set_name(scenario, workload.classes[replica_set.template])
        asked = plural(replica_set.replicas, "pod")
        yield f"ReplicaSet {name} asks for {asked} and has {have} active."


def _versions(scenario: Scenario, workload: Workload, state: State) -> Iterator[str]:
    alive = _tally(scenario, workload, state, "alive")
    parts = [
        f"{alive[s.template]} of {revision_hash(s.template)}"
        for s in _deployment(scenario, workload, state).sets
    ]
    yield f"Pods that exist now: {', '.join(parts)}."


def _overcommitment(scenario: Scenario, state: State) -> Iterator[str]:
    for position in scenario.system.positions[NODES]:
        node: NodeState = state[position]
        short = overcommitted(scenario.world, node, ADMITTED)
        if short:
            yield f"{node_name(scenario, position)} has too little {', '.join(short)}."


_OF_NODES = frozenset({"KUB-7", "SCH-2"})
_OF_WORKLOADS: Mapping[str, Callable[[Scenario, Workload, State], Iterator[str]]] = (
    MappingProxyType(
        {
            "DEP-1": _surge,
            "DEP-2": _availability,
            "DEP-3": _versions,
            "DEP-4": _progress,
            "STUCK": _progress,
            "RS-1": _counts,
            "RS-2": _counts,
        }
    )
)


# What stuck pods wait for


def _waiting(scenario: Scenario, state: State, last: Cast) -> Iterator[str]:
    for place, pods in sorted(last.names.items()):
        if place.node or not pods:
            continue
        names = ", ".join(pods)
        yield f"{names}: {_reason(scenario, place.pod_class, state)}"


def _reason(scenario: Scenario, index: int, state: State) -> str:
    """Why no node takes a pod of the class, in the scheduler's words."""
    pod_class = scenario.world.classes[index]
    if pod_class.gated:
        return "Scheduling is blocked due to non-empty scheduling gates"
    topology = topology_of(scenario.world, pod_class)
    summaries: Mapping[str, Any] = scenario.system.summary(state)
    seen = tuple(summaries[name] for name in topology.reads)
    nodes = [state[position] for position in scenario.system.positions[NODES]]
    reasons: Counter[str] = Counter()
    for node in nodes:
        reasons.update(feasibility(scenario.world, topology, node, *seen).reasons)
    parts = sorted(f"{number} {reason}" for reason, number in reasons.items())
    return f"0/{len(nodes)} nodes are available: {', '.join(parts)}."
