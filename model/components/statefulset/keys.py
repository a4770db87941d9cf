"""StatefulSets as keys in their controller's queue: what it reads, and what it has in hand."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from kubelemma.model.cluster.state import StatefulSetState
from kubelemma.model.cluster.world import Workload, World

from .decision import (
    NOTHING,
    RUNNING,
    PodView,
    Purpose,
    SetView,
    Strategy,
    max_unavailable,
)

STATEFULSET = "statefulset-controller"

CREATE = "create a pod of"
CREATE_BOUND = "create a bound pod of"

MAX_UNAVAILABLE = "MaxUnavailableStatefulSet"
"""The feature gate without which nobody asks for ``maxUnavailable``."""


class Shown(IntEnum):
    """What the API shows of the pod of one class; there is one at most."""

    ABSENT = 0
    PENDING = 1
    """It has no node, or is not admitted there."""
    UNREADY = 2
    READY = 3
    AVAILABLE = 4
    TERMINATING = 5
    FAILED = 6


class Seated(NamedTuple):
    """A pod that there is."""

    ordinal: int
    template: int
    shown: Shown


Pods = tuple[Seated, ...]
"""The pods that there are, by ordinal."""


class Aim(IntEnum):
    """What a write of a pod is for: a `Purpose` that a state can hold."""

    MISSING = 0
    ENDED = 1
    SCALE_DOWN = 2
    ROLL_OUT = 3


AIMS = {
    Purpose.MISSING: Aim.MISSING,
    Purpose.ENDED: Aim.ENDED,
    Purpose.SCALE_DOWN: Aim.SCALE_DOWN,
    Purpose.ROLL_OUT: Aim.ROLL_OUT,
}


class PodWrite(NamedTuple):
    """A write that a sync has decided on: a pod that it creates or deletes."""

    aim: int
    ordinal: int
    template: int


class SetSync(NamedTuple):
    """What the controller has in hand for one StatefulSet: the rest of a sync.

    After its ``writes`` it reports what it had counted, of which only is kept what somebody reads
    and what is not so yet; -1 stands for nothing.
    """

    writes: tuple[PodWrite, ...] = ()
    current: int = -1
    current_replicas: int = -1

    def given_up(self) -> SetSync:
        """What is left once a write has failed: what it had counted it still reports."""
        return self._replace(writes=())

    def without(self, write: PodWrite) -> SetSync:
        """What is left once one of the writes is done."""
        return self._replace(writes=tuple(w for w in self.writes if w != write))


IDLE = SetSync()
"""Nothing in hand."""


def sync_name(workload: Workload) -> str:
    """The name of the cell with what the controller has in hand."""
    return f"sync of {workload.cell}"


def creating(workload: Workload) -> frozenset[str]:
    """The names of the rules that create pods: of all, or with the claims of one ordinal."""
    whose = (workload.label, *(with_claims(workload, n) for n in workload.ordinals))
    return frozenset(f"{what} {name}" for what in (CREATE, CREATE_BOUND) for name in whose)


def with_claims(workload: Workload, ordinal: int) -> str:
    """What a rule that is about one pod and its claims calls these."""
    return f"{workload.label}, {ordinal} with its claims"


def pods_name(workload: Workload) -> str:
    """The name of the tally of the pods that the API shows."""
    return workload.tally("pods by ordinal")


def lost_name(workload: Workload) -> str:
    """The name of the tally of the pods whose machines are down, or cut off."""
    return workload.tally("pods on lost machines")


def running_name(workload: Workload) -> str:
    """The name of the tally of the pods whose containers may run, by ordinal."""
    return workload.tally("running by ordinal")


def set_view(
    world: World,
    workload: Workload,
    state: StatefulSetState,
    blocked: frozenset[int] = frozenset(),
) -> SetView:
    """A StatefulSet in the terms of the decision; ``blocked`` are as there."""
    updates = workload.updates[state.strategy]
    most = None
    if world.kubernetes.on(MAX_UNAVAILABLE):
        most = max_unavailable(updates.max_unavailable, state.replicas)
    return SetView(
        replicas=state.replicas,
        current=state.current if state.current in state.revisions else state.template,
        update=state.template,
        start=updates.start,
        ordered=updates.ordered,
        strategy=Strategy(updates.on_delete, updates.partition, most),
        current_replicas=state.current_replicas,
        blocked=blocked,
    )


def pod_view(pod: Seated) -> PodView:
    """A pod in the terms of the decision."""
    return PodView(
        ordinal=pod.ordinal,
        revision=pod.template,
        phase=_PHASES.get(pod.shown, RUNNING),
        ready=pod.shown in (Shown.READY, Shown.AVAILABLE),
        available=pod.shown is Shown.AVAILABLE,
        terminating=pod.shown is Shown.TERMINATING,
    )


_PHASES = {Shown.ABSENT: NOTHING, Shown.PENDING: "Pending", Shown.FAILED: "Failed"}


def due(workload: Workload, state: StatefulSetState, sync: SetSync) -> tuple[PodWrite, ...]:
    """Which of its writes a sync may send now: one after the other, or some at once.

    Of those that it sends at once (``slowStartBatch``) any may come first: first pods that there
    should be, then those that there should not.
    """
    if not sync.writes:
        return ()
    if workload.updates[state.strategy].ordered:
        return sync.writes[:1]
    first = _stage(sync.writes[0])
    return tuple(write for write in sync.writes if _stage(write) == first)


def _stage(write: PodWrite) -> int:
    return Aim.MISSING if write.aim == Aim.ENDED else write.aim
