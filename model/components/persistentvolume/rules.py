"""The PersistentVolume controller, and the provisioner of each class.

A binding is four writes, one after the other, and anybody may act between two of them: the claim is
written into the volume, which is said to be Bound, then the volume into the claim, which is said to
be Bound. What has been written is all that the controller goes by when it restarts.

Source: pkg/controller/volume/persistentvolume/pv_controller.go (``syncUnboundClaim``, ``bind``,
``syncBoundClaim``, ``syncVolume``); sigs.k8s.io/sig-storage-lib-external-provisioner.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import partial
from typing import Any

import msgspec

from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    Crowd,
    Parts,
    Telling,
    never,
)
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.cluster.shelves import shelf_of
from kubelemma.model.cluster.stocking import STORAGE_KINDS, node_labels, stock_of, used_claims
from kubelemma.model.cluster.storage import (
    ATTACHED,
    GONE,
    NONE,
    STORED,
    ClaimPhase,
    ClaimState,
    Followed,
    Stock,
    Stored,
    VolumePhase,
    VolumeState,
    segment_at,
    tallies,
)
from kubelemma.model.cluster.storage_start import stored_at_start
from kubelemma.model.cluster.world import NodeShape
from kubelemma.model.components.volumeprotection.actions import DELETE_CLAIM, DELETE_VOLUME
from kubelemma.model.objects.storage import ANNOTATIONS, CSINode
from kubelemma.model.system import Cell, Outcome, Rule

from .actions import (
    ACTIONS,
    BIND_CLAIM,
    CLAIM_BOUND,
    PROVISION,
    RECLAIM_VOLUME,
    RELEASE_VOLUME,
    RESERVE_VOLUME,
    VOLUME_BOUND,
)
from .decision import best_match

PERSISTENT_VOLUME = "persistent-volume-controller"
PROVISIONER = "volume-provisioner"


def _about(claim: int, volume: int) -> tuple[tuple[str, int], ...]:
    return (("claim", claim), ("volume", volume))


def _binding(stock: Stock, index: int) -> Iterator[Rule]:
    """The rules of a claim that may still have to be bound."""
    claim = stock.claims[index]
    for volume in stock.reachable(index):
        cell = stock.volumes[volume].cell
        yield Rule(
            f"bind {claim.label} to {stock.volumes[volume].name}",
            PERSISTENT_VOLUME,
            (claim.cell, cell),
            partial(_bind, stock, index, volume),
            (STORED,),
        )
    if claim.made != NONE:
        yield Rule(
            f"provision a volume for {claim.label}",
            PROVISIONER,
            (claim.cell, stock.volumes[claim.made].cell),
            partial(_provision, stock, index),
            (STORED, ATTACHED) if claim.template is not None else (STORED,),
            writes=(stock.volumes[claim.made].cell,),
        )


def chosen(stock: Stock, index: int, stored: Stored) -> int:
    """The volume that the controller binds a claim to, or has begun to; -1 for none yet."""
    claim, state = stock.claims[index], stored.claims[index]
    if state.volume != NONE:
        return state.volume
    if not state.present or state.deleted:
        return NONE
    begun = (v for v in stock.reachable(index) if _holds(stored.volumes[v], index))
    kept = next(begun, NONE)
    if kept != NONE:
        return kept
    if claim.wanted != NONE and not state.renewed:
        wanted = stored.volumes[claim.wanted]
        return claim.wanted if wanted.present and wanted.claim == NONE else NONE
    if claim.waits:
        return NONE
    return _best(stock, claim, stored)


def _holds(volume: VolumeState, claim: int) -> bool:
    return volume.present and volume.claim == claim


def _best(stock: Stock, claim: Followed, stored: Stored) -> int:
    shelf = shelf_of(stock, stored)
    free = {stock.volumes[v].name for v in claim.candidates if stored.volumes[v].present}
    if claim.key not in shelf.claims or not free:
        return NONE
    found = best_match(shelf.claims[claim.key], shelf, free)
    names = [volume.name for volume in stock.volumes]
    return NONE if found is None else names.index(found.metadata.name)


def _bind(stock: Stock, index: int, volume: int, *seen: Any) -> Iterator[Outcome]:
    """The next of the four writes."""
    claim, there, stored = seen
    if not there.present or chosen(stock, index, stored) != volume:
        return
    claim_cell, cell = stock.claims[index].cell, stock.volumes[volume].cell
    about = _about(index, volume)
    writes: dict[str, Any] = {}
    if there.claim != index:
        why = "it is the smallest volume that is free and fits the claim"
        if stock.claims[index].wanted == volume and not claim.renewed:
            why = "the claim names it"
        yield Outcome(RESERVE_VOLUME, {cell: there._replace(claim=index)}, about, why)
    elif there.phase != VolumePhase.BOUND:
        writes = {cell: there._replace(phase=VolumePhase.BOUND)}
        yield Outcome(VOLUME_BOUND, writes, about, "the volume names the claim")
    elif claim.volume == NONE:
        writes = {claim_cell: claim._replace(volume=volume, node=NONE)}
        yield Outcome(BIND_CLAIM, writes, about, "the volume names the claim")
    elif claim.phase != ClaimPhase.BOUND:
        writes = {claim_cell: claim._replace(phase=ClaimPhase.BOUND)}
        yield Outcome(CLAIM_BOUND, writes, about, "volume and claim name each other")


def _provision(
    stock: Stock, index: int, claim: ClaimState, there: VolumeState, *seen: Any
) -> Iterator[Outcome]:
    """A volume for a claim that finds none: where its pod goes, or anywhere that is allowed.

    One that an earlier claim of that name has left behind is forgotten then: it is nobody's.
    """
    stored, *attached = seen
    found = stock.claims[index]
    asked = claim.present and not claim.deleted and claim.volume == NONE
    if not asked or (found.waits and claim.node == NONE):
        return
    left = there.claim == GONE and there.phase == VolumePhase.RELEASED
    reclaimed = stock.volumes[found.made].reclaimed
    kept = left and not reclaimed and not any(each[found.made] for each in attached)
    if there.present and not kept:
        return
    if chosen(stock, index, stored) != NONE:
        return
    cell, volume = stock.volumes[found.made].cell, stock.volumes[found.made]
    segments = range(len(volume.segments))
    why = "no volume that is there fits the claim"
    if found.waits:
        own = segment_at(stock, found.made, stock.nodes[claim.node])
        segments = range(own, own + 1) if own != NONE else range(0)
        why = "a node has been chosen for the pod that uses the claim"
    for segment in segments:
        after = VolumeState(claim=index, phase=VolumePhase.PENDING, segment=segment)
        where = ", ".join(f"{key}={value}" for key, value in volume.segments[segment])
        told = f"{why}; nodes with {where} reach it" if where else why
        yield Outcome(PROVISION, {cell: after}, _about(index, found.made), told)


def _keeping(stock: Stock) -> Iterator[Rule]:
    """What becomes of volumes whose claims are gone: a volume that is Bound does not go first."""
    for volume, found in enumerate(stock.volumes):
        yield Rule(
            f"look after {found.name}",
            PERSISTENT_VOLUME,
            (found.cell,),
            partial(_release, stock, volume),
            (STORED, ATTACHED),
        )


def _release(
    stock: Stock, volume: int, there: VolumeState, stored: Stored, attached: tuple[int, ...]
) -> Iterator[Outcome]:
    gone = there.claim == GONE or (there.claim >= 0 and not stored.claims[there.claim].present)
    if not there.present or not gone:
        return
    cell, about = stock.volumes[volume].cell, (("volume", volume),)
    if there.phase != VolumePhase.RELEASED:
        writes = {cell: there._replace(phase=VolumePhase.RELEASED)}
        yield Outcome(RELEASE_VOLUME, writes, about, "the claim that it names is gone")
    elif stock.volumes[volume].reclaimed and not attached[volume]:
        after = there._replace(present=False)
        why = "its reclaim policy is Delete, and it is attached nowhere"
        yield Outcome(RECLAIM_VOLUME, {cell: after}, about, why)


# The component


def cells(stock: Stock, stored: Stored) -> Iterator[Cell]:
    """The cells of all claims and volumes, as they are at the start."""
    for claim, state in zip(stock.claims, stored.claims, strict=True):
        yield Cell(claim.cell, state, ClaimState)
    for volume, there in zip(stock.volumes, stored.volumes, strict=True):
        yield Cell(volume.cell, there, VolumeState)


def _parts(setting: Setting) -> Parts:
    stock = stock_of(setting.world)
    if not stock:
        return NO_PARTS
    stored = stored_at_start(stock, setting)
    deletes = stock.collects or setting.may_happen(DELETE_CLAIM, DELETE_VOLUME)
    ending = stored.ending
    rules: list[Rule] = []
    if stock.bindable:
        rules += [rule for i in range(len(stock.claims)) for rule in _binding(stock, i)]
    if deletes or ending:
        rules += _keeping(stock)
    return Parts(
        cells=tuple(cells(stock, stored)),
        tallies=tallies(stock, users=deletes or ending or stock.single),
        rules=tuple(rules),
    )


def _by_reach(crowd: Crowd) -> Telling:
    """The labels by which nodes reach volumes, and how many volumes a node takes."""
    if not any(used_claims(pod) for pod in crowd.pods):
        return lambda _shape: None
    keys = node_labels(crowd.objects)
    limits = {
        each.metadata.name: msgspec.json.encode(each.spec)
        for each in crowd.objects
        if isinstance(each, CSINode)
        and any(driver.allocatable is not None for driver in each.spec.drivers)
    }

    def telling(shape: NodeShape) -> Hashable:
        labels = shape.node.metadata.label_map()
        found = tuple((key, labels[key]) for key in keys if key in labels)
        return found, limits.get(shape.node.metadata.name)

    return telling


def _assumes(setting: Setting) -> Iterator[str]:
    stock = stock_of(setting.world)
    for claim in stock.claims:
        if claim.claim is None:
            yield f"claim {claim.label}: there is none, so no pod that uses it finds a node"
    for claim in stock.claims:
        unknown = claim.made != NONE and not stock.volumes[claim.made].backing.known
        if unknown:
            backing = stock.volumes[claim.made].backing
            of = f'class "{backing.driver}"' if backing.driver else "default class"
            reach = "nodes with the same labels" if backing.keys else "all nodes"
            yield (
                f"claim {claim.label}: nothing is known of its {of}: its volume is taken to be "
                f"made, to be within reach of {reach}, and to be attached to nodes"
            )


COMPONENT = Component(
    name="persistentvolume",
    distinguishes=_by_reach,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    kinds=STORAGE_KINDS,
    annotations=ANNOTATIONS,
    assumes=_assumes,
)
