"""Who may lack room because of others, in whatever order all of them are placed.

One placement proves nothing: the scheduler takes any node that fits, pods come in any order, and
what is free in one order is taken in another. So here it is counted. Of pods that come and go there
are so many at most (`Mover`), and nobody keeps them from being together where it hurts most.

A pod finds a node *for sure* if more nodes would take it than others can fill and events take
away: to fill a node of one resource costs more of it than is left there beside the pod, all movers
together have only so much of it, and so the cheapest nodes come first; what repels the pod, by host
ports or anti-affinity, is on one node, or in one domain, each. Where affinity or spread opens and
closes nodes nothing is sure. A pod is *untouched* if others can neither fill any node for it,
wherever they all are, nor repel it: then where its own are decides alone which nodes take it.

An owner whose pods all find a node for sure never waits for ever. One whose pods are all untouched
does exactly what it does alone. Either way nothing that it promises to reach hangs on the others,
wherever these are: it may be asked about by itself. (Some of one sort and some of the other do not
do: the former may then lie where they cannot lie alone, in the way of the latter.) Pods that end
hold room for a while only, on nodes that run; so they are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec
from msgspec import structs

from kubelemma.model.components.scheduler.decision.node_affinity import matches_required
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.resources import PODS, held_requests
from kubelemma.model.components.scheduler.decision.taints import is_tolerated
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod

from .lodging import Floor
from .neighbours import Repelled, minds, repelled, repels, shifts

Amounts = Mapping[str, int]

_OF_CONDITIONS = "node.kubernetes.io/"
"""Taints that come and go with what a node is like."""


class Mover(NamedTuple):
    """Pods that come and go.

    ``pods`` has one of each kind that there is or may be, ``most`` says how many of them hold room
    at once at most, and ``on`` where some of them are already.
    """

    pods: tuple[Pod, ...]
    most: int
    on: frozenset[str] = frozenset()


class Lost(NamedTuple):
    """The nodes that events may take away: so many of any, and some by their names."""

    number: int = 0
    named: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.number or self.named)


def crowded(
    movers: Sequence[Mover], floor: Floor, lost: Lost, *, scoring: bool = False
) -> tuple[int, ...]:
    """Those of the movers whose pods may lack room because of others.

    On the ``floor`` is what stays where it is. With ``scoring`` the load of others decides where
    pods go, even where there is room for all.
    """
    if len(movers) < 2:  # noqa: PLR2004 - nobody else
        return ()
    hall = Hall(movers, floor, lost)
    return tuple(i for i in range(len(movers)) if hall.lacks(i, scoring=scoring))


class _Kind(NamedTuple):
    """A pod of a mover: what it asks for, and the nodes on which one may ever be.

    ``repels``: whether it may keep others off a node where there is room.
    """

    pod: Pod
    wants: Amounts
    holds: Amounts
    nodes: frozenset[str]
    repels: bool


class Hall:
    """The nodes, and how much of each resource movers may bring to each of them."""

    def __init__(self, movers: Sequence[Mover], floor: Floor, lost: Lost) -> None:
        self._movers = movers
        self._floor = floor
        self._lost = lost
        self._supplies: dict[frozenset[str], dict[str, int]] = {}
        self._reach = _Reach(floor.infos)
        self._kinds = [tuple(self._kinds_of(mover)) for mover in movers]

    def lacks(self, index: int, *, scoring: bool) -> bool:
        """Whether pods of a mover may lack room because of others."""
        return not (self.is_sure(index) or (self.is_untouched(index) and not scoring))

    def is_sure(self, index: int) -> bool:
        """Whether the pods of a mover find nodes, wherever all others and its own are."""
        kinds = self._apart(index)
        return kinds is not None and all(self._sure(index, kind) for kind in kinds)

    def is_untouched(self, index: int) -> bool:
        """Whether nothing that others bring decides which nodes take the pods of a mover."""
        kinds = self._apart(index)
        return kinds is not None and not any(self._touched(index, kind) for kind in kinds)

    def reach(self, index: int) -> frozenset[str]:
        """The nodes on which pods of a mover may ever be."""
        return frozenset().union(*(kind.nodes for kind in self._kinds[index]))

    def _apart(self, index: int) -> Sequence[_Kind] | None:
        """The kinds of a mover that may be on nodes; None where these may hang on others' rules."""
        kinds = tuple(kind for kind in self._kinds[index] if kind.nodes)
        return None if any(self._mixes(index, kind) for kind in kinds) else kinds

    def _kinds_of(self, mover: Mover) -> Iterator[_Kind]:
        for pod in mover.pods:
            wants = fit_request(pod) | {PODS: 1}
            holds = _larger(wants, held_requests(pod)[0])
            nodes = self._reach.of(pod) | mover.on
            nodes = self._reach.that_hold(wants, nodes)
            yield _Kind(pod, wants, holds, nodes, repels(pod))

    @cached_property
    def _load(self) -> Mapping[str, Mapping[str, int]]:
        """How much all movers together may bring to each node."""
        load: dict[str, dict[str, int]] = {name: {} for name in self._floor.infos}
        for index in range(len(self._movers)):
            for name in self.reach(index):
                _add(load[name], self._brings(index, frozenset((name,))))
        return load

    def _brings(self, index: int, nodes: frozenset[str]) -> dict[str, int]:
        """How much a mover may bring to any of these nodes."""
        most = self._movers[index].most
        return {k: amount * most for k, amount in self._size(index, nodes).items()}

    def _size(self, index: int, nodes: frozenset[str]) -> dict[str, int]:
        """The most that a pod of a mover holds that may be on one of these nodes."""
        size: dict[str, int] = {}
        for kind in self._kinds[index]:
            if not kind.nodes.isdisjoint(nodes):
                size = _larger(size, kind.holds)
        return size

    def _supply(self, nodes: frozenset[str]) -> Amounts:
        """How much all movers together may bring to these nodes."""
        if nodes not in self._supplies:
            total: dict[str, int] = {}
            for index in range(len(self._movers)):
                _add(total, self._brings(index, nodes))
            self._supplies[nodes] = total
        return self._supplies[nodes]

    def _mixes(self, index: int, kind: _Kind) -> bool:
        """Whether where pods of others are decides, by more than taking what there is."""
        others = (other for i, found in enumerate(self._kinds) if i != index for other in found)
        return shifts(kind.pod) and any(minds(kind.pod, other.pod) for other in others)

    def _touched(self, index: int, kind: _Kind) -> bool:
        """Whether something that others bring may fill a node for a pod, or repel it."""
        if any(self._repelled(index, kind, own=False)):
            return True
        return any(self._may_fill(index, kind, name) for name in kind.nodes)

    def _may_fill(self, index: int, kind: _Kind, name: str) -> bool:
        load, one = self._load[name], frozenset((name,))
        own, size = self._brings(index, one), self._size(index, one)
        room = tuple(self._left(kind, name))
        if not self._lost and any(left < 0 for _, left in room):
            return False  # what stays has filled it, and nothing makes that go
        return any(
            load.get(k, 0) > own.get(k, 0) and load.get(k, 0) - size.get(k, 0) > left
            for k, left in room
        )

    def _left(self, kind: _Kind, name: str) -> Iterator[tuple[str, int]]:
        """How much of what it asks for would be left on a node beside a pod, and what stays."""
        info = self._floor.infos[name]
        for k, amount in kind.wants.items():
            if amount > 0:
                used = len(info.pods) if k == PODS else info.requested.get(k, 0)
                yield k, info.allocatable.get(k, 0) - used - amount

    def _sure(self, index: int, kind: _Kind) -> bool:
        """Whether a pod finds a node, wherever all others are."""
        if shifts(kind.pod):
            return False
        ready = structs.replace(
            kind.pod, spec=structs.replace(kind.pod.spec, scheduling_gates=None)
        )
        free = frozenset(self._floor.choices(self._floor.infos, ready)) - self._lost.named
        return self._fillable(index, kind, free) + self._lost.number < len(free)

    def _fillable(self, index: int, kind: _Kind, nodes: frozenset[str]) -> int:
        """How many of these nodes others and its own may make unfit for a pod, at most."""
        costs: dict[str, list[int]] = {}
        for name in nodes:
            size = self._size(index, frozenset((name,)))
            for k, left in self._left(kind, name):
                if self._load[name].get(k, 0) - size.get(k, 0) > left:
                    costs.setdefault(k, []).append(left + 1)
        supply, size = self._supply(nodes), self._size(index, nodes)
        filled = sum(_affordable(c, supply[k] - size.get(k, 0)) for k, c in costs.items())
        return filled + self._barred(self._repelled(index, kind, own=True), nodes)

    def _repelled(self, index: int, kind: _Kind, *, own: bool) -> Iterator[tuple[Repelled, int]]:
        """By what a pod may be repelled, and by how many pods of a mover."""
        for i, kinds in enumerate(self._kinds):
            number = self._movers[i].most - (i == index)
            if number > 0 and (own or i != index):
                close = (other.pod for other in kinds if kind.repels or other.repels)
                for by in {by for pod in close for by in repelled(kind.pod, pod)}:
                    yield by, number

    def _barred(self, found: Iterable[tuple[Repelled, int]], nodes: frozenset[str]) -> int:
        """On how many of these nodes such pods may keep another off."""
        barred = 0
        for by, number in found:
            domains: dict[str, int] = {}
            for name in nodes:
                domain = by.domain(self._floor.infos[name].node)
                domains[domain] = domains.get(domain, 0) + 1
            barred += sum(sorted(domains.values(), reverse=True)[:number])
        return barred


class _Reach:
    """The nodes on which pods may ever be, whatever happens to nodes and to what is there."""

    def __init__(self, infos: Mapping[str, NodeInfo]) -> None:
        self._infos = infos
        self._known: dict[bytes, frozenset[str]] = {}
        self._same: dict[frozenset[str], frozenset[str]] = {}

    def of(self, pod: Pod) -> frozenset[str]:
        """Those whose labels, name and lasting taints admit the pod."""
        spec = pod.spec
        affinity = spec.affinity.node_affinity if spec.affinity else None
        asked = (spec.node_name, spec.node_selector, affinity, spec.tolerations)
        key = msgspec.json.encode(asked, enc_hook=str, order="sorted")
        if key not in self._known:
            found = (name for name, info in self._infos.items() if _may_be_on(pod, info.node))
            self._known[key] = frozenset(found)
        return self._known[key]

    def that_hold(self, wants: Amounts, names: frozenset[str]) -> frozenset[str]:
        """Those of the nodes that would hold so much if they were empty."""
        found = frozenset(
            name
            for name in names
            if all(self._infos[name].allocatable.get(k, 0) >= v for k, v in wants.items())
        )
        return self._same.setdefault(found, found)


def _may_be_on(pod: Pod, node: Node) -> bool:
    if pod.spec.node_name:
        return pod.spec.node_name == node.metadata.name
    lasting = (
        taint
        for taint in node.spec.taints or ()
        if taint.effect != "PreferNoSchedule" and not taint.key.startswith(_OF_CONDITIONS)
    )
    return matches_required(pod, node) and all(is_tolerated(pod, taint) for taint in lasting)


def _affordable(costs: Iterable[int], supply: int) -> int:
    """How many of these can be paid, the cheapest first."""
    number = 0
    for cost in sorted(costs):
        supply -= max(cost, 0)
        if supply < 0:
            break
        number += 1
    return number


def _larger(one: Amounts, other: Amounts) -> dict[str, int]:
    return {k: max(one.get(k, 0), other.get(k, 0)) for k in one.keys() | other.keys()}


def _add(total: dict[str, int], more: Amounts) -> None:
    for k, amount in more.items():
        total[k] = total.get(k, 0) + amount
