"""What the scheduler knows of other nodes, from tallies instead of a list of nodes.

PodTopologySpread and InterPodAffinity work on sums over nodes (see ``decision``). A domain that
several nodes may share gets a component of a tally. A key of which every node has a value of
its own (the host name) gets none: what is in such a domain is on the one node, the least crowded
one is a best, and the nodes stay interchangeable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kubelemma.model.cluster.columns import SHOWN, of_shown
from kubelemma.model.cluster.state import AnyNode
from kubelemma.model.cluster.world import PodClass, World
from kubelemma.model.objects.pod import Pod
from kubelemma.model.system import Best, Tally

from .decision import inter_pod_affinity as affinity
from .decision import topology_spread as spread
from .decision.nodeinfo import NodeInfo
from .decision.status import Status
from .storage import Wants, wants_of

ANYWHERE = ("", "")
"""A topology pair that no node has: something matches, in a domain of another node alone."""


class Domains(NamedTuple):
    """The PreFilter states of one pod class, without what only the node itself can tell.

    ``matching`` and ``nodes``: for each spread constraint the matching pods by shared domain, and
    the number of nodes that count. ``pairs``: shared topology pairs where pods are meant, by kind;
    ``anywhere``: some pod is meant by the required affinity terms, in whatever domain.
    """

    matching: tuple[tuple[tuple[str, int], ...], ...]
    nodes: tuple[int, ...]
    pairs: frozenset[tuple[str, str, str]]
    anywhere: bool


ALONE = Domains((), (), frozenset(), anywhere=False)
"""For a class that no other node matters to."""


@dataclass(frozen=True, slots=True)
class Topology:
    """How one pod class depends on other pods; ``coordinates`` are those of its tally.

    ``concerned``: some constraint or term of it, or of a pod that may exist, can reject it at all.
    ``wants`` is what its volumes ask for.
    """

    world: World
    pod_class: PodClass
    constraints: spread.Constraints
    incoming: affinity.Incoming
    coordinates: tuple[tuple[str, ...], ...]
    concerned: bool
    wants: Wants

    @property
    def tally_name(self) -> str:
        """The name of the tally of its domains."""
        return f"domains for class {self.pod_class.index}"

    def least_name(self, constraint: int) -> str:
        """The name of the best that finds the least crowded node for a constraint."""
        return f"least crowded for class {self.pod_class.index}, constraint {constraint}"

    @property
    def single(self) -> tuple[int, ...]:
        """The constraints over a key of which every node has a value of its own."""
        keys = self.world.unique_keys
        return tuple(i for i, c in enumerate(self.constraints) if c.topology_key in keys)

    @property
    def reads(self) -> tuple[str, ...]:
        """The summaries that say whether a node is feasible; none if only the node matters."""
        return (*self.spread_reads, *self.wants.reads)

    @property
    def spread_reads(self) -> tuple[str, ...]:
        """The summaries that `filter_status` wants after the node."""
        if not self.coordinates:
            return ()
        return (self.tally_name, *(self.least_name(i) for i in self.single))


def topology_of(world: World, pod_class: PodClass) -> Topology:
    """The topology of one pod class."""
    constraints = spread.constraints_of(pod_class.pod, "DoNotSchedule")
    incoming = affinity.incoming(pod_class.pod, world.namespace_labels())
    kinds = tuple(_affinity_kinds(world, incoming))
    coordinates = (*_spread_coordinates(world, constraints), *_affinity_coordinates(world, kinds))
    return Topology(
        world,
        pod_class,
        constraints,
        incoming,
        tuple(dict.fromkeys(coordinates)),
        concerned=bool(constraints or kinds),
        wants=wants_of(world, pod_class),
    )


def _spread_coordinates(world: World, constraints: spread.Constraints) -> Iterator[tuple[str, ...]]:
    for i, constraint in enumerate(constraints):
        yield ("nodes", str(i), "")
        if constraint.topology_key not in world.unique_keys:
            for value in world.values_of(constraint.topology_key):
                yield ("nodes", str(i), value)
                yield ("pods", str(i), value)


def _affinity_kinds(world: World, incoming: affinity.Incoming) -> Iterator[tuple[str, str]]:
    """The kinds of pairs that matter to the pod, with their topology keys."""
    for term in incoming.affinity:
        yield "affinity", term.topology_key
    for term in incoming.anti_affinity:
        yield "antiAffinity", term.topology_key
    for key in _repelling_keys(world, incoming):
        yield "existingAntiAffinity", key


def _affinity_coordinates(
    world: World, kinds: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, ...]]:
    for what, key in kinds:
        if key not in world.unique_keys:
            for value in world.values_of(key):
                yield (what, key, value)
        elif what == "affinity":
            yield (what, key, "")


def _repelling_keys(world: World, incoming: affinity.Incoming) -> Iterator[str]:
    """The keys of required anti-affinity terms, of whatever pod may exist, that mean this pod."""
    for other in world.all_pods():
        for raw in affinity.anti_affinity_of(other).required or ():
            term = affinity.parsed(other, raw)
            if term.matches(incoming.pod, incoming.namespace_labels):
                yield raw.topology_key


def summaries(topology: Topology) -> tuple[tuple[Tally, ...], tuple[Best, ...]]:
    """The tally of the class's domains, and a best for each constraint over single nodes."""
    if not topology.coordinates:
        return (), ()
    tally = Tally(
        topology.tally_name,
        {SHOWN: of_shown(_measure(topology))},
        len(topology.coordinates),
        _reducer(topology),
    )
    bests = tuple(
        Best(topology.least_name(i), {SHOWN: of_shown(_emptiness(topology, i))})
        for i in topology.single
    )
    return (tally,), bests


def _measure(topology: Topology) -> Callable[[AnyNode], tuple[int, ...]]:
    place = {coordinate: i for i, coordinate in enumerate(topology.coordinates)}

    def measure(node: AnyNode) -> tuple[int, ...]:
        parts = [0] * len(place)
        for coordinate, amount in _added(topology, topology.world.node_info(node)):
            if coordinate in place:
                parts[place[coordinate]] += amount
        return tuple(parts)

    return measure


def _added(topology: Topology, info: NodeInfo) -> Iterator[tuple[tuple[str, ...], int]]:
    pod = topology.pod_class.pod
    for at, amount in spread.contribution(topology.constraints, pod, info).items():
        yield (at.what, str(at.constraint), at.value), amount
        if at.what == "nodes":
            yield ("nodes", str(at.constraint), ""), amount
    for pair, amount in affinity.contribution(topology.incoming, info.labels, info.pods).items():
        unique = pair.topology_key in topology.world.unique_keys
        yield (pair.what, pair.topology_key, "" if unique else pair.value), amount


def _reducer(topology: Topology) -> Callable[[tuple[int, ...]], Domains]:
    def reduce(total: tuple[int, ...]) -> Domains:
        sums = dict(zip(topology.coordinates, total, strict=True))
        constraints = range(len(topology.constraints))
        pairs = {c for c, n in sums.items() if n and c[0] not in ("nodes", "pods")}
        return Domains(
            tuple(tuple(_matching(sums, str(i))) for i in constraints),
            tuple(sums[("nodes", str(i), "")] for i in constraints),
            frozenset((what, key, value) for what, key, value in pairs if value),
            any(what == "affinity" for what, _, _ in pairs),
        )

    return reduce


def _matching(sums: dict[tuple[str, ...], int], constraint: str) -> Iterator[tuple[str, int]]:
    for (what, i, value), present in sums.items():
        if what == "nodes" and i == constraint and value and present:
            yield value, sums[("pods", constraint, value)]


def _emptiness(topology: Topology, constraint: int) -> Callable[[AnyNode], int | None]:
    """How few matching pods the node has, as a negative count; None if it does not count."""

    def score(node: AnyNode) -> int | None:
        info = topology.world.node_info(node)
        found = _pods_here(topology, constraint, info)
        return None if found is None else -found

    return score


def _pods_here(topology: Topology, constraint: int, info: NodeInfo) -> int | None:
    parts = spread.contribution(topology.constraints, topology.pod_class.pod, info)
    for at, amount in parts.items():
        if at.what == "pods" and at.constraint == constraint:
            return amount
    return None


def filter_status(
    topology: Topology, info: NodeInfo, domains: Domains, least: Iterable[int | None]
) -> Status:
    """PodTopologySpread, then InterPodAffinity, for the node, from the class's summaries."""
    state = _spread_state(topology, info, domains, dict(zip(topology.single, least, strict=True)))
    pod: Pod = topology.pod_class.pod
    status = spread.filter_spread(topology.constraints, pod, info.labels, state)
    if not status.ok:
        return status
    return affinity.filter_affinity(
        topology.incoming, info.labels, _affinity_state(topology, info, domains)
    )


def _spread_state(
    topology: Topology, info: NodeInfo, domains: Domains, least: dict[int, int | None]
) -> spread.State:
    matching: list[dict[str, int]] = []
    lowest: list[int] = []
    for i, constraint in enumerate(topology.constraints):
        if i in least:
            here = _pods_here(topology, i, info)
            value = info.labels.get(constraint.topology_key, "")
            matching.append({} if here is None else {value: here})
            enough = domains.nodes[i] >= constraint.min_domains
            lowest.append(-(least[i] or 0) if enough else 0)
        else:
            known = dict(domains.matching[i])
            matching.append(known)
            enough = len(known) >= constraint.min_domains
            lowest.append(min(known.values(), default=0) if enough else 0)
    return spread.State(tuple(matching), tuple(lowest))


def _affinity_state(topology: Topology, info: NodeInfo, domains: Domains) -> affinity.State:
    here = affinity.contribution(topology.incoming, info.labels, info.pods)
    own = {(str(c.what), c.topology_key, c.value) for c, n in here.items() if n}
    pairs = own | domains.pairs

    def of(what: str) -> set[tuple[str, str]]:
        return {(key, value) for kind, key, value in pairs if kind == what}

    meant = of("affinity") | ({ANYWHERE} if domains.anywhere else set())
    return affinity.State(
        frozenset(of("existingAntiAffinity")), frozenset(meant), frozenset(of("antiAffinity"))
    )
