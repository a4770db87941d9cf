"""Where pods may be placed one after the other: each way that differs in what matters.

The scheduler takes any of the best nodes. Which of several, names must not decide. Where these are
of different kinds, each is tried. Of one kind are those that differ in nothing but names, neither
in what is on them nor in what is on the others of their zone. So it is the same whatever nodes,
workloads and documents are called and in which order they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import msgspec

from kubelemma.model.components.kubelet.decision import admit
from kubelemma.model.components.scheduler.decision.default_selector import controller_of
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import (
    Snapshot,
    decide,
    filter_node,
    pre_filter,
)
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod

from .reach import Reach

_BREADTH = 16
"""So many ways are followed at a time, even where fewer are wanted."""
_FEW = 24
"""In so many orders guests that are alike are put in each other's places."""


class Guest(NamedTuple):
    """So many equal pods that look for nodes.

    ``urgency`` and then ``rank`` say who comes first; of equal ``rank`` are those that differ in
    nothing but names. ``who`` tells them from others. Those with the same ``look`` may stand in
    each other's places once all of them have one: nobody minds. Without one it matters who it is.
    In the end it does not matter where those are that do not ``stay``. The ``selector`` is that of
    whatever controls them, over whose pods scores spread them.
    """

    pod: Pod
    number: int
    urgency: int
    rank: bytes
    who: Any
    look: str = ""
    stays: bool = True
    selector: LabelSelector | None = None


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

    Pods go to the best nodes, or ``anywhere`` that passes the filters. Where storage is known these
    nodes ``reach`` their volumes.
    """

    def __init__(
        self,
        infos: dict[str, NodeInfo],
        namespaces: Mapping[str, Mapping[str, str]],
        *,
        anywhere: bool = False,
        reach: Reach | None = None,
    ) -> None:
        self.infos = infos
        self.anywhere = anywhere
        self.reach = reach
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

    def choices(
        self, infos: Mapping[str, NodeInfo], pod: Pod, selector: LabelSelector | None = None
    ) -> tuple[str, ...]:
        """The nodes that a pod may go to; what controls it has this selector."""
        if pod.spec.node_name:
            stays = self.stands(pod) and admit(pod, infos[pod.spec.node_name]) is None
            return (pod.spec.node_name,) if stays else ()
        if pod.spec.scheduling_gates:
            return ()
        snapshot = Snapshot(tuple(infos[name] for name in sorted(infos)), self._namespaces)
        closed = self.reach.refusals(pod, infos) if self.reach is not None else {}
        if not self.anywhere:
            owner = controller_of(pod)
            known = {owner: selector} if owner and selector else {}
            return decide(pod, replace(snapshot, workloads=known, unreachable=closed)).choices
        cycle = pre_filter(pod, snapshot)
        there = (i for i in snapshot.nodes if i.name not in closed)
        return tuple(i.name for i in there if filter_node(cycle, i).status.ok)


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
    placed: list[int] = []
    while placed != (placed := sorted(sum(map(len, branch.nodes)) for branch in branches)):
        for guest in range(len(queue)):
            branches = search.placed(branches, guest)
    if likeness is not None:
        branches = search.last(branches)
    place = {guest: at for at, guest in enumerate(order)}
    given = (tuple(b.nodes[place[i]] for i in range(len(guests))) for b in branches)
    more = search.more and any(guest.stays for guest in guests)
    return Lodgings(tuple(map(Lodging, given)), more)


class _Search:
    def __init__(
        self, floor: Floor, guests: Sequence[Guest], likeness: Likeness | None, most: int
    ) -> None:
        self._floor = floor
        self._guests = guests
        self._likeness = likeness
        self._most = most
        ranks = {look: i for i, look in enumerate(sorted({g.look for g in guests}), len(guests))}
        self._looks = [ranks[guest.look] if guest.look else 0 for guest in guests]
        self.more = False

    def placed(self, branches: list[_Branch], guest: int) -> list[_Branch]:
        """All ways with as many pods of a guest as find a node."""
        found = self._guests[guest]
        done: list[_Branch] = []
        while branches:
            further: list[_Branch] = []
            for branch in branches:
                full = len(branch.nodes[guest]) >= found.number
                nodes = () if full else self._floor.choices(branch.infos, found.pod, found.selector)
                further.extend(
                    branch.with_pod(self._floor, guest, found.pod, node)
                    for node in self._differing(branch, nodes)
                )
                if not nodes:
                    done.append(branch)
            branches = self.distinct(further)
        return self.distinct(done)

    def _differing(self, branch: _Branch, nodes: tuple[str, ...]) -> Iterable[str]:
        """One of the nodes of each kind, so that it does not depend on what they are called.

        Nodes with other guests are of other kinds, and so are those in whose domain others have
        them: who comes next may go by either, and so may what happens later.
        """
        if self._likeness is None:
            return sorted(nodes)[:1]
        seen, domains = self._seen(branch, self._likeness), self._likeness.domains
        of_domain = _by_domain(seen, domains)
        sorts: dict[Any, str] = {}
        for node in sorted(nodes):
            sorts.setdefault((seen[node], of_domain[domains[node]]), node)
        return [sorts[sort] for sort in sorted(sorts)]

    def last(self, branches: list[_Branch]) -> list[_Branch]:
        """The branches when all are placed, also with others in each other's places.

        That is so for guests that differ in nothing but their names.
        """
        alike: dict[tuple[int, bytes, int], list[int]] = {}
        for i, guest in enumerate(self._guests):
            alike.setdefault((guest.urgency, guest.rank, guest.number), []).append(i)
        for group in alike.values():
            orders = list(islice(_orders(group, self._looks), _FEW + 1))
            self.more = self.more or len(orders) > _FEW
            tos = [dict(zip(group, order, strict=True)) for order in orders[:_FEW]]
            branches = self.distinct(_renumbered(each, to) for each in branches for to in tos)
        return self.distinct(branches, self._most)

    def distinct(self, branches: Iterable[_Branch], most: int = 0) -> list[_Branch]:
        """One of each that are the same up to names, as many as there may be."""
        found = list(branches)
        if self._likeness is None or len(found) < 2:  # noqa: PLR2004 - nothing to tell apart
            return found
        by_form: dict[Any, _Branch] = {}
        for branch in found:
            seen = self._seen(branch, self._likeness, last=bool(most))
            of_domain = _by_domain(seen, self._likeness.domains)
            by_form.setdefault(tuple(sorted(of_domain.values())), branch)
        most = most or max(self._most, _BREADTH)
        self.more = self.more or len(by_form) > most
        return [by_form[form] for form in sorted(by_form)[:most]]

    def _seen(self, branch: _Branch, likeness: Likeness, *, last: bool = False) -> dict[str, _Node]:
        """Of each node its kind and its guests: who they are, or what they look like.

        It matters who they are as long as more of their pods may come; at ``last`` only those
        matter that stay.
        """
        marks = [
            look if look and len(nodes) == guest.number else i
            for i, (guest, look, nodes) in enumerate(
                zip(self._guests, self._looks, branch.nodes, strict=True)
            )
        ]
        staying = [guest.stays or not last for guest in self._guests]
        return {
            node: (kind, tuple(sorted(marks[i] for i in branch.there.get(node, ()) if staying[i])))
            for node, kind in likeness.kinds.items()
        }


_Node: TypeAlias = tuple[int, tuple[int, ...]]
_Domain: TypeAlias = tuple[_Node, ...]


def _by_domain(seen: Mapping[str, _Node], domains: Mapping[str, str]) -> dict[str, _Domain]:
    """What there is in each domain."""
    found: dict[str, list[_Node]] = {}
    for node, what in seen.items():
        found.setdefault(domains[node], []).append(what)
    return {domain: tuple(sorted(nodes)) for domain, nodes in found.items()}


def _orders(group: Sequence[int], looks: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The orders of some guests that differ in more than in who is which of the same look."""
    if not group:
        yield ()
    firsts = {looks[guest] or -1 - guest: guest for guest in reversed(group)}
    for first in sorted(firsts.values()):
        rest = tuple(guest for guest in group if guest != first)
        yield from ((first, *others) for others in _orders(rest, looks))


def _renumbered(branch: _Branch, to: Mapping[int, int]) -> _Branch:
    there = {
        node: tuple(sorted(to.get(guest, guest) for guest in found))
        for node, found in branch.there.items()
    }
    nodes = list(branch.nodes)
    for guest, other in to.items():
        nodes[other] = branch.nodes[guest]
    return _Branch(branch.infos, there, tuple(nodes))
