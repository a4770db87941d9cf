"""Who moves in a scenario, what stays where it is, and which nodes may be lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from msgspec import structs

from kubelemma.model.cluster.claims import relabelled
from kubelemma.model.components.kubelet.decision.resizing import stages
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.manifests.check import EventEntry
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .application import Application
from .crowding import Lost, Mover
from .events import Change, concerns, labelling_of
from .history import History
from .lodging import Floor
from .start import ENDING, Placed, Placement
from .templates import Key, key_of, kind_of, replicas_of


def lost_by(entries: Iterable[EventEntry]) -> Lost:
    """The nodes that events may take away, all of them at once."""
    number, named = 0, set()
    for entry in entries:
        lost = (entry.node_crash, entry.node_partition, entry.node_shutdown, entry.runtime_outage)
        for given in (*lost, entry.delete_node, entry.memory_pressure, entry.drain, entry.cordon):
            if given is not None and given.node:
                named.add(given.node)
            elif given is not None:
                number += given.max
    return Lost(number, frozenset(named))


def movers_of(
    application: Application,
    placement: Placement,
    entries: Sequence[EventEntry],
    owners: Iterable[Any],
) -> Iterator[Mover]:
    """The pods of these owners: all that there are, or may be by what is applied or happens."""
    for owner in owners:
        key = key_of(owner)
        history, placed = placement.histories[key], placement.placed[key]
        change = application.change_of.get(key)
        most = max(_there(placed), _bound(owner, change, history, entries))
        pods = (*_pods(history, change), *strangers(application, placement, entries, owner))
        yield Mover(pods, most + _released(owner, entries), frozenset(placed.on_nodes))


def strangers(
    application: Application, placement: Placement, entries: Sequence[EventEntry], owner: Any
) -> tuple[Pod, ...]:
    """The pods of an owner once events have changed their labels, or resized them, in every way."""
    given = (entry.relabel for entry in entries if entry.relabel is not None)
    own = (labelling_of(event, owner) for event in given if concerns(event, owner))
    changes = [change for change in own if change is not None]
    key = key_of(owner)
    pods = list(_pods(placement.histories[key], application.change_of.get(key)))
    begin = len(pods)
    for pod in pods:
        for change in changes:
            if (after := relabelled(pod, change)) not in pods:
                pods.append(after)
        for entry in entries:
            if entry.resize is not None and concerns(entry.resize, owner):
                options = entry.resize.options
                pods += [after for after in stages(pod, options) if after not in pods]
    return tuple(pods[begin:])


def strays(application: Application, placement: Placement) -> Iterator[Mover]:
    """Pods of nobody's that look for a node, or will."""
    waiting = (pod for pod in placement.homeless if not pod.spec.node_name)
    for pod in (*waiting, *application.arriving):
        yield Mover((pod,), 1)


def floor_of(
    application: Application,
    placement: Placement,
    nodes: Iterable[Node],
    moving: Collection[Key],
) -> Floor:
    """The nodes with the pods that stay there: all but those of owners that move."""
    infos = {node.metadata.name: NodeInfo(node) for node in nodes}
    namespaces = {n.metadata.name: n.metadata.label_map() for n in application.namespaces}
    floor = Floor(infos, namespaces, anywhere=True, reach=application.reach)
    for name, lone in placement.existing.items():
        for pod in lone:
            floor.add(pod, name)
    for key in placement.placed.keys() - set(moving):
        there = placement.histories[key].pods_on(placement.placed[key].on_nodes)
        for name, pods in there:
            for pod in pods:
                floor.add(pod, name)
    return floor


def _pods(history: History, change: Change | None) -> Iterator[Pod]:
    """One of each kind of an owner's pods."""
    for number, template in enumerate(history.templates):
        yield template.pod(number)
    for kind in history.kinds:
        yield kind.pod
    if change is not None and not change.goes:
        yield kind_of(change.owner).pod(change.owner, len(history.templates))


def _there(placed: Placed) -> int:
    """How many pods there are at the start, and are to stay as far as anybody knows."""
    spots = (found.items() for found in placed.on_nodes.values())
    held = sum(n for found in spots for spot, n in found if spot.phase not in ENDING)
    return held + placed.pending


def _bound(
    owner: Any, change: Change | None, history: History, entries: Sequence[EventEntry]
) -> int:
    """How many pods an owner's controllers have at once at most, before a change and after it."""
    asked = (e for entry in entries for e in (entry.rollout, entry.rollback) if e is not None)
    rolls = change is not None or len(history.templates) > 1
    rolls = rolls or any(concerns(event, owner) for event in asked)
    scales = [e.scale.replicas for e in entries if e.scale and concerns(e.scale, owner)]
    forms = (owner, *((change.owner,) if change is not None and not change.goes else ()))
    sized = (_of_size(form, n) for form in forms for n in (replicas_of(form), *scales))
    return max(replicas_of(each) + (kind_of(each).surge(each) if rolls else 0) for each in sized)


def _of_size(owner: Any, replicas: int) -> Any:
    return structs.replace(owner, spec=structs.replace(owner.spec, replicas=replicas))


def _released(owner: Any, entries: Iterable[EventEntry]) -> int:
    """How many pods an owner may lose that stay, while it makes others for them."""
    found = (entry.relabel for entry in entries)
    return sum(event.max for event in found if event is not None and concerns(event, owner))
