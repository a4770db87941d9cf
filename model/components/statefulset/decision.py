"""The StatefulSet controller: what one sync does to its pods, and what it reports.

Source: pkg/controller/statefulset/stateful_set_control.go and stateful_set_utils.go,
``updateStatefulSet``. A sync that lets one pod wait for another (podManagementPolicy OrderedReady)
does one thing to one pod; otherwise it does all at once. No expectations are kept: names are what
keeps it from making a pod twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from kubelemma.model.objects.quantity import IntOrPercent

Revision = Hashable
"""The name of a ControllerRevision, or what stands for one."""

NOTHING = ""
"""The phase of a pod that is not there."""
RUNNING = "Running"
ENDED = ("Failed", "Succeeded")
"""Phases of pods that are made anew, however they have ended."""


class PodView(NamedTuple):
    """A pod as the controller's cache shows it.

    ``revision`` is that of its label ``controller-revision-hash``; ``identified``: whether its name
    and labels are what its ordinal asks for.
    """

    ordinal: int
    revision: Revision
    phase: str = RUNNING
    ready: bool = True
    available: bool = True
    terminating: bool = False
    identified: bool = True

    @property
    def healthy(self) -> bool:
        """Whether it is Running and Ready, and has been so for ``minReadySeconds``."""
        return self.phase == RUNNING and self.ready and self.available

    @property
    def unavailable(self) -> bool:
        """``isUnavailable``: it serves nobody, or soon will not."""
        return not self.healthy or self.terminating


class Strategy(NamedTuple):
    """How pods come to be of another revision.

    ``partition`` is None where ``rollingUpdate`` is not given, which is not the same as 0.
    ``max_unavailable`` is None where nobody asks for it: the feature gate is off.
    """

    on_delete: bool = False
    partition: int | None = 0
    max_unavailable: int | None = None


class SetView(NamedTuple):
    """A StatefulSet as the controller's cache shows it.

    ``ordered`` is the podManagementPolicy OrderedReady; ``current`` and ``current_replicas`` are of
    its status, ``update`` is the revision of its template. ``blocked`` are the ordinals of which a
    claim is on its way out: of these no pod is made.
    """

    replicas: int
    current: Revision
    update: Revision
    start: int = 0
    ordered: bool = True
    strategy: Strategy = Strategy()
    current_replicas: int = 0
    deleting: bool = False
    blocked: frozenset[int] = frozenset()


class Verb(Enum):
    """What is done to a pod."""

    CREATE = "create"
    DELETE = "delete"
    UPDATE = "update"
    """PUT it with the labels and volumes that its ordinal asks for."""


class Purpose(Enum):
    """What it is done for."""

    MISSING = "missing"
    ENDED = "ended"
    SCALE_DOWN = "scale down"
    ROLL_OUT = "roll out"
    IDENTITY = "identity"


class Act(NamedTuple):
    """One write of a pod; ``revision`` is that of a pod that is created."""

    verb: Verb
    ordinal: int
    revision: Revision
    purpose: Purpose


class Status(NamedTuple):
    """What a sync has counted for ``status``."""

    replicas: int
    ready: int
    available: int
    current_replicas: int
    updated: int
    current: Revision
    update: Revision


class Sync(NamedTuple):
    """What one sync does, in this order, and what it has counted, which `completed` makes a status.

    ``waits`` is the ordinal of the pod that keeps an ordered sync from going on; None: nothing.
    """

    acts: tuple[Act, ...]
    status: Status
    waits: int | None = None


def max_unavailable(given: IntOrPercent | None, replicas: int) -> int:
    """``getStatefulSetMaxUnavailable``: rounded down, and at least 1."""
    return max(1, 1 if given is None else given.scaled(replicas, round_up=False))


def revision_of_new(view: SetView, ordinal: int) -> Revision:
    """Of which revision a pod is made that is missing (``newVersionedStatefulSetPod``)."""
    strategy = view.strategy
    kept = view.current_replicas if strategy.partition is None else strategy.partition
    if not strategy.on_delete and ordinal < view.start + kept:
        return view.current
    return view.update


def update_stateful_set(view: SetView, pods: Sequence[PodView]) -> Sync:
    """What a sync does that sees these pods, which are the set's own, of one ordinal one at most.

    A pod whose name has no number has an ``ordinal`` of -1, and is let alone.
    """
    end = view.start + view.replicas
    by_ordinal = {pod.ordinal: pod for pod in pods}
    replicas = [
        by_ordinal.get(n) or PodView(n, revision_of_new(view, n), NOTHING, ready=False)
        for n in range(view.start, end)
    ]
    condemned = sorted(
        (pod for pod in pods if pod.ordinal >= 0 and not view.start <= pod.ordinal < end),
        key=lambda pod: -pod.ordinal,
    )
    if view.deleting:
        return Sync((), _status(view, pods))
    acts: list[Act] = []
    waits = _invariants(view, replicas, condemned, acts)
    status = _status(view, (*(p for p in replicas if p.phase != NOTHING), *condemned))
    stopped = waits is not None or (view.ordered and acts and acts[-1].verb is not Verb.UPDATE)
    if not stopped and not view.strategy.on_delete:
        rolled = tuple(_rolled(view, replicas))
        acts += rolled
        status = status._replace(current_replicas=status.current_replicas - len(rolled))
    return Sync(tuple(acts), status, waits)


def _invariants(
    view: SetView, replicas: Sequence[PodView], condemned: Sequence[PodView], acts: list[Act]
) -> int | None:
    """What comes before any rollout; gives the ordinal of the pod that is waited for."""
    for pod in replicas:
        acts += _of_replica(view, pod)
        if view.ordered and (pod.unavailable or pod.phase in ENDED):
            acted = any(act.ordinal == pod.ordinal for act in acts)
            return None if acted else pod.ordinal
    unhealthy = [p.ordinal for p in (*replicas, *reversed(condemned)) if p.unavailable]
    for pod in condemned:
        if pod.terminating:
            if view.ordered:
                return pod.ordinal
            continue
        if view.ordered and not pod.healthy and pod.ordinal != unhealthy[0]:
            return unhealthy[0]
        acts.append(Act(Verb.DELETE, pod.ordinal, pod.revision, Purpose.SCALE_DOWN))
        if view.ordered:
            return None
    return None


def _of_replica(view: SetView, pod: PodView) -> Iterator[Act]:
    """``processReplica``: what is done to a pod that there should be."""
    if pod.phase in ENDED:
        if not pod.terminating:
            yield Act(Verb.DELETE, pod.ordinal, pod.revision, Purpose.ENDED)
    elif pod.phase == NOTHING:
        if pod.ordinal not in view.blocked:
            yield Act(Verb.CREATE, pod.ordinal, pod.revision, Purpose.MISSING)
    elif not pod.identified and not (view.ordered and pod.unavailable):
        yield Act(Verb.UPDATE, pod.ordinal, pod.revision, Purpose.IDENTITY)


def _rolled(view: SetView, replicas: Sequence[PodView]) -> Iterator[Act]:
    """The pods that go since they are of another revision, the highest ordinal first."""
    partition = view.strategy.partition or 0
    most = view.strategy.max_unavailable
    targets = list(reversed(replicas[partition:]))
    if most is not None:
        left = max(0, most - sum(pod.unavailable for pod in replicas))
        outdated = (pod for pod in targets if _is_outdated(view, pod))
        for pod, _ in zip(outdated, range(left), strict=False):
            yield Act(Verb.DELETE, pod.ordinal, pod.revision, Purpose.ROLL_OUT)
        return
    for pod in targets:
        if _is_outdated(view, pod):
            yield Act(Verb.DELETE, pod.ordinal, pod.revision, Purpose.ROLL_OUT)
            return
        if pod.unavailable:
            return


def _is_outdated(view: SetView, pod: PodView) -> bool:
    return pod.revision != view.update and not pod.terminating


def _status(view: SetView, pods: Iterable[PodView]) -> Status:
    """``computeReplicaStatus``: pods that terminate count, but for those by revision."""
    there = [pod for pod in pods if pod.phase != NOTHING]
    ready = [pod for pod in there if pod.phase == RUNNING and pod.ready]
    staying = [pod.revision for pod in there if not pod.terminating]
    return Status(
        replicas=len(there),
        ready=len(ready),
        available=sum(pod.available for pod in ready),
        current_replicas=staying.count(view.current),
        updated=staying.count(view.update),
        current=view.current,
        update=view.update,
    )


def completed(view: SetView, status: Status) -> Status:
    """What is written of a status: the current revision is the new one once all pods are of it.

    ``completeRollingUpdate``: whether they are available, or below the partition, it does not ask.
    """
    counts = (status.updated, status.ready, status.replicas)
    if view.strategy.on_delete or counts != (view.replicas,) * len(counts):
        return status
    return status._replace(current=status.update, current_replicas=status.updated)


def truncated(
    revisions: Sequence[Revision], live: Iterable[Revision], limit: int
) -> tuple[Revision, ...]:
    """The revisions that go, of those in the order of their numbers (``truncateHistory``).

    None goes that is ``live``: the current one, that of the template, or that of any pod.
    """
    kept = set(live)
    history = [revision for revision in revisions if revision not in kept]
    return tuple(history[: max(0, len(history) - limit)]) if limit >= 0 else ()


def in_order(revisions: Sequence[Revision], update: Revision) -> tuple[Revision, ...]:
    """The revisions once that of the template is the newest (``getStatefulSetRevisions``).

    One that there is already gets a new number, as a template that is taken back to does.
    """
    return (*(revision for revision in revisions if revision != update), update)
