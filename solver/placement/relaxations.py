"""The smallest changes that turn a NO into a YES, each decided again to make sure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import msgspec

from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Container, Pod, PodSpec
from kubelemma.model.objects.quantity import Quantity

from . import words
from .decision import Decision, Effort, Level, Relaxation, RelaxationKind
from .priorities import at_least, priorities
from .problem import Answer, Problem, Workload
from .whatif import add

Decide = Callable[[Problem, Effort], Decision]

LARGEST = 200_000
"""Pods times nodes up to which changes are looked for unasked: each costs some decisions."""

MOST_WORKLOADS = 3
MOST_SORTS = 3
MOST_NODES = 64
STEPS = {"cpu": 10, "memory": 2**20}
"""Requests are lowered in steps of 10 millicores, 1 MiB, or one unit."""


def is_small(problem: Problem) -> bool:
    """Whether changes are looked for unasked."""
    pods = sum(w.count for w in problem.workloads)
    return pods * len(problem.cluster.nodes) <= LARGEST


def relaxations(
    problem: Problem, decision: Decision, effort: Effort, decide: Decide
) -> tuple[Relaxation, ...]:
    """Changes after which the answer is YES.

    Constraints are dropped, requests lowered, pods left out, nodes added; of each sort the smallest
    change that was found.
    """
    small = replace(effort, relaxations=False, repackings=0, rounds=effort.rounds // 8)

    def answer(changed: Problem) -> Answer:
        return decide(changed, small).answer

    found = [
        *_softened(problem, decision, answer),
        *_lowered(problem, decision, answer),
        *_fewer(problem, decision, answer),
        *_added(problem, decision, answer),
    ]
    return tuple(found)


def levels(problem: Problem, effort: Effort, decide: Decide) -> tuple[Level, ...]:
    """The answer for the workloads of at least each priority, the highest first.

    With preemption pods of lower priority give way, so these decide alone. Empty if nobody does.
    """
    parts = [(least, at_least(problem, least)) for least in priorities(problem)]
    if all(part == problem for _, part in parts):
        return ()
    small = replace(effort, relaxations=False)
    return tuple(Level(least, decide(part, small).answer) for least, part in parts)


Ask = Callable[[Problem], Answer]


def _suspects(decision: Decision) -> list[int]:
    """The workloads to change: those of the reason, and those left over, only a few."""
    named = decision.reason.workloads if decision.reason else ()
    left = [w for w, n in enumerate(decision.unplaced) if n]
    ordered = [*(w for w in named if w in left), *left, *named]
    return list(dict.fromkeys(ordered))[:MOST_WORKLOADS]


def _with(problem: Problem, w: int, workload: Workload) -> Problem:
    listed = list(problem.workloads)
    listed[w] = workload
    return replace(problem, workloads=tuple(listed))


def _smallest(low: int, high: int, works: Callable[[int], Answer]) -> tuple[int, bool] | None:
    """The least number from ``low`` to ``high`` that works, if more always helps.

    Whether the one below it was proved not to work comes with it; None if ``high`` does not work.
    """
    if works(high) is not Answer.YES:
        return None
    proved = low >= high
    while low < high:
        middle = (low + high) // 2
        answer = works(middle)
        if answer is Answer.YES:
            high = middle
        else:
            low = middle + 1
            proved = answer is Answer.NO
    return high, proved


# --- constraints -------------------------------------------------------------------------------


def _softened(problem: Problem, decision: Decision, ask: Ask) -> Iterator[Relaxation]:
    for w in _suspects(decision):
        workload = problem.workloads[w]
        for name, pod in _without_one(workload.pod):
            if ask(_with(problem, w, replace(workload, pod=pod))) is Answer.YES:
                yield Relaxation(
                    RelaxationKind.SOFTEN,
                    f"Drop {name} from {workload.name}.",
                    workload=w,
                    constraint=name,
                    smallest=True,
                )


def _without_one(pod: Pod) -> Iterator[tuple[str, Pod]]:
    """The pod without one of its hard constraints, with the constraint's name."""
    spec = pod.spec
    hard = [
        c for c in spec.topology_spread_constraints or () if c.when_unsatisfiable == "DoNotSchedule"
    ]
    for constraint in hard:
        soft = tuple(
            msgspec.structs.replace(c, when_unsatisfiable="ScheduleAnyway")
            if c is constraint
            else c
            for c in spec.topology_spread_constraints or ()
        )
        name = f"the spread over {constraint.topology_key} (use ScheduleAnyway)"
        yield name, _changed(pod, topology_spread_constraints=soft)
    if spec.node_selector:
        yield "the node selector", _changed(pod, node_selector=None)
    for name, attribute in _AFFINITIES.items():
        part = getattr(spec.affinity, attribute) if spec.affinity else None
        if spec.affinity is not None and part is not None and part.required:
            soft_part = msgspec.structs.replace(part, required=None)
            affinity = msgspec.structs.replace(spec.affinity, **{attribute: soft_part})
            yield f"the required {name}", _changed(pod, affinity=affinity)


_AFFINITIES = {
    "node affinity": "node_affinity",
    "pod affinity": "pod_affinity",
    "pod anti-affinity": "pod_anti_affinity",
}


def _changed(pod: Pod, **fields: object) -> Pod:
    spec: PodSpec = msgspec.structs.replace(pod.spec, **fields)
    return msgspec.structs.replace(pod, spec=spec)


# --- requests ----------------------------------------------------------------------------------


def _lowered(problem: Problem, decision: Decision, ask: Ask) -> Iterator[Relaxation]:
    resource = decision.reason.resource if decision.reason else None
    names = [resource] if resource and resource != "pods" else ["cpu", "memory"]
    for w in _suspects(decision):
        workload = problem.workloads[w]
        for name in names:
            step = STEPS.get(name, 1)
            most = _lowerable(workload.pod, name) // step

            def works(
                n: int, w: int = w, workload: Workload = workload, name: str = name
            ) -> Answer:
                pod = _less(workload.pod, name, n * STEPS.get(name, 1))
                return ask(_with(problem, w, replace(workload, pod=pod)))

            found = _smallest(1, most, works) if most else None
            if found is not None:
                amount = words.amount(name, found[0] * step)
                yield Relaxation(
                    RelaxationKind.LESS_REQUEST,
                    f"Request {amount} {name} less for each pod of {workload.name}.",
                    count=found[0] * step,
                    workload=w,
                    resource=name,
                    smallest=found[1] and step == 1,
                )


def _requested(container: Container, name: str) -> Fraction:
    requests = (container.resources and container.resources.requests) or {}
    return requests[name].amount if name in requests else Fraction(0)


def _lowerable(pod: Pod, name: str) -> int:
    """What the largest container requests, in millicores or its own unit."""
    scale = 1000 if name == "cpu" else 1
    return max((int(_requested(c, name) * scale) for c in pod.spec.containers or ()), default=0)


def _less(pod: Pod, name: str, amount: int) -> Pod:
    """The pod whose largest container requests so much less."""
    containers = list(pod.spec.containers or ())
    largest = max(range(len(containers)), key=lambda i: _requested(containers[i], name))
    container = containers[largest]
    scale = 1000 if name == "cpu" else 1
    left = Quantity(_requested(container, name) - Fraction(amount, scale))
    resources = (
        msgspec.structs.replace(
            container.resources, requests={**(container.resources.requests or {}), name: left}
        )
        if container.resources
        else None
    )
    containers[largest] = msgspec.structs.replace(container, resources=resources)
    return _changed(pod, containers=tuple(containers))


# --- pods and nodes ----------------------------------------------------------------------------


def _fewer(problem: Problem, decision: Decision, ask: Ask) -> Iterator[Relaxation]:
    for w in _suspects(decision):
        workload = problem.workloads[w]

        def works(n: int, w: int = w, workload: Workload = workload) -> Answer:
            return ask(_with(problem, w, replace(workload, count=workload.count - n)))

        found = _smallest(1, workload.count, works)
        if found is not None:
            yield Relaxation(
                RelaxationKind.FEWER_PODS,
                f"Place {words.pods(found[0])} less of {workload.name}.",
                count=found[0],
                workload=w,
                smallest=found[1],
            )


def _added(problem: Problem, decision: Decision, ask: Ask) -> Iterator[Relaxation]:
    for index in _sorts(problem, decision):
        node = problem.cluster.nodes[index]

        def works(n: int, node: Node = node) -> Answer:
            return ask(add(problem, node, n))

        high = 1
        while high < MOST_NODES and works(high) is not Answer.YES:
            high *= 2
        found = _smallest(high // 2 + 1, high, works)
        if found is not None:
            number = "one more node" if found[0] == 1 else f"{found[0]} more nodes"
            yield Relaxation(
                RelaxationKind.ADD_NODES,
                f"Add {number} like {node.metadata.name}.",
                count=found[0],
                node=index,
                smallest=found[1] or found[0] == 1,
            )


def _sorts(problem: Problem, decision: Decision) -> list[int]:
    """One node of each sort that the reason names: the first few sorts, by what they offer."""
    named = decision.reason.nodes if decision.reason else ()
    seen: dict[str, int] = {}
    for i in named or range(len(problem.cluster.nodes)):
        node = problem.cluster.nodes[i]
        if not node.spec.unschedulable:
            seen.setdefault(repr((node.status.allocatable, node.spec.taints)), i)
    return list(seen.values())[:MOST_SORTS]
