# ruff: noqa: FBT001 - the values of columns are flags
"""What the node lifecycle controller decides of one node, in terms of what the model has of it.

The decisions are those of ``decision.py``; here conditions and taints are put together of columns,
and taken apart again. Taints are added in one PATCH and removed in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubelemma.model.cluster.state import Ailment, NodeState, Taints
from kubelemma.model.cluster.world import AILMENT_KEYS, condition_taints
from kubelemma.model.objects.node import Taint

from .decision import (
    TaintChange,
    limited_no_execute,
    marks_pods_not_ready,
    no_execute_pass,
    no_schedule_change,
    silent_conditions,
)

TRUE = "True"
"""The status of a condition that holds."""

_AILMENTS: Mapping[str, Ailment] = {key: ailment for ailment, key in AILMENT_KEYS.items()}


class Health(NamedTuple):
    """What the API shows of a node's health: the columns ``ready`` and ``reported``."""

    ready: bool
    reported: Ailment = Ailment.NONE

    @property
    def status(self) -> str:
        """The status of Ready."""
        if self.ready:
            return TRUE
        return "False" if self.reported & Ailment.NOT_READY else "Unknown"

    @property
    def conditions(self) -> Mapping[str, str]:
        """The statuses of its conditions, by type."""
        short = self.reported & Ailment.MEMORY_PRESSURE
        return {"Ready": self.status, **({"MemoryPressure": TRUE} if short else {})}

    @property
    def ailment(self) -> Ailment:
        """What taints say of it in the end."""
        if self.ready:
            return Ailment.NONE
        return self.reported & Ailment.NOT_READY or Ailment.UNREACHABLE


WELL = Health(ready=True)


def ailment_of(node: NodeState) -> Ailment:
    """What is wrong with a machine on which nobody works: it is silent, or its kubelet says why."""
    return Ailment.NOT_READY if node.ails else Ailment.UNREACHABLE


def is_silent(up: bool, ails: Ailment) -> bool:
    """Whether nothing is heard of a node: its kubelet does not even report what ails it."""
    return not (up or ails)


def silenced(health: Health) -> Health:
    """The health once the grace period ran out in silence.

    Of a node whose Ready was False it is kept that it was, for what becomes of its pods.
    """
    before = health.status
    if silent_conditions(health.conditions)["Ready"] == before:
        return health
    return Health(ready=False, reported=Ailment.NONE if before == TRUE else Ailment.UNREACHABLE)


def reported(ails: Ailment) -> Health:
    """The health as a kubelet reports it."""
    return Health(not ails, Ailment.NOT_READY if ails else Ailment.NONE)


def loses_pods(health: Health) -> bool:
    """Whether the pass that wrote this health has marked the pods of the node as not Ready.

    A node that is Unknown was Ready before, unless it is kept that it was not.
    """
    if health.status != "Unknown":
        return False
    before = "False" if health.reported & Ailment.UNREACHABLE else TRUE
    return marks_pods_not_ready(before, health.status)


def mirrored(health: Health, taints: Taints) -> Ailment:
    """The NoSchedule taints once they show the node's conditions."""
    return _changed(taints.tainted, _no_schedule(health, taints), "NoSchedule")


def next_no_schedule(health: Health, taints: Taints) -> Ailment:
    """The NoSchedule taints after the next write that has them show the node's conditions."""
    change = _no_schedule(health, taints)
    return _changed(taints.tainted, _first_write(change, taints), "NoSchedule")


def next_no_execute(health: Health, taints: Taints, *, evicts: bool) -> Ailment:
    """The NoExecute taints after the next write about a node that is not Ready.

    ``evicts``: whether the rate limiter of its zone lets a node through that waits for its taint.
    One that carries the opposite taint is swapped without it.
    """
    found = no_execute_pass(health.status, condition_taints(taints))
    change = found.change
    if found.queued:
        change = limited_no_execute(health.status) if evicts else TaintChange()
    return _changed(taints.evicting, _first_write(change, taints), "NoExecute")


def reachable(taints: Taints) -> Ailment:
    """The NoExecute taints after the next write that marks the node as reachable."""
    change = no_execute_pass(TRUE, condition_taints(taints)).change
    return _changed(taints.evicting, TaintChange(remove=change.remove[:1]), "NoExecute")


def _no_schedule(health: Health, taints: Taints) -> TaintChange:
    return no_schedule_change(
        condition_taints(taints), health.conditions, unschedulable=taints.cordoned
    )


def _first_write(change: TaintChange, taints: Taints) -> TaintChange:
    """What the next write changes: it adds what is missing, or else removes what is there."""
    there = condition_taints(taints)
    add = tuple(taint for taint in change.add if taint not in there)
    return TaintChange(add=add) if add else TaintChange(remove=change.remove)


def _changed(before: Ailment, change: TaintChange, effect: str) -> Ailment:
    after = before | _ailments(change.add, effect)
    return after & ~_ailments(change.remove, effect)


def _ailments(taints: Iterable[Taint], effect: str) -> Ailment:
    found = Ailment.NONE
    for taint in taints:
        if taint.effect == effect:
            found |= _AILMENTS.get(taint.key, Ailment.NONE)
    return found
