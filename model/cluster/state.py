"""What the cells hold.

Pods of one template are interchangeable, so a node holds *counts* of pods by class and phase, and
those that have no node yet are one number for each template. A pod *class* is one template of one
workload (see `kubelemma.model.cluster.world`).

A workload has a cell for what the API server has of the owner (`DeploymentState`, with its
ReplicaSets, or `LoneState`), one for its pods without a node (`Queue`), and for each template one
for what the ReplicaSet controller has in hand (`Sync`). Few rules look at more than one of them.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple, TypeAlias, TypeVar

from .machines import Machine, Memory, Unsettled

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
    LINGERING = 6
    """Deleted by force: the API has no such pod any more, but its containers may still run."""
    FAILED = 7
    """Ended for good: it holds nothing, but its object keeps its name until it is deleted."""
    CREATING = 8
    """Admitted, and no container has been started yet (API phase Pending). Only of pods that may
    have to wait for that: of all others they are started at once."""
    RESTARTING = 9
    """The same of pods whose containers have run and ended (Running, not Ready)."""
    ENDED = 10
    """Being deleted; its containers have stopped and the API shows that (Succeeded or Failed), so
    nobody else counts it, but its kubelet has yet to clean up after it."""


ACTIVE = (
    *(Phase.ASSIGNED, Phase.STARTING, Phase.READY, Phase.AVAILABLE),
    *(Phase.CREATING, Phase.RESTARTING),
)
"""Phases of pods that are neither terminal nor being deleted."""

ADMITTED = (
    *(Phase.STARTING, Phase.READY, Phase.AVAILABLE, Phase.TERMINATING),
    *(Phase.CREATING, Phase.RESTARTING, Phase.ENDED),
)
"""Phases of pods that the kubelet has admitted and not yet finished."""

SHOWN_PENDING = (Phase.ASSIGNED, Phase.CREATING)
"""Phases of pods that the API shows as Pending though they have a node."""

UNSTARTED = (Phase.CREATING, Phase.RESTARTING)
"""Phases of pods whose containers have yet to be started."""


IN_API = tuple(phase for phase in Phase if phase is not Phase.LINGERING)
"""Phases of pods whose objects are there."""

EXISTING = tuple(phase for phase in IN_API if phase is not Phase.ENDED)
"""Phases of pods that their owners count, those that terminate among them."""

HOLDING = tuple(phase for phase in EXISTING if phase is not Phase.FAILED)
"""Phases of pods that hold what they ask for, as the API shows it."""

LEAVING = (Phase.TERMINATING, Phase.REVOKED, Phase.LINGERING, Phase.ENDED)
"""Phases of pods that are gone once their kubelet has done with them."""

RUNNING = (*(phase for phase in ADMITTED if phase is not Phase.ENDED), Phase.LINGERING)
"""Phases of pods whose containers run as long as their machine does."""


STARTED = tuple(phase for phase in RUNNING if phase not in UNSTARTED)
"""The same without pods of which no container has been started."""


class Marks(IntFlag):
    """What somebody has in mind for a pod; the pod itself knows nothing of it."""

    NONE = 0
    CHOSEN = 1
    """A sync of its ReplicaSet has chosen it as a victim, and has yet to delete it."""
    LISTED = 2
    """A ``kubectl drain`` has listed it, and has yet to remove it."""
    EVICTED = 4
    """Its eviction was granted, and its budget has it among ``disruptedPods``."""
    UNASKED = 8
    """The drain that has listed it deletes pods and asks for no eviction."""
    TIMED = 16
    """The drain that has listed it ends in some time, done or not."""
    AWAITED = 32
    """The drain that has listed it ends only when it is gone."""
    LOST = 64
    """Its eviction was granted, but the request got lost: nobody deletes it any more."""


WAITING = Marks.AWAITED | Marks.TIMED
"""What a drain still has in mind for a pod that it has asked to go, if it waits for it."""


def still_awaited(marks: int) -> int:
    """Of the marks of a pod those that stay when it is deleted, or is about to be."""
    return marks & WAITING if marks & Marks.AWAITED else Marks.NONE


class Group(NamedTuple):
    """``size`` pods of one class in one phase, with the same marks."""

    pod_class: int
    phase: int
    size: int
    marks: int = 0


Pods = tuple[Group, ...]
"""The pods of a node: sorted, no group empty."""


def shifted(pods: Pods, pod_class: int, phase: int, by: int, marks: int = 0) -> Pods:
    """The pods with ``by`` more (or fewer) of one class in one phase."""
    counts = {(g.pod_class, g.phase, g.marks): g.size for g in pods}
    key = (pod_class, int(phase), int(marks))
    counts[key] = counts.get(key, 0) + by
    return tuple(Group(c, p, n, m) for (c, p, m), n in sorted(counts.items()) if n)


def without(pods: Pods, group: Group) -> Pods:
    """The pods with one of this group less."""
    return shifted(pods, group.pod_class, group.phase, -1, group.marks)


def moved(pods: Pods, group: Group, after: Phase) -> Pods:
    """The pods with one of this group moved to another phase; it keeps its marks."""
    return shifted(without(pods, group), group.pod_class, after, 1, group.marks)


def remarked(pods: Pods, group: Group, marks: int) -> Pods:
    """The pods with other marks on one of this group."""
    return shifted(without(pods, group), group.pod_class, group.phase, 1, marks)


def unmarked(pods: Pods, pod_class: int, mark: Marks) -> Pods:
    """The pods without this mark on those of a class."""
    for group in pods:
        if group.pod_class == pod_class and group.marks & mark:
            for _ in range(group.size):
                pods = remarked(pods, group, group.marks & ~mark)
    return pods


def count(pods: Pods, pod_class: int, phases: tuple[Phase, ...]) -> int:
    """How many pods of a class are in one of these phases."""
    return sum(g.size for g in pods if g.pod_class == pod_class and g.phase in phases)


class Attachment(NamedTuple):
    """A volume that is attached to a node.

    ``volume`` is its place among those that are followed (see `kubelemma.model.cluster.storage`);
    ``mounted``: whether the kubelet has mounted it for some pod, or is about to.
    """

    volume: int
    mounted: bool = False


class Ailment(IntFlag):
    """What is wrong with a node, by the conditions that taints mirror."""

    NONE = 0
    UNREACHABLE = 1
    """Ready is Unknown."""
    NOT_READY = 2
    """Ready is False."""
    SHUTTING_DOWN = 4
    """The machine shuts down; of taints and conditions the same as ``NOT_READY``."""
    MEMORY_PRESSURE = 8
    """The condition of that name is True."""


class NodeState(NamedTuple):
    """One node with everything on it.

    ``up`` is the truth, ``ready`` what the API says; between them lies the grace period.
    ``tainted`` says which NoSchedule taints it carries for what is wrong with it, such as
    ``node.kubernetes.io/unreachable``, ``evicting`` which NoExecute taints: both follow its
    conditions, each in its own time.
    ``out_of_service``: somebody has given it the taint ``node.kubernetes.io/out-of-service``.
    ``cut_off``: its machine runs, but nothing can be reached from there, so it is not ``up``: its
    kubelet acts on what it knew. ``machine`` is what its cloud says of it, a `Machine`. ``ails`` is
    what its kubelet finds wrong, works on no pod because of, and still reports, and ``reported``
    what the API has of that: whether Ready is False where it is not True, or was so before the node
    fell silent (``UNREACHABLE``); and whether it is short of memory, of which ``memory`` is the
    truth, a `Memory`. ``unsettled`` is what its cloud has yet to do about it.
    """

    shape: int
    up: bool = True
    ready: bool = True
    tainted: Ailment = Ailment.NONE
    evicting: Ailment = Ailment.NONE
    cordoned: bool = False
    out_of_service: bool = False
    pods: Pods = ()
    volumes: tuple[Attachment, ...] = ()
    cut_off: bool = False
    machine: int = Machine.THERE
    ails: Ailment = Ailment.NONE
    reported: Ailment = Ailment.NONE
    memory: int = Memory.ENOUGH
    unsettled: Unsettled = Unsettled.NONE

    @property
    def runs(self) -> bool:
        """Whether its machine runs, be it cut off."""
        return self.up or self.cut_off


class Taints(NamedTuple):
    """What the taints of a node follow, beside those that it was given."""

    tainted: Ailment
    evicting: Ailment
    cordoned: bool
    out_of_service: bool = False


class ShownNode(NamedTuple):
    """What the API shows of a node to whoever places pods, or admits them: not whether it is Ready.

    Of that, taints tell.
    """

    shape: int
    tainted: Ailment
    evicting: Ailment
    cordoned: bool
    out_of_service: bool
    unsettled: Unsettled
    pods: Pods


AnyNode = NodeState | ShownNode

Counts = tuple[int, ...]
"""One number for each template of a workload."""


class Queue(NamedTuple):
    """A workload's pods that have no node, by template: those chosen as victims, and all others."""

    free: Counts
    chosen: Counts

    @classmethod
    def of(cls, free: Counts) -> Queue:
        """Pods of which none is chosen."""
        return cls(free, (0,) * len(free))

    @property
    def waiting(self) -> Counts:
        """All of them."""
        return tuple(a + b for a, b in zip(self.free, self.chosen, strict=True))

    def with_free(self, template: int, by: int) -> Queue:
        """With so many more pods that are not chosen."""
        return self._replace(free=replaced(self.free, template, self.free[template] + by))

    def chosen_of(self, template: int, number: int) -> Queue:
        """With so many of those that were not chosen now chosen."""
        return self.with_free(template, -number).with_chosen(template, number)

    def with_chosen(self, template: int, by: int) -> Queue:
        """With so many more pods that are chosen."""
        return self._replace(chosen=replaced(self.chosen, template, self.chosen[template] + by))


def replaced(values: tuple[T, ...], template: int, value: T) -> tuple[T, ...]:
    """The values by template, with that of one template replaced."""
    return (*values[:template], value, *values[template + 1 :])


class Status(NamedTuple):
    """What a sync of a ReplicaSet has counted, and writes as its status.

    ``replicas`` stays 0 where nobody reads it.
    """

    replicas: int
    available: int


class Sync(NamedTuple):
    """What the ReplicaSet controller has in hand for one ReplicaSet: the rest of a sync.

    It creates ``adds`` more pods, chooses ``choosing`` more victims, deletes those that are marked
    as chosen, and then writes ``status``, unless what it counted is what the ReplicaSet shows.
    ``renewed``: whether it creates them from the template that has been applied.
    """

    adds: int = 0
    choosing: int = 0
    status: Status | None = None
    renewed: bool = False

    def given_up(self) -> Sync:
        """What is left once a creation has failed: the first refusal ends all others."""
        return self._replace(adds=0, renewed=False)

    def created(self) -> Sync:
        """What is left once one more pod has been created."""
        return self._replace(adds=self.adds - 1, renewed=self.renewed and self.adds > 1)


IDLE = Sync()
"""Nothing in hand but victims that are marked, if there are any."""


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


class Verb(IntEnum):
    """What a Deployment sync may do with a ReplicaSet."""

    REVISE = 0
    """PUT it as the newest revision."""
    CREATE = 1
    RESIZE = 2
    """PUT it with another size."""
    DELETE = 3


class PlannedWrite(NamedTuple):
    """A write of one ReplicaSet that a Deployment sync has decided on and not yet sent."""

    verb: int
    template: int
    replicas: int = 0
    desired: int = 0
    maximum: int = 0


class Edit(NamedTuple):
    """What ``kubectl apply`` makes of an owner of pods.

    ``replicas`` is -1 where nothing is said of them. ``fields`` says what differs. ``strategy`` is
    the number of the way in which it is rolled out from then on.
    """

    template: int
    replicas: int
    paused: bool
    fields: str = ""
    strategy: int = 0

    def __str__(self) -> str:
        return self.fields


class DeploymentState(NamedTuple):
    """A Deployment, its ReplicaSets in order of creation, and the rest of the sync under way.

    A sync that has just read is not told from one that has yet to: ``plan`` is empty, and its first
    write follows from what is here. When somebody else changes that before it writes, what it had
    read stays as its plan. ``strategy`` is the number of the way in which it is rolled out, of
    those that its workload has.
    """

    replicas: int
    template: int
    paused: bool
    sets: tuple[SetState, ...]
    plan: tuple[PlannedWrite, ...] = ()
    strategy: int = 0

    @property
    def absent(self) -> bool:
        """Whether there is no such object, or nothing that could ever come of it."""
        return self == DeploymentState(0, 0, paused=True, sets=(), strategy=self.strategy)

    @property
    def known(self) -> Counts:
        """The templates that there have been, the newest revision last."""
        return tuple(s.template for s in sorted(self.sets, key=lambda s: s.revision))

    def current(self) -> SetState | None:
        """The ReplicaSet of the template in the Deployment's spec, if it exists."""
        return next((s for s in self.sets if s.template == self.template), None)

    def with_set(self, changed: SetState) -> DeploymentState:
        """This state with the ReplicaSet of the same template replaced."""
        sets = tuple(changed if s.template == changed.template else s for s in self.sets)
        return self._replace(sets=sets)

    def edited(self, edit: Edit) -> DeploymentState:
        """This state after somebody has applied the Deployment."""
        replicas = self.replicas if edit.replicas < 0 else edit.replicas
        return self._replace(
            replicas=replicas,
            template=edit.template,
            paused=edit.paused,
            strategy=edit.strategy,
        )

    def deleted(self) -> DeploymentState:
        """This state once there is no such Deployment any more, nor a ReplicaSet of it."""
        return DeploymentState(0, 0, paused=True, sets=(), strategy=self.strategy)

    def with_status(self, template: int, status: Status) -> DeploymentState:
        """This state after a PUT of a ReplicaSet's status.

        A PUT that a sync has planned from an older version of the ReplicaSet fails by it.
        """
        sets = tuple(_reported(s, status) if s.template == template else s for s in self.sets)
        return self._replace(sets=sets, plan=until_conflict(self.plan, template))


def _reported(replica_set: SetState, status: Status) -> SetState:
    return replica_set._replace(status_replicas=status.replicas, status_available=status.available)


def until_conflict(plan: tuple[PlannedWrite, ...], template: int) -> tuple[PlannedWrite, ...]:
    """What is left of a plan when the ReplicaSet of this template is written by somebody else.

    A PUT carries the version that the sync had read: now it fails, and the rest is dropped.
    """
    for i, write in enumerate(plan):
        if write.template == template and write.verb in (Verb.REVISE, Verb.RESIZE):
            return plan[:i]
    return plan


class LoneState(NamedTuple):
    """A ReplicaSet, or a ReplicationController, that nobody else controls.

    To whoever looks at owners of pods it is one of a single template that is never paused, with a
    ReplicaSet that is itself; ``replicas`` is -1 where there is none. ``renewed``: whether another
    template has been applied, from which it makes pods from then on.
    """

    replicas: int
    status_replicas: int = 0
    status_available: int = 0
    renewed: bool = False

    @property
    def template(self) -> int:
        """The template that all of its pods count for."""
        return 0

    @property
    def paused(self) -> bool:
        """Nobody pauses it."""
        return False

    @property
    def absent(self) -> bool:
        """Whether there is no such object."""
        return self.replicas < 0

    @property
    def sets(self) -> tuple[SetState, ...]:
        """Itself."""
        size = self.replicas
        if size < 0:
            return ()
        return (SetState(0, 1, size, size, size, self.status_replicas, self.status_available),)

    def edited(self, edit: Edit) -> LoneState:
        """This state after somebody has applied it."""
        replicas = self.replicas if edit.replicas < 0 else edit.replicas
        return self._replace(replicas=replicas, renewed=self.renewed or edit.template > 0)

    def deleted(self) -> LoneState:
        """This state once there is no such object any more."""
        return LoneState(-1)

    def with_status(self, _template: int, status: Status) -> LoneState:
        """This state after a PUT of its status."""
        return self._replace(status_replicas=status.replicas, status_available=status.available)


class StatefulSetState(NamedTuple):
    """A StatefulSet, its ControllerRevisions in the order of their numbers, and of its status.

    ``template`` is that of its spec, ``current`` that of ``status.currentRevision``;
    ``current_replicas`` stays 0 where nobody reads it. ``replicas`` is -1 where there is none.
    ``strategy`` is the number of the way in which it is updated, of those that its workload has.
    """

    replicas: int
    template: int
    current: int
    revisions: Counts
    current_replicas: int = 0
    strategy: int = 0

    @property
    def paused(self) -> bool:
        """Nobody pauses it."""
        return False

    @property
    def absent(self) -> bool:
        """Whether there is no such object."""
        return self.replicas < 0

    @property
    def sets(self) -> tuple[SetState, ...]:
        """It makes its pods itself."""
        return ()

    @property
    def known(self) -> Counts:
        """The templates that there have been, the newest revision last."""
        return self.revisions

    def edited(self, edit: Edit) -> StatefulSetState:
        """This state after somebody has applied it."""
        replicas = self.replicas if edit.replicas < 0 else edit.replicas
        return self._replace(replicas=replicas, template=edit.template, strategy=edit.strategy)

    def deleted(self) -> StatefulSetState:
        """This state once there is no such object any more."""
        return StatefulSetState(-1, 0, 0, (), strategy=self.strategy)


OwnerState: TypeAlias = DeploymentState | LoneState | StatefulSetState
"""What the API has of an owner of pods."""


class Specs(NamedTuple):
    """What the specs of an owner and its ReplicaSets ask for, without annotations and statuses.

    ``sets`` has ``spec.replicas`` of the ReplicaSet of each template, -1 where there is none.
    """

    replicas: int
    template: int
    paused: bool
    sets: Counts
