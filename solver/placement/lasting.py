"""What lasts: the constraints that hold in the end if every step of an order kept them.

The scheduler looks at a pod when it comes, and never again. Room, ports, anti-affinity and all that
concerns the node alone cannot be undone by pods that come later. The skew of a spread constraint
can, by pods that it counts and that have no such constraint themselves; so can the company that a
pod found itself alone in, as the first of its group. An order may end in a state that is not legal
as a final one (``checker``), which nobody minds.

So whatever order places all pods leaves a legal final state of what is left of the problem when the
other constraints are dropped; and where that has none, no order places all pods.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace as changed

from msgspec.structs import replace

from kubelemma.model.objects.pod import Affinity, Pod, PodAffinityTerm

from .check_peers import Sort, Sorts, affinity_terms, peers, spread_constraints
from .problem import Problem


def lasting(problem: Problem, fickle: Collection[int] = ()) -> Problem:
    """The problem without the constraints that later pods may belie; the same if there is none.

    Pods of ``fickle`` workloads may go again: what they ask of others is dropped, too.
    """
    sorts = Sorts(problem.cluster.namespaces)
    for w, workload in enumerate(problem.workloads):
        sorts.of(workload.pod).workloads.append(w)
    workloads = tuple(
        changed(workload, pod=pod)
        if (pod := _lasting(w, workload.pod, sorts, fickle=w in fickle)) is not workload.pod
        else workload
        for w, workload in enumerate(problem.workloads)
    )
    return changed(problem, workloads=workloads)


def _lasting(w: int, pod: Pod, sorts: Sorts, *, fickle: bool) -> Pod:
    """The pod of a workload with the constraints that only pods like it may belie."""
    affinity = _affinity(w, pod, sorts, fickle=fickle)
    even = not fickle and _is_even(w, pod, sorts)
    spreads = pod.spec.topology_spread_constraints if even else None
    if spreads == pod.spec.topology_spread_constraints and affinity == pod.spec.affinity:
        return pod
    spec = replace(pod.spec, topology_spread_constraints=spreads, affinity=affinity)
    return replace(pod, spec=spec)


def _is_even(w: int, pod: Pod, sorts: Sorts) -> bool:
    """Whether its spread constraints count no pods but its own.

    All of them or none: which nodes one counts depends on the keys of the others.
    """
    wanted = (constraint.wanted for constraint in spread_constraints(pod))
    namespace = pod.metadata.namespace
    return all(_workloads(sorts.in_namespace(each, namespace)) <= {w} for each in wanted)


def _affinity(w: int, pod: Pod, sorts: Sorts, *, fickle: bool) -> Affinity | None:
    affinity = pod.spec.affinity
    served = not fickle and _is_served(w, pod, sorts)
    if affinity and affinity.pod_affinity and not served:
        affinity = replace(affinity, pod_affinity=None)
    apart = affinity.pod_anti_affinity if affinity else None
    if affinity and apart and apart.required:
        kept = tuple(t for t in apart.required if _is_mutual(w, pod, t, sorts))
        if len(kept) < len(apart.required):
            fewer = replace(apart, required=kept or None)
            affinity = replace(affinity, pod_anti_affinity=fewer)
    return affinity


def _is_served(w: int, pod: Pod, sorts: Sorts) -> bool:
    """Whether each of its pods has company in the end: that of others, or of its own kind alone.

    The first of a group needs none; pods of another kind may found the group again elsewhere.
    """
    terms = affinity_terms(pod)
    if not terms:
        return True
    first, *others = (sorts.meant_by_new(term) for term in terms)
    meant = [s for s in first if all(any(s is o for o in other) for other in others)]
    asked = _workloads(meant)
    return w not in asked or asked == {w}


def _is_mutual(w: int, pod: Pod, term: PodAffinityTerm, sorts: Sorts) -> bool:
    """Whether the term keeps the same pods away when they come later as when they are there.

    An empty namespace selector means more to a pod that comes (``Sorts.meant_by_new``).
    """
    meant = peers(pod, term)
    coming = _workloads(sorts.meant_by_new(meant)) - {w}
    return coming <= _workloads(sorts.meant_by_existing(meant))


def _workloads(sorts: Iterable[Sort]) -> set[int]:
    return {w for sort in sorts for w in sort.workloads}
