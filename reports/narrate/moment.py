"""One state, and one step from it, in few words: what the labels of a state graph say.

Each stands for itself, so pods are named anew in every state, and nodes of one shape change places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from kubelemma.model.cluster.owners import revision_hash
from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.model.visible import visible
from kubelemma.reports.picture import NodeBox, PodBox
from kubelemma.solver.result import TraceStep

from .cast import opening
from .names import full_name, owner_name
from .picture import observer
from .scene import Scene
from .summary import summary
from .tellers import TELLERS
from .written import Written


def state_text(scenario: Scenario, state: State) -> str:
    """A state in a line for each workload, node, and kind of event that may still happen.

    Pods are counted by owner and phase. What is of no interest to most, such as annotations and
    statuses, is left out, so that two states may read alike.
    """
    seen = Snapshot(scenario, state)
    picture = observer(scenario)(state, opening(scenario, state))
    workloads = scenario.world.workloads
    names = {
        (full_name(workloads[c.workload]), revision_hash(c.template)): owner_name(
            scenario.world, c.index
        )
        for c in scenario.world.classes
    }
    lines = [line for w in workloads for teller in TELLERS for line in teller.lines_of(seen, w)]
    homeless = [pod for pod in picture.pods if not pod.node]
    if homeless:
        lines.append(f"no node: {_crowd(homeless, names)}")
    for node in picture.nodes:
        crowd = _crowd((pod for pod in picture.pods if pod.node == node.name), names)
        lines.append(_of_node(node, crowd))
    lines += [line for teller in TELLERS for line in teller.lines(seen)]
    return "\n".join(map(visible, lines))


def step_text(scenario: Scenario, before: State, step: TraceStep) -> str:
    """Who does what; pods and nodes are named as in the state before."""
    _, moves = opening(scenario, before).follow(before, step.state)
    then, now = (Snapshot(scenario, state) for state in (before, step.state))
    return visible(f"{step.actor}: {summary(Scene(then, now, step, moves, Written()))}")


def _of_node(node: NodeBox, crowd: str) -> str:
    conditions = f" ({', '.join(node.conditions)})" if node.conditions else ""
    return f"{node.name}{conditions}: {crowd or 'empty'}"


def _crowd(pods: Iterable[PodBox], names: Mapping[tuple[str, str], str]) -> str:
    """Pods by owner and phase, with their number where there are several."""
    counts = Counter((names[pod.workload, pod.version], pod.phase) for pod in pods)
    return ", ".join(
        f"{name} {phase}" + (f" ×{count}" if count > 1 else "")  # noqa: RUF001 - for people
        for (name, phase), count in sorted(counts.items())
    )
