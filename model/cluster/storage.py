"""Claims and volumes: what of them is followed, what states hold of them, and how rules see them.

Claims are few and have names: each that a pod of the scenario may use has a cell, and so has each
volume that one of them may be bound to. Where a volume is attached stands with the node, in the
column ``nodes.volumes``, so that nodes stay interchangeable. A scenario whose pods use no claim has
none of this.

Sources: pkg/controller/volume/persistentvolume/pv_controller.go, pkg/volume/util/util.go
(``IsMultiAttachAllowed``), plugin/pkg/admission/storage/storageclass/setdefault/admission.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

from kubelemma.model.components.persistentvolume.decision import (
    Backing,
)
from kubelemma.model.components.scheduler.decision.volumes import (
    ONE_POD,
    ClaimKey,
)
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.storage import (
    PersistentVolume,
    PersistentVolumeClaim,
    Storage,
)
from kubelemma.model.system import Tally

from .columns import PODS, SHAPE, VOLUMES
from .state import HOLDING, RUNNING, Attachment, Phase, Pods

NONE = -1
"""No claim, volume, node or segment."""
ANOTHER = -2
"""A claim that is not followed."""
GONE = -3
"""A claim that is gone, whose name another one may have."""

STORED = "claims and volumes"
"""Tally: all claims and volumes that are followed, as a `Stored`."""
ATTACHED = "nodes by attached volume"
"""Tally: on how many nodes each volume is attached."""

USERS = "pods on nodes by claim"
"""Tally: how many pods on nodes use each claim."""

MOUNTED_PHASES = (*RUNNING, Phase.ENDED)
"""The phases of pods whose volumes a kubelet may have mounted."""


class ClaimPhase(IntEnum):
    """``status.phase`` of a claim."""

    PENDING = 0
    BOUND = 1
    LOST = 2


class VolumePhase(IntEnum):
    """``status.phase`` of a volume; ``PENDING`` until somebody has looked at it."""

    PENDING = 0
    AVAILABLE = 1
    BOUND = 2
    RELEASED = 3


class ClaimToMake(PersistentVolumeClaim, frozen=True, kw_only=True):
    """A claim that the controller of a pod makes before the pod, where there is none."""

    @property
    def key(self) -> ClaimKey:
        """Its namespace and name."""
        return (self.metadata.namespace, self.metadata.name)


class ClaimState(NamedTuple):
    """A claim.

    ``volume`` is the volume in ``spec.volumeName`` once the binding is written, ``node`` the shape
    of the node in the annotation ``selected-node``, ``deleted`` whether somebody has deleted it.
    ``renewed``: whether it is none of the input any more, but made anew from its template;
    ``condemned``: whether its pod owns it, and it goes with that.
    """

    present: bool = True
    volume: int = NONE
    phase: ClaimPhase = ClaimPhase.PENDING
    node: int = NONE
    deleted: bool = False
    renewed: bool = False
    condemned: bool = False


class VolumeState(NamedTuple):
    """A volume.

    ``claim`` is the claim in ``spec.claimRef``, ``segment`` where it was made, of the segments of
    its class.
    """

    present: bool = True
    claim: int = NONE
    phase: VolumePhase = VolumePhase.AVAILABLE
    segment: int = NONE
    deleted: bool = False


ABSENT_CLAIM = ClaimState(present=False)
ABSENT_VOLUME = VolumeState(present=False, phase=VolumePhase.PENDING)


class Stored(NamedTuple):
    """All claims and volumes that are followed."""

    claims: tuple[ClaimState, ...]
    volumes: tuple[VolumeState, ...]

    @property
    def ending(self) -> bool:
        """Whether somebody has deleted one of them."""
        return any(c.deleted for c in self.claims) or any(v.deleted for v in self.volumes)


class Followed(NamedTuple):
    """A claim that is followed.

    ``claim`` is what the input has of it, with its class, None where it has none. ``waits``:
    whether it is bound when a pod needs it. ``made`` is the volume that may be made for it, or -1;
    ``candidates`` are those of the input that it might be bound to, ``wanted`` the one that it
    names itself. ``template`` is what a controller makes where there is none, if one does so; then
    ``claim`` is that where the input has none.
    """

    key: ClaimKey
    claim: PersistentVolumeClaim | None
    waits: bool = False
    made: int = NONE
    candidates: tuple[int, ...] = ()
    wanted: int = NONE
    template: ClaimToMake | None = None

    @property
    def given(self) -> bool:
        """Whether the input has it."""
        return self.claim is not None and self.claim is not self.template

    @property
    def label(self) -> str:
        """Its namespace and name."""
        return "/".join(self.key)

    @property
    def cell(self) -> str:
        """The name of its cell."""
        return f"PersistentVolumeClaim {self.label}"


class Volume(NamedTuple):
    """A volume that is followed.

    ``volume`` is what the input has of it; None where it is made for a claim, in one of the
    ``segments`` of its class. ``backing`` is what is known of what makes it. ``exclusive``: whether
    it is attached to one node at a time; ``attached``: whether it is attached at all; ``reclaimed``
    whether it goes with its claim.
    """

    name: str
    volume: PersistentVolume | None
    backing: Backing
    exclusive: bool
    attached: bool
    reclaimed: bool
    segments: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def cell(self) -> str:
        """The name of its cell."""
        return f"PersistentVolume {self.name}"


@dataclass(frozen=True, eq=False)
class Stock:
    """The claims and volumes of a world that are followed, and all storage objects of the input.

    ``uses`` has the claims of each class of pods, ``beside`` those of the pods that stand by on
    each shape, ``nodes`` a node of each. ``collects``: whether claims are deleted with their pods.
    ``attached_to`` has the shapes that volumes are attached to at the start, where the input says.
    """

    storage: Storage
    claims: tuple[Followed, ...]
    volumes: tuple[Volume, ...]
    uses: tuple[tuple[int, ...], ...]
    beside: tuple[tuple[int, ...], ...]
    nodes: tuple[Node, ...] = ()
    collects: bool = False
    attached_to: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is followed."""
        return bool(self.claims)

    @property
    def single(self) -> bool:
        """Whether a claim is for one pod at a time."""
        given = (c.claim for c in self.claims if c.claim is not None)
        return any(ONE_POD in (claim.spec.access_modes or ()) for claim in given)

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of all cells."""
        return (*(c.cell for c in self.claims), *(v.cell for v in self.volumes))

    @cached_property
    def attachable(self) -> tuple[int, ...]:
        """The volumes that are attached to nodes."""
        return tuple(i for i, volume in enumerate(self.volumes) if volume.attached)

    @cached_property
    def bindable(self) -> bool:
        """Whether any claim may still have to be bound."""
        return any(
            c.template is not None or (c.claim is not None and not c.claim.is_bound)
            for c in self.claims
        )

    @cached_property
    def renewable(self) -> bool:
        """Whether a controller makes any of the claims."""
        return any(c.template is not None for c in self.claims)

    def made_for(self, pod_class: int) -> tuple[int, ...]:
        """The claims that a controller makes for the pods of a class."""
        return tuple(c for c in self.uses[pod_class] if self.claims[c].template is not None)

    def users(self, volume: int) -> frozenset[int]:
        """The classes of pods that may use a volume."""
        possible = {c for c in range(len(self.claims)) if volume in self.reachable(c)}
        return frozenset(i for i, own in enumerate(self.uses) if possible.intersection(own))

    def reachable(self, claim: int) -> tuple[int, ...]:
        """The volumes that a claim may be bound to."""
        found = self.claims[claim]
        every = (found.wanted, *found.candidates, found.made)
        return tuple(dict.fromkeys(v for v in every if v != NONE))

    def uses_volume(self, stored: Stored, pod_class: int, volume: int) -> bool:
        """Whether pods of a class use a volume, by the claims that are bound to it."""
        return any(stored.claims[c].volume == volume for c in self.uses[pod_class])

    def beside_uses(self, stored: Stored, shape: int, volume: int) -> bool:
        """Whether a pod that stands by on nodes of a shape uses a volume."""
        return any(stored.claims[c].volume == volume for c in self.beside[shape])


def segment_at(stock: Stock, volume: int, node: Node) -> int:
    """The segment that a node is in, of those of a volume that may be made; -1 for none."""
    if volume == NONE:
        return NONE
    labels = node.metadata.label_map()
    allowed = stock.volumes[volume].segments
    fits = (i for i, own in enumerate(allowed) if all(labels.get(k) == v for k, v in own))
    return next(fits, NONE)


def tallies(stock: Stock, *, users: bool) -> tuple[Tally, ...]:
    """All claims and volumes as one summary, and on how many nodes each volume is attached.

    With ``users`` also how many pods on nodes use each claim.
    """
    width = max(len(ClaimState._fields), len(VolumeState._fields))
    cells = stock.cells
    size = width * len(cells)

    def measure(at: int) -> Any:
        def parts(state: ClaimState | VolumeState) -> tuple[int, ...]:
            left = size - at * width - len(state)
            return (*(0,) * (at * width), *map(int, state), *(0,) * left)

        return parts

    def reduce(total: tuple[int, ...]) -> Stored:
        rows = [total[at : at + width] for at in range(0, size, width)]
        claims, volumes = rows[: len(stock.claims)], rows[len(stock.claims) :]
        return Stored(
            tuple(
                ClaimState(bool(p), v, ClaimPhase(f), n, bool(d), bool(r), bool(o))
                for p, v, f, n, d, r, o in claims
            ),
            tuple(
                VolumeState(bool(p), c, VolumePhase(f), s, bool(d)) for p, c, f, s, d, *_ in volumes
            ),
        )

    def attached(volumes: tuple[Attachment, ...]) -> tuple[int, ...]:
        there = {found.volume for found in volumes}
        return tuple(int(volume in there) for volume in range(len(stock.volumes)))

    def using(shape: int, pods: Pods) -> tuple[int, ...]:
        return tuple(
            stock.beside[shape].count(claim) + users_on(stock, pods, claim)
            for claim in range(len(stock.claims))
        )

    known = Tally(STORED, {name: measure(i) for i, name in enumerate(cells)}, size, reduce)
    places = Tally(ATTACHED, {VOLUMES: attached}, len(stock.volumes))
    counted = Tally(USERS, {(SHAPE, PODS): using}, len(stock.claims))
    return (known, places, *((counted,) if users else ()))


def users_on(stock: Stock, pods: Pods, claim: int) -> int:
    """How many of the pods on a node use a claim: those that have ended do not."""
    uses = (group for group in pods if claim in stock.uses[group.pod_class])
    return sum(group.size for group in uses if group.phase in HOLDING)
