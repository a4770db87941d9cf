"""Whether placements that nobody looked at can show anything that those looked at do not.

What stands by may lie in more ways than are looked at. Here it is proven, where it is, that these
ways add nothing; it is not inferred from those that were looked at. Two cases are taken to be the
same but for what stands by on each node. If nobody sees more of that than the room that it takes
(`_is_blind`), the systems differ in one thing: whether a node has room for a pod in focus.

*Untouched.* All that may be on a node together leaves room for a pod there, wherever it all is
(`Hall.is_untouched`). Then nothing differs.

*Sure.* In no placement does a pod lack a node for ever (`Hall.is_sure`): to fill all nodes for it
takes more than there is. Say that in one placement each node has room for all of the focus. Every
step of any other placement is a step of this one, as a pod may go wherever it may go there; and no
pod waits for ever in one and not in the other. So what holds of all runs of the roomy one holds of
all runs of the other ones, and what is violated in it is so in a start that there is. (No pod ever
is on a node in a short placement alone: the starts of the others are among its own.)

*Sure, wherever they are.* If nobody minds on which of the nodes pods in focus are (`_is_even`), all
placements in which pods are sure are the same: a pod without a node gets one, and that is all.

Pods that terminate hold room, too. On a machine that runs they are gone before long, and nobody
else minds them, so another run has them gone at once. Where they may be stuck, or somebody minds
them, they are counted (`_number`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from kubelemma.model.cluster.setting import Choices, Setting
from kubelemma.model.cluster.state import Phase
from kubelemma.model.components.reconcile.sources import Custom
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.manifests.check import CheckSpec, EventEntry
from kubelemma.model.manifests.groups import kubelet_views
from kubelemma.model.manifests.options import Faults
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .application import Application
from .crowding import Hall, Mover
from .history import History
from .initial import Ground, is_ready
from .likeness import Looks
from .lodging import Floor, Likeness
from .mattering import Room
from .moving import lost_by, movers_of
from .start import ENDING, Placement, Spot
from .templates import key_of

_OF_WORKLOADS = frozenset({"rollout", "rollback", "scale", "pause", "resume"})
"""Events that happen to no node, and to no pod that somebody picks."""
_CRASH = frozenset({"nodeCrash"})


class Case(NamedTuple):
    """What is asked of a group, whatever stands by where.

    ``setting`` is of one of the placements, with so many pods of a workload at ``most`` as the
    search is bounded by; ``anywhere``: whether the pods in focus start on any nodes.
    """

    application: Application
    spec: CheckSpec
    nodes: Sequence[Node]
    entries: Sequence[EventEntry]
    likeness: Likeness
    looks: Looks
    ground: Ground
    setting: Setting
    custom: Custom
    most: int
    anywhere: bool


class Seen(NamedTuple):
    """A placement that is looked at, with what stands by on each node."""

    placement: Placement
    standing: Mapping[str, tuple[Pod, ...]]


def adds_nothing(case: Case, seen: Sequence[Seen]) -> bool:
    """Whether all other placements show nothing that these do not."""
    placement = seen[0].placement
    if not _is_plain(case) or not _is_blind(case, placement):
        return False
    number = _number(case, placement)
    hall = _hall(case, placement, number)
    own = range(len(case.ground.focus))
    sure = all(map(hall.is_sure, own))
    if sure and _is_even(case, placement):
        return True
    if not _is_where(case, placement):
        return False
    if all(map(hall.is_untouched, own)):
        return True
    room = Room(case.setting.world, number, tuple(_reached(case, hall)))
    return sure and any(_is_roomy(each, room) for each in seen)


def _reached(case: Case, hall: Hall) -> Iterator[Node]:
    """The nodes on which pods in focus may ever be."""
    names = frozenset().union(*map(hall.reach, range(len(case.ground.focus))))
    return (node for node in case.nodes if node.metadata.name in names)


def _is_roomy(seen: Seen, room: Room) -> bool:
    return all(room.is_in(n, seen.standing.get(n.metadata.name, ())) for n in room.nodes)


def _names(entries: Iterable[EventEntry]) -> frozenset[str]:
    return frozenset(name for entry in entries for name, _ in entry.given())


def _is_plain(case: Case) -> bool:
    """Whether nothing else decides where pods may be than what the scheduler's filters see."""
    world, custom = case.setting.world, case.custom
    return (
        len(world.workloads) == len(case.ground.focus)
        and not any(c.node_name for c in world.classes)
        and not (custom.controllers or custom.built_in or custom.predicates)
        and not (case.ground.lone or case.spec.faults.api_server_outages)
        and not kubelet_views(case.spec.cluster)
        and all(map(is_ready, case.nodes))
    )


def _is_blind(case: Case, placement: Placement) -> bool:
    """Whether nobody sees more of what may stand elsewhere than the room that it takes."""
    if case.spec.scheduler.scoring or not case.looks.room_alone:
        return False
    pods = tuple(_elsewhere(case, placement))
    look = case.looks.during(case.setting.events)
    if any(look((pod,)) != look(()) for pod in pods):
        return False
    # Budgets are asked by evictions alone, and neither crashes nor users evict.
    if _names(case.entries) <= _OF_WORKLOADS | _CRASH:
        return True
    own = (c.pod for c in case.setting.world.classes)
    return _counting(case, own).isdisjoint(_counting(case, pods))


def _counting(case: Case, pods: Iterable[Pod]) -> frozenset[Any]:
    objects = case.application.objects
    return frozenset(by for p in pods for c in COMPONENTS for by in c.counting(objects, p))


def _beside(case: Case, placement: Placement) -> Iterator[tuple[Any, History]]:
    """Those that stand by and are placed anew, with their histories."""
    own = set(map(key_of, case.ground.focus))
    for owner in case.application.owners:
        key = key_of(owner)
        if key not in own and not placement.histories[key].told:
            yield owner, placement.histories[key]


def _elsewhere(case: Case, placement: Placement) -> Iterator[Pod]:
    """One of each of the pods that may stand on other nodes in another placement."""
    for _, history in _beside(case, placement):
        for number in range(len(history.templates)):
            for phase, _size, ordinal in history.counted(number):
                yield history.pod_at(Spot(number, phase, ordinal=ordinal))
    yield from _roving(placement)


def _roving(placement: Placement) -> Iterator[Pod]:
    """Pods of nobody's that the input has on no node."""
    yield from (pod for pod in placement.lone if not pod.spec.node_name)


def _hall(case: Case, placement: Placement, number: int) -> Hall:
    """The nodes with what stays in all placements; the focus and all that is placed anew move."""
    classes = case.setting.world.classes
    own = [
        Mover(tuple(c.pod for c in classes if c.workload == index), number)
        for index in range(len(case.ground.focus))
    ]
    others = [
        Mover(tuple(t.pod(i) for i, t in enumerate(history.templates)), size)
        for _, history in _beside(case, placement)
        if (size := sum(_sizes(history)))
    ]
    roving = [Mover((pod,), 1) for pod in _roving(placement)]
    floor = Floor({n.metadata.name: NodeInfo(n) for n in case.nodes}, {}, anywhere=True)
    for name, pod in _staying(case, placement):
        floor.add(pod, name)
    return Hall((*own, *others, *roving), floor, lost_by(case.entries))


def _sizes(history: History) -> Iterator[int]:
    for number in range(len(history.templates)):
        yield from (found.number for found in history.counted(number))


def _staying(case: Case, placement: Placement) -> Iterator[tuple[str, Pod]]:
    """The pods that stand by on the same node in every placement."""
    for name, pods in placement.existing.items():
        yield from ((name, pod) for pod in pods if pod.spec.node_name)
    own = set(map(key_of, case.ground.focus))
    for key, history in placement.histories.items():
        if history.told and key not in own:
            for name, pods in history.pods_on(placement.placed[key].on_nodes):
                yield from ((name, pod) for pod in pods)


def _number(case: Case, placement: Placement) -> int:
    """How many pods of a workload hold room at once at most, but for a while.

    No more than the controllers want while all goes well; where pods that terminate may be stuck on
    a machine, or matter to somebody beside the scheduler, as many as are looked at. A machine that
    crashes leaves those stuck that were there: if nothing else deletes pods, these are of one size
    of the workload for each crash, since nothing is deleted there before the node is tainted, and
    nothing arrives after.
    """
    movers = movers_of(case.application, placement, case.entries, case.ground.focus)
    orderly = max(mover.most for mover in movers)
    names, crashes = _names(case.entries), lost_by(e for e in case.entries if e.node_crash)
    if case.spec.faults != Faults() or _minds_terminating(case.setting):
        return case.most
    if not crashes:
        return orderly if names <= _OF_WORKLOADS | {"drain"} else case.most
    if names <= _CRASH and not _renews(case, placement):
        times = 1 + sum(e.node_crash.max for e in case.entries if e.node_crash)
        return min(case.most, times * orderly)
    return case.most


def _renews(case: Case, placement: Placement) -> bool:
    """Whether there are pods that are to be replaced by others, or go already."""
    keys = [key_of(owner) for owner in case.ground.focus]
    several = any(len(placement.histories[key].templates) > 1 for key in keys)
    going = any(spot.phase in ENDING for key in keys for spot, _ in _spots(placement, key))
    return bool(case.application.changes) or several or going


def _minds_terminating(setting: Setting) -> bool:
    """Whether a pod that terminates makes a difference even where every node has room.

    How workloads are rolled out is no matter where they have one template, and so no old pods.
    """
    workloads = (
        replace(w, rollout=None, later=()) if w.templates == 1 else w
        for w in setting.world.workloads
    )
    world = replace(setting.world, workloads=tuple(workloads))
    without = replace(setting, world=world, choices=Choices(setting.choices.scoring, 0))
    return any(component.needs_terminating(without) for component in COMPONENTS)


def _is_where(case: Case, placement: Placement) -> bool:
    """Whether pods in focus start on the same nodes in each placement, up to names of nodes."""
    own = [key_of(owner) for owner in case.ground.focus]
    if case.anywhere or all(placement.histories[key].told for key in own):
        return True
    kinds, domains = (set(found.values()) for found in case.likeness)
    pods = sum(n for key in own for _, n in _spots(placement, key))
    return len(kinds) == 1 == len(domains) and pods <= 1


def _is_even(case: Case, placement: Placement) -> bool:
    """Whether nobody minds on which nodes pods in focus are.

    Nothing happens to nodes, and none evicts pods. Controllers count pods on nodes to rank those
    that they delete; this decides among pods that are equally far, and makes a difference only if
    some of them are available and others merely Ready: with ``minReadySeconds``, but for a rollout
    in which all that is deleted has been available from the start.
    """
    if not _names(case.entries) <= _OF_WORKLOADS:
        return False
    if any(t.effect == "NoExecute" for node in case.nodes for t in node.spec.taints or ()):
        return False
    spots = [s for owner in case.ground.focus for s, _ in _spots(placement, key_of(owner))]
    if not any(c.min_ready_seconds for c in case.setting.world.classes):
        return all(spot.phase != Phase.READY for spot in spots)
    once = all(entry.rollout and entry.rollout.max == 1 for entry in case.entries)
    settled = all(spot.phase == Phase.AVAILABLE for spot in spots)
    return once and settled and len(case.entries) == 1 and not _renews(case, placement)


def _spots(placement: Placement, key: Any) -> Iterator[tuple[Spot, int]]:
    for spots in placement.placed[key].on_nodes.values():
        yield from spots.items()
