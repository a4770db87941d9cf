"""What the controllers promise that protect claims and volumes in use: VOL-2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import STORED, USERS, VolumePhase
from kubelemma.model.components.volumeprotection.actions import (
    DELETE_CLAIM,
    DELETE_VOLUME,
    REMOVE_CLAIM,
    REMOVE_VOLUME,
)
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import EachStep
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="VOL-2",
        title="What is in use is not removed",
        kind=Kind.STEP,
        severity=Severity.CRITICAL,
        statement=(
            "A claim that a pod on a node uses is not removed, nor is a volume that is Bound: they "
            "keep their finalizers."
        ),
        why="A pod would lose its data while it runs.",
        conditions="Nobody takes a finalizer away by hand.",
        source=(
            "https://kubernetes.io/docs/concepts/storage/persistent-volumes/"
            "#storage-object-in-use-protection; pkg/controller/volume/pvcprotection; "
            "pkg/controller/volume/pvprotection"
        ),
        components=("volume-protection-controller",),
        remediation="None on the user's side: this is an invariant of the controllers themselves.",
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked where somebody may delete claims or volumes."""
    stock = stock_of(scenario.world)
    names = {tally.name for tally in scenario.system.tallies}
    may = {event.action for event in scenario.events} & {DELETE_CLAIM, DELETE_VOLUME}
    if stock and may and USERS in names:
        view = View(reads=(STORED, USERS))
        kept = EachStep(view, _kept, frozenset({REMOVE_CLAIM, REMOVE_VOLUME}))
        yield from asked(STATEMENTS, ALL_NODES, {"VOL-2": kept})


def _kept(before: Any, _action: str, after: Any) -> bool | None:
    (old, users), (new, _) = before, after
    lost = [
        index
        for index, (was, now) in enumerate(zip(old.claims, new.claims, strict=True))
        if was.present and not now.present
    ]
    gone = [
        was
        for was, now in zip(old.volumes, new.volumes, strict=True)
        if was.present and not now.present
    ]
    if not lost and not gone:
        return None
    free = all(not users[index] for index in lost)
    return free and all(was.phase != VolumePhase.BOUND for was in gone)
