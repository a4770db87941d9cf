"""What is said of the start: what the input has of it, what is assumed, and what is not in it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kubelemma.model.cluster.owners import controller_of
from kubelemma.model.cluster.state import Phase
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.pod import Pod

from .history import History
from .start import ENDING, Placed, Placement, Starts
from .templates import Key, is_kind, key_of, kind_of

START = (
    "start: all is rolled out, each pod where it is bound, or else where the scheduler's scores "
    "favour it"
)
NAMED = 3
"""How many of those that are alike are named."""

_UNREADY = (Phase.ASSIGNED, Phase.STARTING, Phase.CREATING, Phase.RESTARTING)


def start_words(
    owners: Iterable[Any],
    parts: Sequence[Any],
    placement: Placement,
    spread: Iterable[Any] = (),
) -> Iterator[str]:
    """What the pods of these owners are at the start, and which pods of the input are not in it.

    ``parts`` are those by way of which owners make pods. Pods of owners that are ``spread`` may be
    on any node.
    """
    owners = tuple(owners)
    anew, told = [], False
    free = [k for k in map(key_of, spread) if not placement.histories[k].told]
    if free:
        names = _some([str(key) for key in free])
        yield f"start: pods of {names} are on any nodes that pass the scheduler's filters"
    for owner in owners:
        found = _of_owner(owner, placement)
        told = told or bool(found)
        yield from [found] if found else ()
        key = key_of(owner)
        history = placement.histories[key]
        if not found and key not in free:
            anew.append(str(key))
            otherwise = kind_of(owner).otherwise(owner)
            if otherwise:
                yield f"start: {key} is taken as rolled out; by its status it is not: {otherwise}"
        if history.empty:
            yield f"of {key}, old templates without pods are left out: {history.empty}"
    if told and anew:
        yield (
            f"start: of {_some(anew)} the input has no pods: all is rolled out, each pod where the "
            "scheduler's scores favour it"
        )
    elif anew:
        yield START
    yield from _apart(placement, owners, parts)


def _apart(placement: Placement, owners: Sequence[Any], parts: Sequence[Any]) -> Iterator[str]:
    """The pods of the input that are not in the start, or not as they are in life."""
    left = _Grouped()
    for gone in placement.left:
        left.add(gone.reason, _name(gone.pod))
    for reason, pods in left.items():
        yield f"not in the start: {_some(pods)}: {reason}"
    yield from _without_owners(owners, parts, placement)
    for pod in placement.nominated:
        node = pod.status.nominated_node_name
        yield (
            f"{_name(pod)} is nominated for {node}, for which others would go: it waits without a "
            "node here, and room is not kept for it"
        )


def starting_words(number: int, found: Starts, owners: Iterable[Any]) -> tuple[str, ...]:
    """That there are several starts, where there are."""
    if number == 1 and not found.more:
        return ()
    few = [*dict.fromkeys("; ".join(whereabouts(owners, p)) for p in found.placements)][:NAMED]
    several = f"any of {number} placements" if number > 1 else "one of the placements"
    more = ", and there are more, which are not looked at" if found.more else ""
    shown = " | ".join(few) + (" | …" if number > len(few) else "")
    return (f"start: {several} that differ in what may follow{more}: {shown}",)


def _without_owners(
    owners: Sequence[Any], parts: Sequence[Any], placement: Placement
) -> Iterator[str]:
    """Parts and pods whose controllers are not in the input, and what is assumed of them."""
    present = tuple(map(key_of, owners))
    lost, idle = {}, _Grouped()
    for part in parts:
        above = _missing(part.metadata, present)
        if above is not None:
            lost[key_of(part)] = above
            idle.add(f"the {above.kind} of each is not in the input", str(key_of(part)))
    for why, names in idle.items():
        yield f"not checked, and make no pods: {_some(names)}: {why}"
    known = (*present, *map(key_of, parts))
    load = _Grouped()
    for pod in placement.lone:
        key = _missing(pod.metadata, ())
        if key is not None:
            load.add(_why_load(key, lost, known), _name(pod))
    for why, names in load.items():
        yield f"load that stays, and that nobody makes again here: {_some(names)}: {why}"


def _why_load(key: Key, lost: Mapping[Key, Key], known: Container[Key]) -> str:
    """Why the pods of a controller are only load."""
    if key in lost:
        return f"the {lost[key].kind} of the {key.kind} of each is not in the input"
    if key in known:
        return f"the {key.kind} of each is another one of this name, or does not match it"
    if is_kind(key.kind):
        return f"the {key.kind} of each is not in the input"
    return f"each belongs to a {key.kind}, which is no part of a check"


class _Grouped(dict[str, list[str]]):
    """Names by what is said of them."""

    def add(self, what: str, name: str) -> None:
        self.setdefault(what, []).append(name)


def _missing(metadata: ObjectMeta, present: Container[Key]) -> Key | None:
    """What controls an object and is not among those that are there."""
    controller = controller_of(metadata)
    if controller is None:
        return None
    key = Key(controller.kind, metadata.namespace, controller.name)
    return None if key in present else key


def _of_owner(owner: Any, placement: Placement) -> str:
    """What the input says of an owner's pods; empty where that is nothing."""
    key = key_of(owner)
    history, placed = placement.histories[key], placement.placed[key]
    if key in placement.refused:
        return f"start: {key} has no pods: each {placement.refused[key]}"
    if history.told and history.unmade and len(history.templates) == 1:
        return f"start: {key} is not there yet"
    if history.told:
        return f"start: {key} as the input has it: {_told(history, placed)}"
    if history.sized:
        through = kind_of(owner).through
        who = f"the {through.kind}s of the input count" if through else "its status counts"
        return (
            f"start: {key} as {who} its pods, which the input does not have: "
            f"{_told(history, placed)}; each is where the scheduler's scores favour it"
        )
    return ""


def whereabouts(owners: Iterable[Any], placement: Placement) -> Iterator[str]:
    """Of each owner without pods in the input, on which nodes its pods are."""
    for key in map(key_of, owners):
        if not placement.histories[key].told:
            on_nodes = placement.placed[key].on_nodes.items()
            nodes = (f"{sum(spots.values())} on {name}" for name, spots in sorted(on_nodes))
            yield f"{key}: {', '.join(nodes) or 'on no node'}"


def _told(history: History, placed: Placed) -> str:
    return "; ".join(
        f"{template.name(number)} {_pods(placed, number)}"
        for number, template in enumerate(history.templates)
    )


def _pods(placed: Placed, number: int) -> str:
    """How many pods of a template are where."""
    counts = {
        "available": placed.count(number, Phase.READY, Phase.AVAILABLE),
        "not Ready yet": placed.count(number, *_UNREADY),
        "terminating": placed.count(number, *ENDING),
        "without a node": placed.homeless(number),
    }
    return ", ".join(f"{size} {how}" for how, size in counts.items() if size) or "no pods"


def _name(pod: Pod) -> str:
    return f"Pod {pod.metadata.namespace}/{pod.metadata.name}"


def _some(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
