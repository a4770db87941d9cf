"""One state, and one step from it, in few words: what the labels of a state graph say.

Each stands for itself, so pods are named anew in every state, and nodes of one shape change places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from kubelemma.model.cluster.state import IDLE, DeploymentState, PlannedWrite, Sync, Verb
from kubelemma.model.cluster.world import Workload
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.templates import revision_hash
from kubelemma.model.system import State
from kubelemma.reports.picture import NodeBox, PodBox
from kubelemma.solver.result import TraceStep

from .cast import opening, replica_set_name, workload_name
from .custom import state_lines
from .picture import observer
from .summary import summary


def state_text(scenario: Scenario, state: State) -> str:
    """A state in a line for each workload, node, and kind of event that may still happen.

    Pods are counted by ReplicaSet and phase. Revisions, annotations and statuses of ReplicaSets are
    left out, so that two states may read alike.
    """
    picture = observer(scenario)(state, opening(scenario, state))
    workloads = scenario.world.workloads
    names = {f"{w.namespace}/{w.name}": workload_name(scenario, w) for w in workloads}
    lines = [line for w in workloads for line in _of_workload(scenario, w, state)]
    homeless = [pod for pod in picture.pods if not pod.node]
    if homeless:
        lines.append(f"no node: {_crowd(homeless, names)}")
    for node in picture.nodes:
        crowd = _crowd((pod for pod in picture.pods if pod.node == node.name), names)
        lines.append(_of_node(node, crowd))
    lines += state_lines(scenario, state)
    return "\n".join((*lines, *_events(scenario, state)))


def step_text(scenario: Scenario, before: State, step: TraceStep) -> str:
    """Who does what; pods and nodes are named as in the state before."""
    _, moves = opening(scenario, before).follow(before, step.state)
    return f"{step.actor}: {summary(scenario, step, moves)}"


def _of_workload(scenario: Scenario, workload: Workload, state: State) -> Iterator[str]:
    positions = scenario.system.positions
    deployment: DeploymentState = state[positions[workload.cell].start]
    paused = ", paused" if deployment.paused else ""
    asked = f"{deployment.replicas} of {revision_hash(deployment.template)}{paused}"
    sets = ", ".join(f"{revision_hash(s.template)} has {s.replicas}" for s in deployment.sets)
    name = workload_name(scenario, workload)
    yield f"{name}: {asked}" + (f" ({sets})" if sets else "")
    for write in deployment.plan:
        about = replica_set_name(scenario, workload, write.template)
        yield f"about to write: {planned_text(about, write)}"
    for template, cell in enumerate(workload.syncs):
        sync: Sync = state[positions[cell].start]
        if sync != IDLE:
            left = ", ".join(in_hand(sync))
            yield f"sync of {replica_set_name(scenario, workload, template)}: {left}"


def planned_text(name: str, write: PlannedWrite) -> str:
    """What a Deployment sync has decided to do with a ReplicaSet."""
    match write.verb:
        case Verb.RESIZE:
            return f"{name} has {write.replicas}"
        case Verb.CREATE:
            return f"{name} is created with {write.replicas}"
        case Verb.DELETE:
            return f"{name} is deleted"
        case _:
            return f"{name} is the newest revision"


def in_hand(sync: Sync) -> Iterator[str]:
    """What a sync of a ReplicaSet has yet to do, beside deleting whom it has chosen."""
    if sync.adds:
        yield f"{sync.adds} to create"
    if sync.choosing:
        yield f"{sync.choosing} to choose"
    if sync.status is not None:
        yield f"counted {sync.status.available} available"


def _of_node(node: NodeBox, crowd: str) -> str:
    conditions = f" ({', '.join(node.conditions)})" if node.conditions else ""
    return f"{node.name}{conditions}: {crowd or 'empty'}"


def _crowd(pods: Iterable[PodBox], names: Mapping[str, str]) -> str:
    """Pods by ReplicaSet and phase, with their number where there are several."""
    counts = Counter((names[pod.workload], pod.version, pod.phase) for pod in pods)
    return ", ".join(
        f"{name}-{version} {phase}" + (f" ×{count}" if count > 1 else "")  # noqa: RUF001 - for people
        for (name, version, phase), count in sorted(counts.items())
    )


def _events(scenario: Scenario, state: State) -> Iterator[str]:
    """What users and faults may still do."""
    for position, cell in enumerate(scenario.system.cells):
        _, is_event, what = cell.name.partition(": ")
        if is_event and cell.name.startswith("event ") and state[position]:
            yield f"may happen: {what}, {state[position]} more"
