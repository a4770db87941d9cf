"""What the cells hold.

Pods of one template are interchangeable, so a node holds *counts* of pods by class and phase, and
those that have no node yet are one number for each template. A pod *class* is one template of one
workload (see `kubelemma.model.wiring.world`).

A workload has three cells: what the API server has of the Deployment and its ReplicaSets
(`DeploymentState`), its pods without a node (`Counts`), and what the ReplicaSet controller keeps in
memory (a `Sync` for each template). Few rules look at more than one of them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Phase(IntEnum):
    """Where a pod on a node stands, as the API shows it."""

    ASSIGNED = 0
    """Bound; the kubelet has not admitted it (API phase Pending)."""
    STARTING = 1
    """Admitted, or unready again (Running, not Ready)."""
    READY = 2
    """Ready for less than ``minReadySeconds``."""
    AVAILABLE = 3
    """Ready for at least ``minReadySeconds``."""
    TERMINATING = 4
    """Deleted gracefully; its containers may still run and it still holds its resources."""
    REVOKED = 5
    """Deleted before the kubelet admitted it: nothing ran, only its object is left."""


ACTIVE = (Phase.ASSIGNED, Phase.STARTING, Phase.READY, Phase.AVAILABLE)
"""Phases of pods that are neither terminal nor being deleted."""

ADMITTED = (Phase.STARTING, Phase.READY, Phase.AVAILABLE, Phase.TERMINATING)
"""Phases of pods that the kubelet has admitted and not yet finished."""


class Group(NamedTuple):
    """``size`` pods of one class in one phase."""

    pod_class: int
    phase: int
    size: int


Pods = tuple[Group, ...]
"""The pods of a node: sorted, no group empty."""


def shifted(pods: Pods, pod_class: int, phase: Phase, by: int) -> Pods:
    """The pods with ``by`` more (or fewer) of one class in one phase."""
    counts = {(g.pod_class, g.phase): g.size for g in pods}
    key = (pod_class, int(phase))
    counts[key] = counts.get(key, 0) + by
    return tuple(Group(c, p, n) for (c, p), n in sorted(counts.items()) if n)


def moved(pods: Pods, pod_class: int, before: Phase, after: Phase) -> Pods:
    """The pods with one of a class moved from one phase to another."""
    return shifted(shifted(pods, pod_class, before, -1), pod_class, after, 1)


def count(pods: Pods, pod_class: int, phases: tuple[Phase, ...]) -> int:
    """How many pods of a class are in one of these phases."""
    return sum(g.size for g in pods if g.pod_class == pod_class and g.phase in phases)


class NodeState(NamedTuple):
    """One node with everything on it.

    ``up`` is the truth, ``ready`` what the API says; between them lies the grace period. A node
    that is not ready carries the taint ``node.kubernetes.io/unreachable:NoSchedule``, and
    ``evicting`` says that it carries ``unreachable:NoExecute`` too.
    """

    shape: int
    up: bool = True
    ready: bool = True
    evicting: bool = False
    cordoned: bool = False
    draining: bool = False
    pods: Pods = ()


Counts = tuple[int, ...]
"""One number for each template of a workload."""


def replaced(values: tuple[T, ...], template: int, value: T) -> tuple[T, ...]:
    """The values by template, with that of one template replaced."""
    return (*values[:template], value, *values[template + 1 :])


class Sync(NamedTuple):
    """What the ReplicaSet controller remembers of one ReplicaSet.

    A sync that has decided on creations or deletions is under way while ``adds`` is positive, or
    while more than ``read`` pods are active: ``read`` is the ``spec.replicas`` that it had read, or
    -1. (The real controller keeps this as expectations.)
    """

    adds: int = 0
    read: int = -1


Syncs = tuple[Sync, ...]
"""One for each template of a workload."""

IDLE = Sync()
"""Of a ReplicaSet that has no sync under way, or does not exist."""


class SetState(NamedTuple):
    """One ReplicaSet of a Deployment.

    ``desired`` and ``maximum`` are its annotations; ``status_replicas`` and ``status_available``
    the status that its controller last wrote.
    """

    template: int
    revision: int
    replicas: int
    desired: int
    maximum: int
    status_replicas: int = 0
    status_available: int = 0


class PlannedWrite(NamedTuple):
    """A PUT of one ReplicaSet that a Deployment sync has decided on and not yet sent."""

    template: int
    replicas: int
    desired: int
    maximum: int


class DeploymentState(NamedTuple):
    """A Deployment, its ReplicaSets in order of creation, and the rest of the sync under way."""

    replicas: int
    template: int
    paused: bool
    sets: tuple[SetState, ...]
    plan: tuple[PlannedWrite, ...] = ()

    def current(self) -> SetState | None:
        """The ReplicaSet of the template in the Deployment's spec, if it exists."""
        return next((s for s in self.sets if s.template == self.template), None)

    def with_set(self, changed: SetState) -> DeploymentState:
        """This state with the ReplicaSet of the same template replaced."""
        sets = tuple(changed if s.template == changed.template else s for s in self.sets)
        return self._replace(sets=sets)


class Specs(NamedTuple):
    """What the specs of a Deployment and its ReplicaSets ask for, without annotations and statuses.

    ``sets`` has ``spec.replicas`` of the ReplicaSet of each template, -1 where there is none.
    """

    replicas: int
    template: int
    paused: bool
    sets: Counts
