"""Where a scenario starts: with the pods that the input has, or else all of them placed anew.

Those that are placed are where the scheduler prefers them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from kubelemma.model.cluster.owners import ordinal_of
from kubelemma.model.cluster.snapshot import PENDING, Place
from kubelemma.model.cluster.state import Phase
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.apiserver.admission import NO_POLICIES, Policies, filled, refusal
from kubelemma.model.components.kubelet.decision import never_ready
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod

from .history import ENDED, NO_IDENTITY, History, Template, absent, history_of
from .lodging import Floor, Guest, Likeness, Lodging, lodgings
from .reach import Reach
from .templates import Key, key_of, kind_of

ENDING = (Phase.TERMINATING, Phase.REVOKED)
"""The phases of pods that are on their way out."""


class Spot(NamedTuple):
    """Pods of one template in one phase; ``kind`` is theirs if they differ from others of it.

    One with an identity has an ``ordinal``.
    """

    template: int
    phase: int
    kind: int = 0
    ordinal: int = NO_IDENTITY

    def not_ready(self) -> Spot:
        """The same without being Ready."""
        ready = self.phase in (Phase.READY, Phase.AVAILABLE)
        return self._replace(phase=Phase.STARTING) if ready else self


class Named(NamedTuple):
    """A pod of the input: what it is called, on which node it is, if on any, and how far."""

    name: str
    node: str
    spot: Spot


class Placed(NamedTuple):
    """An owner's pods at the start: those on each node, by name, and how many are on none.

    ``waiting`` has these by template, but for those in ``apart``, which has them by kind of those
    that differ from others, with their templates. ``named`` are those of the input. ``seats`` are
    the templates and ordinals of those on none that have an identity.
    """

    on_nodes: Mapping[str, Mapping[Spot, int]]
    waiting: tuple[int, ...] = ()
    named: tuple[Named, ...] = ()
    apart: tuple[tuple[int, int], ...] = ()
    seats: tuple[tuple[int, int], ...] = ()

    @property
    def pending(self) -> int:
        """How many are on no node."""
        return sum(map(self.homeless, range(len(self.waiting))))

    def homeless(self, template: int) -> int:
        """How many of a template are on no node."""
        return self.waiting[template] + sum(n for own, n in self.apart if own == template)

    def queued(self, workload: Workload) -> tuple[int, ...]:
        """The same by the classes of the workload's pods."""
        if workload.ordinals:
            waiting = [workload.class_of(*seat) for seat in self.seats]
            return tuple(map(waiting.count, workload.classes))
        missing = workload.templates - len(self.waiting)
        counts = (*self.waiting, *(0 for _ in range(missing)), *(n for _, n in self.apart))
        return (*counts, *(0 for _ in range(len(workload.classes) - len(counts))))

    def count(self, template: int, *phases: Phase) -> int:
        """How many pods of a template on nodes are in one of these phases."""
        return sum(
            number
            for spots in self.on_nodes.values()
            for spot, number in spots.items()
            if spot.template == template and spot.phase in phases
        )

    def beside(self, unready: frozenset[str]) -> Placed:
        """The same where these nodes are not Ready: no pod on them is."""
        nodes: dict[str, Mapping[Spot, int]] = dict(self.on_nodes)
        for name in unready & nodes.keys():
            spots: Counter[Spot] = Counter()
            for spot, number in nodes[name].items():
                spots[spot.not_ready()] += number
            nodes[name] = spots
        named = (
            pod._replace(spot=pod.spot.not_ready()) if pod.node in unready else pod
            for pod in self.named
        )
        return self._replace(on_nodes=nodes, named=tuple(named))


NOWHERE = Placed({})


class Left(NamedTuple):
    """A pod of the input that is not in the start, and why."""

    pod: Pod
    reason: str


class Placement(NamedTuple):
    """All pods at the start.

    ``placed``: of each owner by what identifies it, as is its ``histories``. ``existing``: pods of
    nobody's, by node. ``homeless``: such pods that found no node. ``left``: those that are not in
    the start. ``nominated``: those that wait for a node that is promised to them. ``refused``: why
    owners of which the input has no pods have none at the start.
    """

    placed: Mapping[Key, Placed]
    histories: Mapping[Key, History]
    existing: Mapping[str, tuple[Pod, ...]]
    homeless: tuple[Pod, ...]
    left: tuple[Left, ...]
    nominated: tuple[Pod, ...]
    refused: Mapping[Key, str]

    @property
    def lone(self) -> tuple[Pod, ...]:
        """The pods of nobody's that are on a node, or wait for one."""
        placed = (pod for pods in self.existing.values() for pod in pods)
        return (*placed, *(pod for pod in self.homeless if not pod.spec.node_name))

    def place_of(self, pod: Pod) -> Placed:
        """Where one of them is."""
        nodes = (name for name, pods in self.existing.items() if any(p is pod for p in pods))
        node = next(nodes, None)
        if node is None:
            return Placed({}, (1,))
        return Placed({node: {Spot(0, phase_of(pod)): 1}}, (0,))


def phase_of(pod: Pod) -> Phase:
    """How far a pod on a node is, by its status; of one that says nothing, all is well.

    Unless its probes keep it from ever being Ready.
    """
    pending = pod.status.phase == "Pending"
    if pod.metadata.deletion_timestamp is not None:
        return Phase.REVOKED if pending else Phase.TERMINATING
    if pending:
        return Phase.ASSIGNED
    silent = "True" if never_ready(pod) is None else "False"
    ready = {c.type: c.status for c in pod.status.conditions or ()}.get("Ready", silent)
    return Phase.AVAILABLE if ready == "True" else Phase.STARTING


class Given(NamedTuple):
    """What the input has of pods: owners, the parts by way of which they make pods, and pods.

    ``undone``: those who may be taken back to an earlier template. ``absent``: those that are not
    there yet. ``nodes_known``: whether the
    input has the nodes that pods are bound to; else these pods are somewhere. ``policies``: by what
    pods are refused when they are created; ``reach``: which nodes their volumes can be reached
    from, where that is known.
    """

    owners: Sequence[Any]
    parts: Sequence[Any] = ()
    pods: Sequence[Pod] = ()
    undone: frozenset[Key] = frozenset()
    absent: frozenset[Key] = frozenset()
    nodes_known: bool = True
    policies: Policies = NO_POLICIES
    reach: Reach | None = None


def place_all(given: Given, nodes: Iterable[Node], namespaces: Iterable[Namespace]) -> Placement:
    """One start: of several nodes that are equally good, the first by name is taken."""
    return starts(given, nodes, namespaces).placements[0]


class Starts(NamedTuple):
    """The starts that there may be; ``more``: whether there are others."""

    placements: tuple[Placement, ...]
    more: bool


class Regard(NamedTuple):
    """What matters of where pods are at the start: of those in ``focus`` whose they are.

    Of all others it is what ``look`` makes of a pod. Where those in focus are placed ``anywhere``
    afterwards, it does not matter where they have been.
    """

    focus: Container[Key]
    look: Callable[[tuple[Pod, ...]], str]
    anywhere: bool

    def look_at(self, key: Key, history: History, spot: Spot) -> str:
        """What pods of an owner look like where they stand; empty where it matters whose."""
        own = key in self.focus and not self.anywhere
        if own or len(history.templates) > 1:
            return ""
        return f"{spot.phase:d} {self.look((history.pod_at(spot),))}"

    def stays(self, key: Key) -> bool:
        """Whether it matters where the pods of an owner are."""
        return not (self.anywhere and key in self.focus)


def starts(
    given: Given,
    nodes: Iterable[Node],
    namespaces: Iterable[Namespace],
    likeness: Likeness | None = None,
    *,
    most: int = 1,
    regard: Regard | None = None,
) -> Starts:
    """Where all pods may be at the start: all that differ in what matters, up to so many.

    Pods of the input are as it says. Of owners of which it has no pods, all are scheduled one after
    the other on a node that the scheduler's scores favour, until no more of them finds one; as are
    pods of nobody's. Who comes first is the same whatever the documents' order and the names.
    """
    names = {n.metadata.name: n.metadata.label_map() for n in namespaces}
    infos = {node.metadata.name: NodeInfo(node) for node in nodes}
    floor = Floor(infos, names, reach=given.reach)
    left = tuple(_left_out(given, floor))
    gone = {id(found.pod) for found in left}
    pods = []
    for pod in (pod for pod in given.pods if id(pod) not in gone):
        pods.append(_settled(pod, given, floor))
        if floor.stands(pods[-1]):
            floor.add(pods[-1], pods[-1].spec.node_name)
    owner_of = {id(pod): _owner(pod, given.owners) for pod in pods}
    histories = {}
    for owner in given.owners:
        key = key_of(owner)
        own = [pod for pod in pods if owner_of[id(pod)] is owner]
        histories[key] = (
            absent(owner)
            if key in given.absent
            else history_of(owner, given.parts, own, undone=key in given.undone)
        )
    lone = tuple(pod for pod in pods if owner_of[id(pod)] is None)
    refused = dict(_refused(histories, given.policies))
    guests = (*_lone_guests(lone, floor), *_guests(histories, refused, regard))
    found = lodgings(floor, guests, likeness, most)
    nominated = tuple(p for p in pods if p.status.nominated_node_name and not p.spec.node_name)
    ready = _Known(floor, histories, lone, left, nominated, refused)
    return Starts(tuple(ready.placement(guests, lodging) for lodging in found.all), found.more)


def anywhere(
    base: Placement, owners: Iterable[Any], floor: Floor, likeness: Likeness, most: int
) -> Starts:
    """The starts in which the pods of these owners are on any nodes that pass the filters.

    All others are where they are in ``base``, which ``floor`` has already. Where the input has pods
    of an owner, they stay.
    """
    own = {
        key: base.histories[key]
        for key in map(key_of, owners)
        if not (base.histories[key].told or key in base.refused)
    }
    guests = tuple(_guests(own, ()))
    found = lodgings(floor, guests, likeness, most)
    placements = []
    for lodging in found.all:
        where = {guest.who: nodes for guest, nodes in zip(guests, lodging.nodes, strict=True)}
        placed = {key: _anew(key, history, where, floor) for key, history in own.items()}
        placements.append(base._replace(placed={**base.placed, **placed}))
    return Starts(tuple(placements), found.more)


def _lone_guests(pods: Iterable[Pod], floor: Floor) -> Iterator[Guest]:
    for pod in pods:
        if not floor.stands(pod):
            content = msgspec.json.encode(pod, enc_hook=str, order="sorted")
            rank = b"\0" + content.replace(pod.metadata.name.encode(), b"")
            yield Guest(pod, 1, _urgency(pod), rank, pod)


def _refused(histories: Mapping[Key, History], policies: Policies) -> Iterator[tuple[Key, str]]:
    """Of which owners there can be no pods, and why."""
    for key, history in histories.items():
        if not history.told:
            spec = history.templates[history.current].pod(history.current).spec
            reason = refusal(spec, key.namespace, policies)
            if reason:
                yield key, reason


def _guests(
    histories: Mapping[Key, History], refused: Container[Key], regard: Regard | None = None
) -> Iterator[Guest]:
    """The pods of owners of which all are placed anew."""
    for key, history in histories.items():
        if history.told or key in refused:
            continue
        for number, template in enumerate(history.templates):
            pod, spec = template.pod(number), template.owner.spec
            content = msgspec.json.encode(
                (key.kind, key.namespace, spec, number), enc_hook=str, order="sorted"
            )
            rank = content.replace(key.name.encode(), b"")
            for phase, size, ordinal in history.counted(number):
                behind = b"" if phase == Phase.AVAILABLE else bytes([phase])
                behind += b"" if ordinal == NO_IDENTITY else f"{ordinal:010}".encode()
                spot = Spot(number, phase, ordinal=ordinal)
                look = regard.look_at(key, history, spot) if regard else ""
                stays = regard is None or regard.stays(key)
                who = (key, number, phase, ordinal)
                selector, own = template.selector(number), template.seated(number, ordinal)
                yield Guest(own, size, _urgency(pod), rank + behind, who, look, stays, selector)


def _urgency(pod: Pod) -> int:
    return -(pod.spec.priority or 0)


class _Known(NamedTuple):
    """What all starts have in common."""

    floor: Floor
    histories: Mapping[Key, History]
    lone: tuple[Pod, ...]
    left: tuple[Left, ...]
    nominated: tuple[Pod, ...]
    refused: Mapping[Key, str]

    def placement(self, guests: Sequence[Guest], lodging: Lodging) -> Placement:
        """The start with these guests where they are."""
        where = {guest.who: lodging.nodes[i] for i, guest in enumerate(guests) if _keyed(guest)}
        lone_at = {id(g.who): lodging.nodes[i] for i, g in enumerate(guests) if not _keyed(g)}
        existing: dict[str, tuple[Pod, ...]] = dict.fromkeys(self.floor.infos, ())
        homeless: list[Pod] = []
        for pod in self.lone:
            stands = self.floor.stands(pod)
            nodes = (pod.spec.node_name,) if stands else lone_at[id(pod)]
            for node in nodes:
                existing[node] += (pod,)
            if not nodes:
                homeless.append(pod)
        placed = {
            key: _standing(history, self.floor)
            if history.told or key in self.refused
            else _anew(key, history, where, self.floor)
            for key, history in self.histories.items()
        }
        return Placement(
            placed,
            self.histories,
            existing,
            tuple(homeless),
            self.left,
            self.nominated,
            self.refused,
        )


def _keyed(guest: Guest) -> bool:
    return isinstance(guest.who, tuple)


def _left_out(given: Given, floor: Floor) -> Iterator[Left]:
    """The pods that are not in the start."""
    for pod in given.pods:
        if pod.status.phase in ENDED:
            reason = f"{pod.status.phase}, and what has ended holds nothing and counts for none"
            yield Left(pod, reason)
        elif pod.spec.priority is None and (reason := _refusal(pod, given.policies)):
            yield Left(pod, f"it {reason}")
        elif not pod.spec.node_name and pod.metadata.deletion_timestamp is not None:
            yield Left(pod, "it is deleted and has no node: nothing is left of it but its object")
        elif pod.spec.node_name and not floor.stands(pod) and given.nodes_known:
            what = f'there is no Node "{pod.spec.node_name}"'
            yield Left(pod, f"{what}, and what is bound to a Node that is gone is deleted")


def _refusal(pod: Pod, policies: Policies) -> str:
    """Why a pod that no API server has seen yet is never stored; empty where it is."""
    spec = filled(pod.spec, pod.metadata.namespace, policies)
    return refusal(spec, pod.metadata.namespace, policies)


def _settled(pod: Pod, given: Given, floor: Floor) -> Pod:
    """The pod, on some node where those of the input are not known and it was on one of them."""
    if given.nodes_known or not pod.spec.node_name or floor.stands(pod):
        return pod
    free = msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=""))
    node = floor.choice(free)
    if node is None:
        return free
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=node))


def _owner(pod: Pod, owners: Sequence[Any]) -> Any | None:
    """The owner that the pod belongs to: first of all one that it names itself."""
    found = [owner for owner in owners if kind_of(owner).owns(owner, pod)]
    return min(found, key=lambda owner: kind_of(owner).through is not None, default=None)


def _standing(history: History, floor: Floor) -> Placed:
    """The pods that the input has, as they are."""
    on_nodes: dict[str, Counter[Spot]] = {}
    waiting = [0] * len(history.templates)
    apart = [0] * len(history.kinds)
    seats: list[tuple[int, int]] = []
    named = []
    for number, template in enumerate(history.templates):
        young = _young(template)
        for pod in template.pods:
            kind, ordinal = history.kind(number, pod), _ordinal(template, pod)
            if floor.stands(pod):
                phase: int = phase_of(pod)
                phase = Phase.READY if young and phase == Phase.AVAILABLE else phase
                spots = on_nodes.setdefault(pod.spec.node_name, Counter())
                spots[Spot(number, phase, kind, ordinal)] += 1
            else:
                phase = PENDING
                seats += [(number, ordinal)] if ordinal != NO_IDENTITY else []
                if kind:
                    apart[kind - 1] += 1
                else:
                    waiting[number] += 1
            node = pod.spec.node_name if floor.stands(pod) else ""
            named.append(Named(pod.metadata.name, node, Spot(number, phase, kind, ordinal)))
    templates = (kind.template for kind in history.kinds)
    by_kind = tuple(zip(templates, apart, strict=True))
    return Placed(on_nodes, tuple(waiting), tuple(sorted(named)), by_kind, tuple(seats))


def _ordinal(template: Template, pod: Pod) -> int:
    """Which one of its owner's pods this is, where these have an identity."""
    if kind_of(template.owner).updates(template.owner) is None:
        return NO_IDENTITY
    return ordinal_of(pod.metadata.name, template.owner.metadata.name)


def _young(template: Template) -> bool:
    """Whether pods that are Ready have yet to be so for ``minReadySeconds``, by the last count."""
    if template.made is None or not kind_of(template.owner).min_ready_seconds(template.owner):
        return False
    status = template.made.status
    fewer: bool = status.available_replicas < status.ready_replicas
    return fewer


def _anew(key: Key, history: History, where: Mapping[Any, tuple[str, ...]], floor: Floor) -> Placed:
    """All pods that there are, where they have been placed."""
    on_nodes: dict[str, Counter[Spot]] = {}
    waiting = []
    seats: list[tuple[int, int]] = []
    for number, template in enumerate(history.templates):
        left = 0
        for phase, size, ordinal in history.counted(number):
            nodes = where[key, number, phase, ordinal]
            for node in nodes:
                spot = Spot(number, phase, ordinal=ordinal)
                on_nodes.setdefault(node, Counter())[spot] += 1
            left += size - len(nodes)
            identified = ordinal != NO_IDENTITY and not floor.stands(template.pod(number))
            seats += [(number, ordinal)] if identified and not nodes else []
        # A pod that the kubelet rejects is no replica, and one that names its node never waits.
        waiting.append(0 if floor.stands(template.pod(number)) else left)
    return Placed(on_nodes, tuple(waiting), seats=tuple(seats))


def class_at(workload: Workload, spot: Spot) -> int:
    """The class of these pods: those that differ come behind the templates."""
    if spot.kind:
        return workload.classes[workload.made + spot.kind - 1]
    return workload.class_of(spot.template, spot.ordinal)


class Called(NamedTuple):
    """Where pods of the input are that are alike, and their names."""

    place: Place
    names: tuple[str, ...]


def called(placed: Iterable[tuple[Workload, Placed]]) -> tuple[Called, ...]:
    """The pods of the input of some workloads."""
    found: dict[Place, tuple[str, ...]] = {}
    for workload, there in placed:
        for pod in there.named:
            place = Place(class_at(workload, pod.spot), pod.node, pod.spot.phase)
            found[place] = (*found.get(place, ()), pod.name)
    return tuple(map(Called._make, found.items()))
