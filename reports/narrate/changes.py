"""What a step changed, as fields of API objects."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import DeploymentState, NodeState, Phase, SetState
from kubelemma.model.cluster.world import NODES, Workload
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.templates import revision_hash
from kubelemma.model.system import State
from kubelemma.reports.story import Change
from kubelemma.solver.result import TraceStep

from .cast import PENDING, Move, Place, node_name, replica_set_name, workload_name
from .custom import changes_of_objects

NONE = "<none>"
_PHASES = {
    PENDING: "Pending",
    Phase.ASSIGNED: "Pending (bound)",
    Phase.STARTING: "not Ready",
    Phase.READY: "Ready",
    Phase.AVAILABLE: "Ready, available",
    Phase.TERMINATING: "terminating",
    Phase.REVOKED: "terminating",
}


def changes(
    scenario: Scenario, before: State, step: TraceStep, moves: tuple[Move, ...]
) -> tuple[Change, ...]:
    """Every field of every object that differs: workloads, loaded objects, pods, nodes."""
    end = _end(scenario, step)
    return (
        *_of_workloads(scenario, before, step.state),
        *changes_of_objects(scenario, before, step.state),
        *(change for move in moves for change in _of_pod(move, end)),
        *_of_nodes(scenario, before, step.state),
    )


def _end(scenario: Scenario, step: TraceStep) -> str:
    """The status of a pod that the model follows no longer although the API still has it."""
    if step.outcome.action == "reject":
        return "Failed"
    return "" if scenario.world.follows_terminating else _PHASES[Phase.TERMINATING]


def _of_workloads(scenario: Scenario, before: State, after: State) -> Iterator[Change]:
    for workload in scenario.world.workloads:
        position = scenario.system.positions[workload.cell].start
        if before[position] != after[position]:
            yield from _of_deployment(scenario, workload, before[position], after[position])


def _of_deployment(
    scenario: Scenario, workload: Workload, before: DeploymentState, after: DeploymentState
) -> Iterator[Change]:
    fields = (
        ("spec.replicas", before.replicas, after.replicas),
        ("spec.template", revision_hash(before.template), revision_hash(after.template)),
        ("spec.paused", _flag(before.paused), _flag(after.paused)),
    )
    yield from _differing(f"Deployment {workload_name(scenario, workload)}", fields)
    old = {s.template: s for s in before.sets}
    new = {s.template: s for s in after.sets}
    for template in sorted({*old, *new}):
        name = f"ReplicaSet {replica_set_name(scenario, workload, template)}"
        yield from _of_set(name, old.get(template), new.get(template))


def _of_set(name: str, before: SetState | None, after: SetState | None) -> Iterator[Change]:
    if before is None or after is None:
        gone, there = _size(before), _size(after)
        yield Change(name, "spec.replicas", gone, there)
        return
    fields = (
        ("spec.replicas", before.replicas, after.replicas),
        ("status.availableReplicas", before.status_available, after.status_available),
        ("status.replicas", before.status_replicas, after.status_replicas),
        ("revision", before.revision, after.revision),
    )
    yield from _differing(name, fields)


def _size(replica_set: SetState | None) -> str:
    return NONE if replica_set is None else str(replica_set.replicas)


def _flag(value: object) -> str:
    return "true" if value else "false"


def _differing(name: str, fields: tuple[tuple[str, object, object], ...]) -> Iterator[Change]:
    for field, before, after in fields:
        if before != after:
            yield Change(name, field, str(before), str(after))


def _of_pod(move: Move, end: str) -> Iterator[Change]:
    name = f"Pod {move.pod}"
    before, after = move.before, move.after
    if after is None:
        stays = before is not None and before.node and end
        yield Change(name, *(("status", _phase(before), end) if stays else ("exists", "yes", "no")))
        return
    fields = (
        ("spec.nodeName", _node(before), _node(after)),
        ("status", _phase(before), _phase(after)),
    )
    yield from _differing(name, fields)


def _node(place: Place | None) -> str:
    return (place.node if place else "") or NONE


def _phase(place: Place | None) -> str:
    return _PHASES[Phase(place.phase) if place.phase >= 0 else PENDING] if place else NONE


def _of_nodes(scenario: Scenario, before: State, after: State) -> Iterator[Change]:
    for position in scenario.system.positions[NODES]:
        old, new = before[position], after[position]
        fields = (
            ("machine", _machine(old), _machine(new)),
            ("Ready", _ready(old), _ready(new)),
            ("taints", _taints(old), _taints(new)),
            ("spec.unschedulable", _flag(old.cordoned), _flag(new.cordoned)),
        )
        yield from _differing(f"Node {node_name(scenario, position)}", fields)


def _machine(node: NodeState) -> str:
    return "up" if node.up else "down"


def _ready(node: NodeState) -> str:
    return "True" if node.ready else "Unknown"


def _taints(node: NodeState) -> str:
    present = (("NoSchedule", node.tainted), ("NoExecute", node.evicting))
    effects = [name for name, there in present if there]
    return f"unreachable:{','.join(effects)}" if effects else NONE
