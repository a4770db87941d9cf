# ruff: noqa: FBT001 - the values of columns are flags
"""The kubelet's volume manager: volumes are mounted before containers start.

Source: pkg/kubelet/volumemanager (``WaitForAttachAndMount``, ``WaitForUnmount``) and
pkg/kubelet/volumemanager/populator (``getPVCExtractPV``). What a pod that has terminated had
mounted is unmounted before its object goes; what is left by pods whose objects vanish otherwise is
unmounted in its own time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.cluster.columns import PODS, SHAPE, UP, VOLUMES
from kubelemma.model.cluster.state import (
    LEAVING,
    UNSTARTED,
    Attachment,
    Group,
    Phase,
    Pods,
    without,
)
from kubelemma.model.cluster.storage import MOUNTED_PHASES, NONE, STORED, ClaimPhase, Stock, Stored
from kubelemma.model.cluster.world import PodClass
from kubelemma.model.system import Outcome, Rule

from .actions import FINISH_TERMINATION, MOUNT, UNMOUNT

Volumes: TypeAlias = tuple[Attachment, ...]

_MOUNTING = (Phase.STARTING, *UNSTARTED)
"""Phases of pods that may have to be mounted something, be it anew after their machine booted."""


def rules(stock: Stock, actor: str) -> Iterator[Rule]:
    """Mounting, and unmounting what no pod uses any more."""
    for index in stock.attachable:
        volume, name = _Volume(stock, index), stock.volumes[index].name
        cells, reads, writes = (UP, SHAPE, PODS, VOLUMES), (STORED,), (VOLUMES,)
        own = (UP, PODS, VOLUMES)
        yield Rule(f"mount {name}", actor, own, volume.mount, reads, writes=writes, each=PODS)
        yield Rule(f"unmount {name}", actor, cells, volume.unmount, reads, writes=writes)


class _Volume(NamedTuple):
    """A volume that is attached to nodes."""

    stock: Stock
    number: int

    def mount(self, up: bool, *seen: Any) -> Iterator[Outcome]:
        pods, volumes, stored = seen
        wanted = any(group.phase in _MOUNTING and self._may_mount(stored, group) for group in pods)
        if up and wanted and Attachment(self.number) in volumes:
            after = _changed(volumes, {self.number}, mounted=True)
            why = "it is attached, and a pod that was admitted uses it"
            yield Outcome(MOUNT, {VOLUMES: after}, (("volume", self.number),), why)

    def _may_mount(self, stored: Stored, group: Group) -> bool:
        """Whether a pod uses the volume by a claim that is bound and stays.

        The kubelet mounts nothing of a claim that is being deleted.
        """
        claims = (stored.claims[claim] for claim in self.stock.uses[group.pod_class])
        return any(
            claim.volume == self.number and claim.phase == ClaimPhase.BOUND and not claim.deleted
            for claim in claims
        )

    def unmount(self, up: bool, shape: int, *seen: Any) -> Iterator[Outcome]:
        pods, volumes, stored = seen
        used = is_used(self.stock, stored, shape, pods, self.number)
        if up and not used and Attachment(self.number, mounted=True) in volumes:
            after = _changed(volumes, {self.number}, mounted=False)
            why = "no pod on the node uses it any more"
            yield Outcome(UNMOUNT, {VOLUMES: after}, (("volume", self.number),), why)


def is_used(stock: Stock, stored: Stored, shape: int, pods: Pods, volume: int) -> bool:
    """Whether a pod on a node may have a volume mounted."""
    return stock.beside_uses(stored, shape, volume) or any(
        group.phase in MOUNTED_PHASES and stock.uses_volume(stored, group.pod_class, volume)
        for group in pods
    )


def _changed(volumes: Volumes, which: Collection[int], *, mounted: bool) -> Volumes:
    return tuple(
        found._replace(mounted=mounted) if found.volume in which else found for found in volumes
    )


class Mounts(NamedTuple):
    """What the pods of a class have mounted."""

    stock: Stock
    pod_class: PodClass

    def are_there(self, volumes: Volumes, stored: Stored) -> bool:
        """Whether all that a pod uses is mounted, or can be without being attached."""
        mounted = {found.volume for found in volumes if found.mounted}
        for claim in self.stock.uses[self.pod_class.index]:
            state = stored.claims[claim]
            if state.volume == NONE or state.phase != ClaimPhase.BOUND:
                return False
            if self.stock.volumes[state.volume].attached and state.volume not in mounted:
                return False
        return True

    def termination(self, up: bool, shape: int, *seen: Any) -> Iterator[Outcome]:
        """What a pod had mounted is unmounted, unless others use it, and the pod goes."""
        pods, volumes, stored = seen
        for group in pods:
            ending = group.phase in LEAVING
            if not (up and ending and group.pod_class == self.pod_class.index):
                continue
            after = without(pods, group)
            freed = {
                found.volume
                for found in volumes
                if found.mounted
                and self.stock.uses_volume(stored, self.pod_class.index, found.volume)
                and not is_used(self.stock, stored, shape, after, found.volume)
            }
            why = "its containers have stopped"
            if group.phase == Phase.REVOKED:
                why = "it never ran"
            elif freed:
                why += ", and its volumes are unmounted"
            writes = {PODS: after, VOLUMES: _changed(volumes, freed, mounted=False)}
            yield Outcome(FINISH_TERMINATION, writes, (("class", self.pod_class.index),), why)


def after_boot(volumes: Volumes) -> Volumes:
    """What is attached to a machine that has booted: nothing is mounted."""
    return tuple(found._replace(mounted=False) for found in volumes)
