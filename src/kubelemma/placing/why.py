"""Why a pod is where it is, or pending: what each node says to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubelemma.model.manifests import Manifest
from kubelemma.model.objects.pod import Pod
from kubelemma.reports.placement import Said, Why
from kubelemma.solver.placement.decision import Decision
from kubelemma.solver.placement.displaced import afterwards, likeness
from kubelemma.solver.placement.problem import Afterwards, Problem
from kubelemma.solver.placement.why import Words, said_by_nodes

from .asking import refuse, workload_meant
from .inventory import Key
from .plan import Input, Plan

_FLAG = "--why"


def why(text: str, found: Input, planned: Plan, problem: Problem, decision: Decision) -> Why:
    """What is to be said of the pod, or the workload, that the text names.

    Raises:
        InvalidInput: there is none, or more than one.
    """
    meant = [m for m in found.manifests.of(Pod) if text in _names(m.object)]
    if len(meant) > 1:
        options = " or ".join(f'"{m.object.metadata.namespace}/{text}"' for m in meant[:3])
        refuse(_FLAG, f'"{text}" may mean {options}: write it out')
    if meant:
        return _of_pod(meant[0], planned, problem, decision)
    base = {w.name: w.name.partition(" (")[0] for w in problem.workloads}
    keys = {str(key): key for key in _keys(base.values())}
    key = workload_meant(text, list(keys.values()), _FLAG)
    numbers = [w for w, each in enumerate(problem.workloads) if base[each.name] == str(key)]
    return _of_workload(str(key), numbers[0], problem, decision)


def _names(pod: Pod) -> tuple[str, ...]:
    name, full = pod.metadata.name, f"{pod.metadata.namespace}/{pod.metadata.name}"
    return name, full, f"pod/{name}", f"pod/{full}", f"Pod {full}"


def _keys(names: Iterable[str]) -> Iterator[Key]:
    """What identifies the workloads that are called so."""
    for name in dict.fromkeys(names):
        kind, _, full = name.partition(" ")
        namespace, _, own = full.partition("/")
        yield Key(kind, namespace, own)


def _of_pod(manifest: Manifest[Pod], planned: Plan, problem: Problem, decision: Decision) -> Why:
    """A pod of the input: it stays, is placed, had to go, or nobody places it."""
    metadata = manifest.object.metadata
    identity = (metadata.namespace, metadata.name)
    title = f"Pod {metadata.namespace}/{metadata.name}"
    there = next((p for p in problem.cluster.pods if _identity(p) == identity), None)
    if there is not None:
        line = f"It is on {there.spec.node_name}, and stays there. To a pod like it, as the last:"
        words = said_by_nodes(problem, decision.placement, there)
        return Why(title, (line,), tuple(_together(problem, words)))
    before = next((p for p in planned.problem.cluster.pods if _identity(p) == identity), None)
    if before is not None:
        alike = likeness(before)
        number = next(
            (w for w, x in enumerate(problem.workloads) if likeness(x.pod) == alike), None
        )
        gone = f"It has to go from {before.spec.node_name}"
        for one in decision.evictions:
            if _identity(one.pod) == identity:
                gone = f"It has to go from {before.spec.node_name}: preempted by a pod of "
                gone += problem.workloads[one.workload].name
        if number is None:
            then = _AFTERWARDS[afterwards(before)]
            return Why(title, (f"{gone}{then}",), ())
        told = _of_workload(title, number, problem, decision)
        return told._replace(where=(f"{gone}.", *told.where))
    name = planned.members.get(identity)
    numbers = [w for w, each in enumerate(problem.workloads) if each.name == name]
    if numbers:
        return _of_workload(title, numbers[0], problem, decision)
    return Why(title, (_unplaced(manifest.object),), ())


_AFTERWARDS = {
    Afterwards.AGAIN: ", and is not created again here.",
    Afterwards.OPEN: ". Whether its owner creates it again is not known here.",
    Afterwards.GONE: ", and nobody creates it again.",
    Afterwards.ENDING: ". It was terminating already.",
}
"""What becomes of a pod that is no pod of a workload to be placed."""


def _identity(pod: Pod) -> tuple[str, str]:
    return pod.metadata.namespace, pod.metadata.name


def _unplaced(pod: Pod) -> str:
    """Why nobody places it."""
    if pod.status.phase in ("Succeeded", "Failed"):
        return f"It has ended ({pod.status.phase}), and is not counted."
    if pod.spec.scheduling_gates:
        return "It waits for its scheduling gates: no scheduler looks at it."
    if pod.spec.node_name:
        return f"Its node {pod.spec.node_name} is not there, or lost: the pod is not counted."
    return "It is not placed: its workload asks for fewer pods, or makes it anew."


def _of_workload(title: str, number: int, problem: Problem, decision: Decision) -> Why:
    """Pods that are to be placed: where they are, and what the nodes say to one of them."""
    workload = problem.workloads[number]
    nodes = problem.cluster.nodes
    places = [(a.node, a.count) for a in decision.placement.assignments if a.workload == number]
    left = workload.count - sum(count for _, count in places)
    called = "It is" if workload.count == 1 else f"Of {workload.count:,} pods like it,"
    on = [f"{count:,} on {nodes[n].metadata.name}" for n, count in places]
    if workload.count == 1:
        where = f"placed on {nodes[places[0][0]].metadata.name}" if places else "pending"
    else:
        where = ", ".join([*on, *([f"{left:,} pending"] if left else [])])
    at = None if left or not places else (number, places[0][0])
    words = said_by_nodes(problem, decision.placement, workload.pod, at)
    asked = "one more pod" if left and workload.count > 1 else "it"
    line = f"{called} {where}. To {asked}, beside all others that are placed:"
    said = next((p.message for p in decision.pending if p.workload == number), "")
    told = (f"The scheduler writes: {said}",) if said and left else ()
    return Why(title, (*told, line), tuple(_together(problem, words)))


def _together(problem: Problem, words: tuple[Words, ...]) -> Iterator[Said]:
    """The nodes that say the same, those with room first."""
    groups: dict[Words, list[str]] = {}
    for node, said in zip(problem.cluster.nodes, words, strict=True):
        groups.setdefault(said, []).append(node.metadata.name)
    for said, names in sorted(groups.items(), key=lambda item: bool(item[0])):
        yield Said(tuple(names), said)
