"""A picture of the cluster at one moment of a story, as data; and how two pictures differ.

A story has one whole picture, of its start, and for each step only what the step changed: a run of
a thousand steps would else repeat a cluster a thousand times.

Names are ``namespace/name``, those of nodes as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar


@dataclass(frozen=True, slots=True)
class WorkloadBox:
    """A workload: what its owner asks for. ``version`` is that of the pod template, ``v1``.

    One that is no Deployment has no ReplicaSets beside it.
    """

    name: str
    replicas: int
    version: str
    paused: bool = False
    kind: str = "Deployment"


@dataclass(frozen=True, slots=True)
class SetBox:
    """A ReplicaSet of the workload ``workload``, and what it asks for."""

    name: str
    workload: str
    version: str
    replicas: int


@dataclass(frozen=True, slots=True)
class Usage:
    """One resource of a node as people write it; ``share`` is what of it is requested, from 0.

    It exceeds 1 where a node is overcommitted, and is 0 where the node has none of the resource.
    """

    resource: str
    requested: str
    allocatable: str
    share: float


@dataclass(frozen=True, slots=True)
class NodeBox:
    """A node.

    Attributes:
        zone: that it is in; empty for none.
        conditions: what is out of the ordinary, such as ``down`` or ``cordoned``.
        standing: how many pods it has that stand by and are not part of the story.
        usage: what its pods request of what it has, the ones that stand by included.
    """

    name: str
    zone: str = ""
    conditions: tuple[str, ...] = ()
    standing: int = 0
    usage: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True)
class PodBox:
    """A pod of the workload ``workload``; ``node`` is empty while it has none."""

    name: str
    workload: str
    version: str
    phase: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class ServiceBox:
    """A Service that selects pods of the story, and who receives its traffic.

    Attributes:
        endpoints: the names of the pods that do: Ready as the API shows them, and not terminating.
        others: how many pods beside do, that stand by and are not part of the story.
        silent: how many of all of them are on machines that are down, and cannot answer.
        said: what there is to say of its load balancer, and of what kube-proxies believe.
    """

    name: str
    endpoints: tuple[str, ...] = ()
    others: int = 0
    silent: int = 0
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetBox:
    """A disruption budget that covers pods of the story, with the counts of its status.

    ``healthy``, ``desired``, ``expected`` and ``allowed`` are ``currentHealthy``,
    ``desiredHealthy``, ``expectedPods`` and ``disruptionsAllowed``.
    """

    name: str
    healthy: int
    desired: int
    expected: int
    allowed: int


@dataclass(frozen=True, slots=True)
class VolumeBox:
    """A volume that pods of the story may use.

    Attributes:
        claim: the claim that it is bound to; empty for none.
        phase: such as ``Bound``.
        reach: the labels of the nodes that reach it; empty where all do.
        attached: the names of the nodes that it is attached to.
        mounted: those of these on which it is mounted.
        awaited: the names of the nodes with pods that use it, where it is not attached yet.
    """

    name: str
    claim: str = ""
    phase: str = ""
    reach: str = ""
    attached: tuple[str, ...] = ()
    mounted: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of an object that holds something, such as ``spec.size``, as YAML would have it."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class ObjectBox:
    """An object that a loaded controller acts on; ``name`` has its kind, too.

    Attributes:
        owners: the names of those that it has owner references to.
        finalizers: who must agree before it goes.
        deleting: whether it is marked for deletion.
        fields: what it holds besides.
    """

    name: str
    kind: str
    owners: tuple[str, ...] = ()
    finalizers: tuple[str, ...] = ()
    deleting: bool = False
    fields: tuple[Leaf, ...] = ()


@dataclass(frozen=True, slots=True)
class Outdated:
    """A field that somebody knows as ``seen``, and that is ``actual`` now."""

    object: str
    field: str
    seen: str
    actual: str


@dataclass(frozen=True, slots=True)
class WorkerBox:
    """A worker of a loaded controller, and its sync under way.

    Attributes:
        subject: the object that the sync is of; empty where there is no sync, like all below.
        read: what it had read, a sentence for each kind.
        done: what it has sent so far, a sentence for each request.
        next: what it sends next.
        outdated: what has changed since it read.
    """

    name: str
    controller: str
    subject: str = ""
    read: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    next: str = ""
    outdated: tuple[Outdated, ...] = ()


@dataclass(frozen=True, slots=True)
class CacheBox:
    """A cache of a loaded controller, and what it does not show yet.

    ``behind`` is the number of events that are on their way to it.
    """

    name: str
    controller: str
    behind: int = 0
    outdated: tuple[Outdated, ...] = ()


AnyBox: TypeAlias = (
    WorkloadBox
    | SetBox
    | NodeBox
    | PodBox
    | ServiceBox
    | BudgetBox
    | VolumeBox
    | ObjectBox
    | WorkerBox
    | CacheBox
)
Box = TypeVar(
    "Box",
    WorkloadBox,
    SetBox,
    NodeBox,
    PodBox,
    ServiceBox,
    BudgetBox,
    VolumeBox,
    ObjectBox,
    WorkerBox,
    CacheBox,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What there is at one moment: within each field, names are distinct and in order."""

    workloads: tuple[WorkloadBox, ...] = ()
    sets: tuple[SetBox, ...] = ()
    nodes: tuple[NodeBox, ...] = ()
    pods: tuple[PodBox, ...] = ()
    services: tuple[ServiceBox, ...] = ()
    budgets: tuple[BudgetBox, ...] = ()
    volumes: tuple[VolumeBox, ...] = ()
    objects: tuple[ObjectBox, ...] = ()
    workers: tuple[WorkerBox, ...] = ()
    caches: tuple[CacheBox, ...] = ()

    @classmethod
    def of(cls, boxes: Iterable[AnyBox]) -> Picture:
        """The picture of these boxes, each kind of them by name."""
        kinds: dict[str, list[Any]] = {}
        for box in sorted(boxes, key=lambda one: one.name):
            kinds.setdefault(_FIELDS[type(box)], []).append(box)
        return cls(**{kind: tuple(found) for kind, found in kinds.items()})


_FIELDS: Mapping[type, str] = MappingProxyType(
    {
        WorkloadBox: "workloads",
        SetBox: "sets",
        NodeBox: "nodes",
        PodBox: "pods",
        ServiceBox: "services",
        BudgetBox: "budgets",
        VolumeBox: "volumes",
        ObjectBox: "objects",
        WorkerBox: "workers",
        CacheBox: "caches",
    }
)


@dataclass(frozen=True, slots=True)
class PictureChange:
    """What is new or different after a step, and the names of what is no longer there.

    Only ReplicaSets, pods, volumes and objects of loaded controllers may be gone before the end of
    a story.
    """

    changed: Picture = Picture()
    removed_sets: tuple[str, ...] = ()
    removed_pods: tuple[str, ...] = ()
    removed_objects: tuple[str, ...] = ()
    removed_volumes: tuple[str, ...] = ()


def difference(before: Picture, after: Picture) -> PictureChange:
    """What turns one picture into the other."""
    return PictureChange(
        changed=Picture(
            workloads=_new(before.workloads, after.workloads),
            sets=_new(before.sets, after.sets),
            nodes=_new(before.nodes, after.nodes),
            pods=_new(before.pods, after.pods),
            services=_new(before.services, after.services),
            budgets=_new(before.budgets, after.budgets),
            volumes=_new(before.volumes, after.volumes),
            objects=_new(before.objects, after.objects),
            workers=_new(before.workers, after.workers),
            caches=_new(before.caches, after.caches),
        ),
        removed_sets=_gone(before.sets, after.sets),
        removed_pods=_gone(before.pods, after.pods),
        removed_objects=_gone(before.objects, after.objects),
        removed_volumes=_gone(before.volumes, after.volumes),
    )


def apply(before: Picture, change: PictureChange) -> Picture:
    """The picture after a change, so that ``apply(a, difference(a, b))`` is ``b``."""
    return Picture(
        workloads=_updated(before.workloads, change.changed.workloads),
        sets=_updated(before.sets, change.changed.sets, change.removed_sets),
        nodes=_updated(before.nodes, change.changed.nodes),
        pods=_updated(before.pods, change.changed.pods, change.removed_pods),
        services=_updated(before.services, change.changed.services),
        budgets=_updated(before.budgets, change.changed.budgets),
        volumes=_updated(before.volumes, change.changed.volumes, change.removed_volumes),
        objects=_updated(before.objects, change.changed.objects, change.removed_objects),
        workers=_updated(before.workers, change.changed.workers),
        caches=_updated(before.caches, change.changed.caches),
    )


def _new(before: tuple[Box, ...], after: tuple[Box, ...]) -> tuple[Box, ...]:
    known = frozenset(before)
    return tuple(box for box in after if box not in known)


def _gone(before: tuple[Box, ...], after: tuple[Box, ...]) -> tuple[str, ...]:
    left = {box.name for box in after}
    return tuple(box.name for box in before if box.name not in left)


def _updated(
    before: tuple[Box, ...], new: tuple[Box, ...], gone: Iterable[str] = ()
) -> tuple[Box, ...]:
    boxes = {box.name: box for box in before} | {box.name: box for box in new}
    for name in gone:
        del boxes[name]
    return tuple(boxes[name] for name in sorted(boxes))
