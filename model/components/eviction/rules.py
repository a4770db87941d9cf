"""The eviction subresource: a budget is asked and spent, and then the pod is deleted.

Source: pkg/registry/core/pod/storage/eviction.go. The PUT of the budget and the DELETE of the pod
are two steps, and the request may get lost in between. The condition DisruptionTarget between them
is read by nobody here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.component import (
    NO_PARTS,
    Component,
    Parts,
    all_nodes_alike,
    never,
)
from kubelemma.model.cluster.events import on_node
from kubelemma.model.cluster.setting import Event, Setting
from kubelemma.model.cluster.state import (
    ACTIVE,
    SHOWN_PENDING,
    Group,
    Marks,
    Pods,
    remarked,
    still_awaited,
)
from kubelemma.model.cluster.world import World
from kubelemma.model.components.disruption.rules import (
    EVICTING,
    READY,
    BudgetState,
    Guard,
)
from kubelemma.model.components.drain.actions import START_DRAIN
from kubelemma.model.system import Outcome, Rule, Tally

from .actions import ACTIONS, EVICT_POD, EVICT_UNREADY_POD, GRANT_EVICTION, LOST_REQUEST
from .decision import EvictedPod, Refuse, Remove, first_step

API_SERVER = "api-server"
OF_DRAINS = Marks.LISTED | Marks.UNASKED | Marks.TIMED | Marks.AWAITED
"""What a drain has in mind for a pod."""
UNDER_WAY = "evictions under way"
"""Tally: how many pods there are whose eviction was granted, and that are still to be deleted."""


class Attempt(NamedTuple):
    """What becomes of a request to evict a pod: a step that is taken, or the answer.

    ``code`` is the HTTP status where nothing is written, 0 otherwise.
    """

    outcome: Outcome | None
    code: int = 0


def evict(
    world: World,
    found: tuple[Guard, ...],
    pods: Pods,
    group: Group,
    budgets: tuple[BudgetState, ...],
) -> Attempt:
    """Ask for the eviction of a pod of a group; ``found`` are the budgets that cover it."""
    pod = EvictedPod(
        phase="Pending" if group.phase in SHOWN_PENDING else "Running",
        ready=group.phase in READY,
    )
    stored = [guard.stored(state) for guard, state in zip(found, budgets, strict=True)]
    step = first_step(pod, stored, name="", now=0)
    about = (("class", group.pod_class),)
    if isinstance(step, Refuse):
        return Attempt(None, step.answer.code)
    if isinstance(step, Remove):
        writes: dict[str, Any] = {PODS: world.deleted(pods, group)}
        if found and pod.phase == "Running":
            why = "it is not Ready, and its budget lets such a pod go"
            return Attempt(Outcome(EVICT_UNREADY_POD, writes, about, why))
        return Attempt(Outcome(EVICT_POD, writes, about, "no budget has a say in it"))
    ((guard, state),) = zip(found, budgets, strict=True)
    left = state.status._replace(allowed=step.status.disruptions_allowed)
    marks = (group.marks & ~(OF_DRAINS | Marks.LOST)) | still_awaited(group.marks) | Marks.EVICTED
    writes = {
        PODS: remarked(pods, group, marks),
        guard.cell: BudgetState(left),
    }
    why = f"{guard.cell} allows {state.status.allowed} by its status"
    return Attempt(Outcome(GRANT_EVICTION, writes, about, why))


def _delete(world: World, pods: Pods) -> Iterator[Outcome]:
    for group in pods:
        if group.marks & Marks.EVICTED and not group.marks & Marks.LOST:
            writes = {PODS: world.deleted(pods, group)}
            why = "its budget has paid for it"
            yield Outcome(EVICT_POD, writes, (("class", group.pod_class),), why)


def _lose(_world: World, _event: Event, pods: Pods) -> Iterator[tuple[dict[str, Any], str, int]]:
    """The API server dies, or sees its client's connection die: the DELETE does not come.

    The client's request fails, and kubectl tries none again that fails so; a drain that has listed
    the pod since then is another one.
    """
    for group in pods:
        if group.marks & Marks.EVICTED and not group.marks & Marks.LOST:
            listed = group.marks & Marks.LISTED
            kept = group.marks if listed else group.marks & ~OF_DRAINS
            after = remarked(pods, group, kept | Marks.LOST)
            why = "its budget has paid; then the API server restarts, or the connection dies"
            yield {PODS: after}, why, group.pod_class


def _granted(pods: Pods) -> tuple[int]:
    marked = (g.size for g in pods if g.marks & Marks.EVICTED and g.phase in ACTIVE)
    return (sum(marked),)


def _parts(setting: Setting) -> Parts:
    if not setting.world.shapes or not setting.may_happen(*EVICTING):
        return NO_PARTS
    delete = partial(_delete, setting.world)
    rule = Rule("delete an evicted pod", API_SERVER, (PODS,), delete, each=PODS)
    return Parts(tallies=(Tally(UNDER_WAY, {PODS: _granted}, 1, each=PODS),), rules=(rule,))


_LOSS = on_node(LOST_REQUEST, _lose, (PODS,), fault=True, each=True)._replace(
    given="lostRequests", needs=(START_DRAIN,)
)

COMPONENT = Component(
    name="eviction",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(_LOSS,),
)
