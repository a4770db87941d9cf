"""The whole deletion ranking of pods, with times: the model's key comes first in it.

Source: pkg/controller/replicaset/replica_set.go, pkg/controller/controller_utils.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kubelemma.model.components.replicaset.decision import deletion_cost_of, rank_key
from kubelemma.model.objects.pod import Container, ContainerStatus, Pod, PodCondition
from kubelemma.model.objects.times import seconds

_SECOND = 10**9


class Victim(NamedTuple):
    """What the deletion ranking reads of an active pod.

    ``colocated`` counts the active pods on its node (itself included) of all ReplicaSets with the
    same owner. ``ready_since`` and ``created`` are in nanoseconds since 1970, None where absent;
    ``restarts`` and ``sidecar_restarts`` are maxima over containers.
    """

    assigned: bool
    phase: str
    ready: bool
    deletion_cost: int = 0
    colocated: int = 0
    ready_since: int | None = None
    restarts: int = 0
    sidecar_restarts: int = 0
    created: int | None = None
    uid: str = ""


def less(first: Victim, second: Victim, now: int | None) -> bool:
    """Whether ``first`` is to be deleted before ``second`` (``ActivePodsWithRanks.Less``).

    ``now`` is in nanoseconds since 1970: ages then compare by their binary logarithms, rounded
    down, and pods of one such bucket by UID. The relation is not transitive. Without ``now`` ages
    compare exactly; with ``deletion_cost`` and ``colocated`` left at 0 that is ``ActivePods.Less``,
    which Jobs use.
    """
    keys = _rank_key(first), _rank_key(second)
    if keys[0] != keys[1]:
        return keys[0] > keys[1]
    if first.ready and first.ready_since != second.ready_since:
        return _younger(first, second, first.ready_since, second.ready_since, now)
    restarts = (first.restarts, first.sidecar_restarts), (second.restarts, second.sidecar_restarts)
    if restarts[0] != restarts[1]:
        return restarts[0] > restarts[1]
    if first.created != second.created:
        return _younger(first, second, first.created, second.created, now)
    return False


def deletion_order(victims: Sequence[Victim], now: int | None) -> tuple[int, ...]:
    """The positions of the victims, first to be deleted first.

    An insertion sort, as Go's ``sort.Sort`` is up to 12 elements, so that cycles of `less` come out
    as there. Of more pods that have no strict order the real outcome may be another.
    """
    order: list[int] = []
    for i, victim in enumerate(victims):
        at = len(order)
        while at > 0 and less(victim, victims[order[at - 1]], now):
            at -= 1
        order.insert(at, i)
    return tuple(order)


def pods_to_delete(
    pods: Sequence[Pod], related: Iterable[Pod], count: int, now: int
) -> tuple[Pod, ...]:
    """The ``count`` active pods that a sync deletes at ``now`` (nanoseconds since 1970).

    ``related`` are the pods of all ReplicaSets with the same owner, these included. Where all have
    to go, they go in the order given.
    """
    if count >= len(pods):
        return tuple(pods)
    ranks = colocation(pods, related)
    victims = [victim(pod, rank) for pod, rank in zip(pods, ranks, strict=True)]
    return tuple(pods[i] for i in deletion_order(victims, now)[:count])


def colocation(pods: Iterable[Pod], related: Iterable[Pod]) -> tuple[int, ...]:
    """For each pod, how many active related pods are on its node; those without one share one."""
    on_node = Counter(pod.spec.node_name for pod in related if is_active(pod))
    return tuple(on_node[pod.spec.node_name] for pod in pods)


def is_active(pod: Pod) -> bool:
    """Whether the pod counts as a replica: neither terminal nor being deleted."""
    terminal = pod.status.phase in ("Succeeded", "Failed")
    return not terminal and pod.metadata.deletion_timestamp is None


def victim(pod: Pod, colocated: int) -> Victim:
    """The pod as the deletion ranking sees it."""
    status = pod.status
    ready = _condition(pod, "Ready")
    is_ready = ready is not None and ready.status == "True"
    sidecars = {c.name for c in pod.spec.init_containers or () if _is_sidecar(c)}
    init_statuses = status.init_container_statuses or ()
    return Victim(
        assigned=pod.spec.node_name != "",
        phase=status.phase,
        ready=is_ready,
        deletion_cost=deletion_cost_of(pod.metadata.annotation_map()),
        colocated=colocated,
        ready_since=_nanoseconds(ready.last_transition_time) if ready and is_ready else None,
        restarts=_max_restarts(status.container_statuses or ()),
        sidecar_restarts=_max_restarts(s for s in init_statuses if s.name in sidecars),
        created=_nanoseconds(pod.metadata.creation_timestamp),
        uid=pod.metadata.uid,
    )


def _rank_key(pod: Victim) -> int:
    return rank_key(
        assigned=pod.assigned,
        phase=pod.phase,
        ready=pod.ready,
        deletion_cost=pod.deletion_cost,
        colocated=pod.colocated,
    )


def _younger(
    first: Victim, second: Victim, since: int | None, other: int | None, now: int | None
) -> bool:
    """Whether ``since`` makes the first pod the younger one; an absent time is youngest."""
    if since is None or other is None:
        return since is None
    if now is None:
        return since > other
    buckets = _log2(now - since), _log2(now - other)
    return first.uid < second.uid if buckets[0] == buckets[1] else buckets[0] < buckets[1]


def _log2(age: int) -> int:
    return age.bit_length() - 1 if age > 0 else -1


def _condition(pod: Pod, kind: str) -> PodCondition | None:
    return next((c for c in pod.status.conditions or () if c.type == kind), None)


def _is_sidecar(container: Container) -> bool:
    return container.restart_policy == "Always"


def _max_restarts(statuses: Iterable[ContainerStatus]) -> int:
    return max((s.restart_count for s in statuses), default=0)


def _nanoseconds(timestamp: str | None) -> int | None:
    return None if timestamp is None else seconds(timestamp) * _SECOND
