"""Where pods may be placed one after the other: each way that differs in what matters.

The scheduler takes any of the best nodes. Which of several, names must not decide. Where these are
of different kinds, each is tried. Of one kind, be it in another zone that nobody asks for by name,
the one is taken that is the same whatever nodes, workloads and documents are called and in which
order they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.components.kubelet.decision import admit
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import (
    Snapshot,
    decide,
    filter_node,
    pre_filter,
)
from kubelemma.model.objects.pod import Pod


class Guest(NamedTuple):
    """So many equal pods that look for nodes.

    ``urgency`` and then ``rank`` say who comes first; of equal ``rank`` are those that differ in
    nothing but names. ``who`` tells them from others.
    """

    pod: Pod
    number: int
    urgency: int
    rank: bytes
    who: Any


class Likeness(NamedTuple):
    """Which nodes are alike: ``kinds`` has what each is, by name, and ``domains`` where it is.

    Empty nodes of one kind are interchangeable within a domain, and domains are among themselves.
    """

    kinds: Mapping[str, int]
    domains: Mapping[str, str]


class Lodging(NamedTuple):
    """The nodes that the pods of each guest are on, one for each pod."""

    nodes: tuple[tuple[str, ...], ...]


class Lodgings(NamedTuple):
    """All that differ, and whether there are ``more``."""

    all: tuple[Lodging, ...]
    more: bool


class Floor:
    """The nodes with what is on them.

    Pods go to the best nodes, or ``anywhere`` that passes the filters.
    """

    def __init__(
        self,
        infos: dict[str, NodeInfo],
        namespaces: Mapping[str, Mapping[str, str]],
        *,
        anywhere: bool = False,
    ) -> None:
        self.infos = infos
        self.anywhere = anywhere
        self._namespaces = namespaces
        self._bound: dict[tuple[int, str], tuple[Pod, Pod]] = {}

    def stands(self, pod: Pod) -> bool:
        """Whether the pod is bound to a node of the cluster."""
        return pod.spec.node_name in self.infos

    def add(self, pod: Pod, node: str) -> None:
        """Put a pod on a node."""
        self.infos[node] = self.infos[node].with_pods(self._on(pod, node))

    def with_pod(self, infos: dict[str, NodeInfo], pod: Pod, node: str) -> dict[str, NodeInfo]:
        """The nodes with a pod on one of them."""
        return {**infos, node: infos[node].with_pods(self._on(pod, node))}

    def _on(self, pod: Pod, node: str) -> Pod:
        """The pod, bound.

        Equal pods of a node are one object, of which is added up once what it requests.
        """
        key = (id(pod), node)
        if key not in self._bound:
            spec = msgspec.structs.replace(pod.spec, node_name=node)
            self._bound[key] = (pod, msgspec.structs.replace(pod, spec=spec))
        return self._bound[key][1]

    def choice(self, pod: Pod) -> str | None:
        """Where the scheduler would put a pod; None where nothing fits."""
        return min(self.choices(self.infos, pod), default=None)

    def choices(self, infos: Mapping[str, NodeInfo], pod: Pod) -> tuple[str, ...]:
        """The nodes that a pod may go to."""
        if pod.spec.node_name:
            stays = self.stands(pod) and admit(pod, infos[pod.spec.node_name]) is None
            return (pod.spec.node_name,) if stays else ()
        if pod.spec.scheduling_gates:
            return ()
        snapshot = Snapshot(tuple(infos[name] for name in sorted(infos)), self._namespaces)
        if not self.anywhere:
            return decide(pod, snapshot).choices
        cycle = pre_filter(pod, snapshot)
        return tuple(i.name for i in snapshot.nodes if filter_node(cycle, i).status.ok)


class _Branch(NamedTuple):
    """One way: the nodes, which guests are on each of them, and the nodes of each guest."""

    infos: dict[str, NodeInfo]
    there: Mapping[str, tuple[int, ...]]
    nodes: tuple[tuple[str, ...], ...]

    def with_pod(self, floor: Floor, guest: int, pod: Pod, node: str) -> _Branch:
        """The same with one pod more on a node."""
        there = {**self.there, node: tuple(sorted((*self.there.get(node, ()), guest)))}
        own = (*self.nodes[guest], node)
        nodes = (*self.nodes[:guest], own, *self.nodes[guest + 1 :])
        return _Branch(floor.with_pod(self.infos, pod, node), there, nodes)


def lodgings(
    floor: Floor, guests: Sequence[Guest], likeness: Likeness | None, most: int
) -> Lodgings:
    """Where all guests may be, in rounds until nobody else finds a node.

    Without a ``likeness`` it is one way, by the first names.
    """
    order = sorted(range(len(guests)), key=lambda i: (guests[i].urgency, guests[i].rank))
    queue = [guests[i] for i in order]
    search = _Search(floor, queue, likeness, most)
    branches = [_Branch(floor.infos, {}, ((),) * len(guests))]
    placed = -1
    while placed != (placed := sum(len(n) for branch in branches for n in branch.nodes)):
        for guest in range(len(queue)):
            branches = search.placed(branches, guest)
    if likeness is not None:
        branches = search.distinct(m for b in branches for m in _mirrored(b, queue))
    place = {guest: at for at, guest in enumerate(order)}
    given = (tuple(b.nodes[place[i]] for i in range(len(guests))) for b in branches)
    return Lodgings(tuple(map(Lodging, given)), search.more)


class _Search:
    def __init__(
        self, floor: Floor, guests: Sequence[Guest], likeness: Likeness | None, most: int
    ) -> None:
        self._floor = floor
        self._guests = guests
        self._likeness = likeness
        self._most = most
        self.more = False

    def placed(self, branches: list[_Branch], guest: int) -> list[_Branch]:
        """All ways with as many pods of a guest as find a node."""
        pod, number = self._guests[guest].pod, self._guests[guest].number
        done: list[_Branch] = []
        while branches:
            further: list[_Branch] = []
            for branch in branches:
                full = len(branch.nodes[guest]) >= number
                nodes = () if full else self._floor.choices(branch.infos, pod)
                further.extend(
                    branch.with_pod(self._floor, guest, pod, node)
                    for node in self._differing(branch, nodes)
                )
                if not nodes:
                    done.append(branch)
            branches = self.distinct(further)
        return self.distinct(done)

    def _differing(self, branch: _Branch, nodes: tuple[str, ...]) -> Iterable[str]:
        """One of the nodes of each kind: of several, the one with the first guests.

        So it does not depend on what they are called. Where pods go anywhere, nodes with other
        guests are of other kinds.
        """
        if self._likeness is None:
            return sorted(nodes)[:1]
        kinds, domains = self._likeness
        guests: dict[str, list[tuple[int, ...]]] = {}
        for name, domain in domains.items():
            guests.setdefault(domain, []).append(branch.there.get(name, ()))

        def standing(node: str) -> tuple[Any, ...]:
            return (branch.there.get(node, ()), sorted(guests[domains[node]]), node)

        sorts: dict[Any, str] = {}
        for node in sorted(nodes, key=standing):
            there = branch.there.get(node, ()) if self._floor.anywhere else ()
            sorts.setdefault((kinds[node], there), node)
        return sorts.values()

    def distinct(self, branches: Iterable[_Branch]) -> list[_Branch]:
        """One of each that are the same up to names, as many as there may be."""
        found = list(branches)
        if self._likeness is None or len(found) < 2:  # noqa: PLR2004 - nothing to tell apart
            return found
        by_form: dict[Any, _Branch] = {}
        for branch in found:
            by_form.setdefault(_form(branch, self._likeness), branch)
        self.more = self.more or len(by_form) > self._most
        return [by_form[form] for form in sorted(by_form)[: self._most]]


def _form(branch: _Branch, likeness: Likeness) -> tuple[Any, ...]:
    """What is the same for two branches if and only if they differ in nothing but names."""
    domains: dict[str, list[tuple[int, tuple[int, ...]]]] = {}
    for node, kind in likeness.kinds.items():
        domains.setdefault(likeness.domains[node], []).append((kind, branch.there.get(node, ())))
    return tuple(sorted(tuple(sorted(nodes)) for nodes in domains.values()))


_FEW = 3
"""Of more guests that are alike not all orders are tried."""


def _mirrored(branch: _Branch, guests: Sequence[Guest]) -> Iterator[_Branch]:
    """The branch with guests in each other's places who differ in nothing but their names."""
    alike: dict[tuple[int, bytes, int], list[int]] = {}
    for i, guest in enumerate(guests):
        alike.setdefault((guest.urgency, guest.rank, guest.number), []).append(i)
    groups = [group for group in alike.values() if 1 < len(group) <= _FEW]
    branches = [branch]
    for group in groups:
        branches = [
            _renumbered(each, dict(zip(group, order, strict=True)))
            for each in branches
            for order in permutations(group)
        ]
    yield from branches


def _renumbered(branch: _Branch, to: Mapping[int, int]) -> _Branch:
    there = {
        node: tuple(sorted(to.get(guest, guest) for guest in found))
        for node, found in branch.there.items()
    }
    nodes = list(branch.nodes)
    for guest, other in to.items():
        nodes[other] = branch.nodes[guest]
    return _Branch(branch.infos, there, tuple(nodes))
