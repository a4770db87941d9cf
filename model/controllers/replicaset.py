"""The ReplicaSet controller: how many pods to create or delete, and which to delete first.

Source: pkg/controller/replicaset/replica_set.go, pkg/controller/controller_utils.go.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kubelemma.model.objects.pod import Container, ContainerStatus, Pod, PodCondition

from .times import seconds

BURST_REPLICAS = 500
"""Pods that one sync creates or deletes at most."""

POD_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

_PHASES = {"Running": 0, "Unknown": 1, "Pending": 2}
_COST_BITS = 32
_COLOCATED_BITS = 24
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


class Expectations(NamedTuple):
    """Creations and deletions of a ReplicaSet that its controller has yet to see in its cache.

    Setting new ones replaces the old. Neither count falls below 0: the real one may, but nothing
    tells the difference. Expectations are lost when the controller restarts, dropped when the
    ReplicaSet goes, and void after 5 minutes (``ExpectationsTimeout``).
    """

    adds: int = 0
    dels: int = 0

    @property
    def satisfied(self) -> bool:
        """Whether the next sync may create or delete; status is written in any case."""
        return self.adds == 0 and self.dels == 0

    @staticmethod
    def to_manage(difference: int) -> Expectations:
        """What a sync expects before it acts on the outcome of `manage_replicas`."""
        return Expectations(max(difference, 0), max(-difference, 0))

    def observe_creation(self, count: int = 1) -> Expectations:
        """After ``count`` owned pods appeared in the cache, or failed or were not tried.

        A pod that first appears with a deletionTimestamp counts as a deletion only.
        """
        return self._replace(adds=max(0, self.adds - count))

    def observe_deletion(self, count: int = 1) -> Expectations:
        """After ``count`` of the pods *that the sync chose* terminate or are gone in the cache.

        One that could not be deleted counts as well. Each counts once, other pods never.
        """
        return self._replace(dels=max(0, self.dels - count))


def manage_replicas(active: int, desired: int, burst: int = BURST_REPLICAS) -> int:
    """How many pods one sync creates (positive) or deletes (negative).

    ``active`` pods are neither terminal nor terminating.
    """
    return max(-burst, min(burst, desired - active))


def slow_start_batches(count: int, initial: int = 1) -> tuple[int, ...]:
    """The sizes of the batches in which ``count`` pods are created, doubling from ``initial``.

    Creations of one batch run side by side; after a batch with a failure the others are skipped.
    """
    batches = []
    size = min(count, initial)
    while size > 0:
        batches.append(size)
        count -= size
        size = min(2 * size, count)
    return tuple(batches)


def rank_key(*, assigned: bool, phase: str, ready: bool, deletion_cost: int, colocated: int) -> int:
    """The part of the deletion ranking that no time enters, as one number: greater goes first.

    In order: pods without a node; phase Pending, then Unknown, then Running; not ready; lower
    deletion cost; more co-located pods. Of pods with equal keys any may go, by times and UIDs.
    The number fits 63 bits for any 32-bit cost.

    Raises:
        ValueError: the count of co-located pods is negative or needs more than 24 bits.
    """
    if not 0 <= colocated < 1 << _COLOCATED_BITS:
        raise ValueError(f"{colocated} co-located pods are out of range")
    key = int(not assigned)
    key = key << 2 | _PHASES.get(phase, _PHASES["Pending"])
    key = key << 1 | int(not ready)
    key = (key << _COST_BITS) + (1 << _COST_BITS - 1) - 1 - deletion_cost
    return key << _COLOCATED_BITS | colocated


def deletion_cost_of(annotations: Mapping[str, str]) -> int:
    """The deletion cost of a pod with these annotations.

    One that is no 32-bit integer, or starts with a plus or a superfluous 0, counts as 0.

    Source: pkg/apis/core/helper/helpers.go, ``GetDeletionCostFromPodAnnotations``.
    """
    text = annotations.get(POD_DELETION_COST, "")
    if not re.fullmatch(r"0|[1-9][0-9]*|-[0-9]+", text):
        return 0
    cost = int(text)
    return cost if -(2**31) <= cost < 2**31 else 0


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
