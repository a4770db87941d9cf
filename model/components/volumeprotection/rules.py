"""The controllers that protect claims and volumes in use, and users who delete these.

Source: pkg/controller/volume/pvcprotection, pkg/controller/volume/pvprotection, and
plugin/pkg/admission/storage/storageobjectinuseprotection, which gives each its finalizer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    EventKind,
    Parts,
    all_nodes_alike,
    never,
)
from kubelemma.model.cluster.events import USER
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import (
    ABSENT_CLAIM,
    GONE,
    USERS,
    ClaimState,
    Stock,
    VolumePhase,
    VolumeState,
)
from kubelemma.model.cluster.storage_start import stored_at_start
from kubelemma.model.system import Action, Outcome, Rule

from .actions import ACTIONS, DELETE_CLAIM, DELETE_VOLUME, REMOVE_CLAIM, REMOVE_VOLUME
from .decision import claim_goes, volume_goes

PROTECTION = "volume-protection-controller"


def _rules(stock: Stock) -> Iterator[Rule]:
    for index, claim in enumerate(stock.claims):
        again = claim.template is not None
        own = tuple(stock.volumes[v].cell for v in stock.reachable(index)) if again else ()
        yield Rule(
            f"finalizer of {claim.label}",
            PROTECTION,
            (claim.cell, *own),
            partial(_remove_claim, stock, index),
            (USERS,),
        )
    for index, volume in enumerate(stock.volumes):
        yield Rule(
            f"finalizer of {volume.name}",
            PROTECTION,
            (volume.cell,),
            partial(_remove_volume, stock, index),
        )


def _remove_claim(stock: Stock, index: int, claim: ClaimState, *seen: Any) -> Iterator[Outcome]:
    """The claim goes; a volume that names it is none of a later claim of that name's."""
    *volumes, users = seen
    if claim.present and claim_goes(deleted=claim.deleted, pods_on_nodes=users[index]):
        writes: dict[str, Any] = {stock.claims[index].cell: _gone(stock, index, claim)}
        for number, volume in zip(stock.reachable(index), volumes, strict=False):
            if volume.claim == index:
                writes[stock.volumes[number].cell] = volume._replace(claim=GONE)
        why = "it has been deleted, and no pod on a node uses it"
        yield Outcome(REMOVE_CLAIM, writes, (("claim", index),), why)


def _gone(stock: Stock, index: int, claim: ClaimState) -> ClaimState:
    """What is left of a claim: of one that may be made anew nothing."""
    again = stock.claims[index].template is not None
    return ABSENT_CLAIM if again else claim._replace(present=False)


def _remove_volume(stock: Stock, index: int, volume: VolumeState) -> Iterator[Outcome]:
    bound = volume.phase == VolumePhase.BOUND
    if volume.present and volume_goes(deleted=volume.deleted, bound=bound):
        writes = {stock.volumes[index].cell: volume._replace(present=False)}
        why = "it has been deleted, and is not Bound"
        yield Outcome(REMOVE_VOLUME, writes, (("volume", index),), why)


# What users do


def _deletion(
    action: Action, argument: str, find: Callable[[Stock, Event], tuple[tuple[int, str], ...]]
) -> Callable[[Setting, Event, str], Iterator[Rule]]:
    """Somebody deletes an object, which is marked until its finalizer goes."""

    def rules(setting: Setting, event: Event, budget: str) -> Iterator[Rule]:
        for index, cell in find(stock_of(setting.world), event):

            def outcomes(
                left: int, there: ClaimState | VolumeState, index: int = index, cell: str = cell
            ) -> Iterator[Outcome]:
                if left and there.present and not there.deleted:
                    writes = {budget: left - 1, cell: there._replace(deleted=True)}
                    why = "kubectl delete; its finalizer keeps it while it is in use"
                    yield Outcome(action, writes, ((argument, index),), why)

            yield Rule(f"{budget} of {cell}", USER, (budget, cell), outcomes, environment=True)

    return rules


def _claims(stock: Stock, event: Event) -> tuple[tuple[int, str], ...]:
    found = enumerate(stock.claims)
    return tuple((i, claim.cell) for i, claim in found if event.options in (None, claim.key))


def _volumes(stock: Stock, event: Event) -> tuple[tuple[int, str], ...]:
    found = enumerate(stock.volumes)
    return tuple((i, volume.cell) for i, volume in found if event.options in (None, volume.name))


# The component


def _parts(setting: Setting) -> Parts:
    stock = stock_of(setting.world)
    if not stock:
        return NO_PARTS
    stored = stored_at_start(stock, setting)
    there = stored.ending or stock.collects or setting.may_happen(DELETE_CLAIM, DELETE_VOLUME)
    return Parts(rules=tuple(_rules(stock))) if there else NO_PARTS


COMPONENT = Component(
    name="volumeprotection",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(
        EventKind(DELETE_CLAIM, _deletion(DELETE_CLAIM, "claim", _claims), given="deleteClaim"),
        EventKind(
            DELETE_VOLUME, _deletion(DELETE_VOLUME, "volume", _volumes), given="deleteVolume"
        ),
    ),
)
