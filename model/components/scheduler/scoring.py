"""The scheduler's scores on abstract states: which nodes score best for a pod class.

A score plugin gives a raw score for a node and scales it by the highest and the lowest raw score
among the feasible nodes. Both are bests; one more best finds the highest total.
Source: pkg/scheduler/schedule_one.go (prioritizeNodes, selectHost).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubelemma.model.cluster.columns import SHOWN, of_shown
from kubelemma.model.cluster.state import AnyNode
from kubelemma.model.objects.pod import Pod
from kubelemma.model.system import Best, Tally

from .decision import (
    image_locality,
    inter_pod_affinity_score,
    node_affinity,
    node_resources,
    profile,
    taints,
    topology_spread,
    topology_spread_score,
)
from .decision.contribution import total
from .decision.nodeinfo import NodeInfo
from .decision.status import SKIP
from .topology import Topology

Feasible = Callable[..., bool]
"""Of a node and the summaries named by the topology: whether the pod may go there."""

Sums = Mapping[Any, int]
HIGH, LOW, HERE = "high", "low", "here"


@dataclass(frozen=True, slots=True)
class Scoring:
    """The scores of one pod class; build it with `scoring_of`."""

    topology: Topology
    feasible: Feasible
    spread: topology_spread.Constraints
    preferences: inter_pod_affinity_score.Preferences
    spread_coordinates: tuple[topology_spread_score.Coordinate, ...]
    affinity_coordinates: tuple[inter_pod_affinity_score.Coordinate, ...]

    @property
    def pod(self) -> Pod:
        """The pod that is scored."""
        return self.topology.pod_class.pod

    def name(self, what: str) -> str:
        """The name of one of its summaries."""
        return f"{what} for class {self.topology.pod_class.index}"

    @property
    def base(self) -> tuple[str, ...]:
        """What every raw score reads: the topology's summaries, then both sums."""
        return (*self.topology.reads, self.name("soft spread"), self.name("soft affinity"))

    @property
    def reads(self) -> tuple[str, ...]:
        """What `is_best` reads after the node."""
        limits = (self.name(f"{end} {plugin}") for plugin in _RAW for end in (HIGH, LOW))
        return (*self.base, *limits, self.name("best total"))

    def is_best(self, node: AnyNode, *seen: Any) -> bool:
        """Whether no feasible node has a higher total."""
        *others, best = seen
        return bool(self.total(node, *others) == best)

    def total(self, node: AnyNode, *seen: Any) -> int | None:
        """The weighted total of all plugins, or None for a node that is not feasible."""
        size = len(self.base)
        base, limits = seen[:size], seen[size:]
        if not self._is_feasible(node, base):
            return None
        info = self.topology.world.node_info(node)
        score = self._unscaled(info)
        for i, plugin in enumerate(_RAW):
            high, low = limits[2 * i], limits[2 * i + 1]
            raw = self._raw(plugin, info, base)
            ends = {HIGH: high, LOW: None if low is None else -low, HERE: raw}
            score += profile.WEIGHTS[plugin] * _SCALE[plugin](ends)[HERE]
        return score

    def raw(self, plugin: str, node: AnyNode, *base: Any) -> int | None:
        """The raw score of a feasible node; None for others and where the plugin has none."""
        if not self._is_feasible(node, base):
            return None
        return self._raw(plugin, self.topology.world.node_info(node), base)

    def _is_feasible(self, node: AnyNode, base: tuple[Any, ...]) -> bool:
        return self.feasible(node, *base[: len(self.topology.reads)])

    def _raw(self, plugin: str, info: NodeInfo, base: tuple[Any, ...]) -> int | None:
        spread, affinity = base[len(self.topology.reads) :]
        if plugin == profile.TAINT_TOLERATION:
            return taints.score_taints(self.pod, info)
        if plugin == profile.NODE_AFFINITY:
            return node_affinity.score_affinity(self.pod, info)
        if plugin == profile.POD_TOPOLOGY_SPREAD:
            return self._spread(info, dict(zip(self.spread_coordinates, spread, strict=True)))
        return self._affinity(info, dict(zip(self.affinity_coordinates, affinity, strict=True)))

    def _spread(self, info: NodeInfo, sums: Sums) -> int | None:
        if not self.spread:
            return 0
        known = {coordinate: n for coordinate, n in sums.items() if n or coordinate.what == "pods"}
        state = topology_spread_score.state_of(self.spread, known)
        return topology_spread_score.score_spread(self.spread, self.pod, info, state)

    def _affinity(self, info: NodeInfo, sums: Sums) -> int:
        """Pairs of shared keys come from the sum, those of the node's own host name from it."""
        here = inter_pod_affinity_score.contribution(self.preferences, info.labels, info.pods)
        unique = self.topology.world.unique_keys
        own = {at: worth for at, worth in here.items() if at.topology_key in unique}
        return inter_pod_affinity_score.score_affinity(info.labels, {**sums, **own})

    def _unscaled(self, info: NodeInfo) -> int:
        """The plugins whose score needs no scaling; the images never change."""
        world = self.topology.world
        score = profile.WEIGHTS[profile.NODE_RESOURCES_FIT] * node_resources.score_fit(
            self.pod, info
        )
        if node_resources.pre_score_balanced(self.pod) != SKIP:
            score += profile.WEIGHTS[profile.BALANCED_ALLOCATION] * node_resources.score_balanced(
                self.pod, info
            )
        images = image_locality.score_images(
            self.pod, info, world.image_holders(), sum(world.sizes)
        )
        return score + profile.WEIGHTS[profile.IMAGE_LOCALITY] * images

    # Summaries

    def measure_spread(self, node: AnyNode, *seen: Any) -> tuple[int, ...]:
        """What a node adds to the PreScore state of PodTopologySpread."""
        info = self.topology.world.node_info(node)
        parts = topology_spread_score.contribution(
            self.spread, self.pod, info, candidate=self.feasible(node, *seen)
        )
        return tuple(parts.get(coordinate, 0) for coordinate in self.spread_coordinates)

    def measure_affinity(self, node: AnyNode) -> tuple[int, ...]:
        """What a node adds to the PreScore state of InterPodAffinity, in shared domains."""
        info = self.topology.world.node_info(node)
        parts = inter_pod_affinity_score.contribution(self.preferences, info.labels, info.pods)
        return tuple(parts.get(coordinate, 0) for coordinate in self.affinity_coordinates)


_RAW = (
    profile.TAINT_TOLERATION,
    profile.NODE_AFFINITY,
    profile.POD_TOPOLOGY_SPREAD,
    profile.INTER_POD_AFFINITY,
)
"""The plugins whose raw scores are scaled among the feasible nodes."""

_SCALE: dict[str, Callable[[Any], dict[str, int]]] = {
    profile.TAINT_TOLERATION: taints.normalize_taints,
    profile.NODE_AFFINITY: node_affinity.normalize_affinity,
    profile.POD_TOPOLOGY_SPREAD: topology_spread_score.normalize_spread,
    profile.INTER_POD_AFFINITY: inter_pod_affinity_score.normalize_affinity,
}


def scoring_of(topology: Topology, feasible: Feasible) -> Scoring:
    """The scores of the topology's class; ``feasible`` tells which nodes take part."""
    world, pod = topology.world, topology.pod_class.pod
    defaults = topology_spread.Defaults(
        topology_spread.SYSTEM_DEFAULT_CONSTRAINTS, topology.pod_class.selector
    )
    constraints = topology_spread.constraints_of(pod, "ScheduleAnyway", defaults)
    preferences = inter_pod_affinity_score.preferences(pod, world.namespace_labels())
    spread = total(
        topology_spread_score.contribution(constraints, pod, info, candidate=True)
        for info in world.blank_nodes()
    )
    spread = {topology_spread_score.CANDIDATES: 1, **spread}
    shared = {
        inter_pod_affinity_score.Coordinate(key, value)
        for key in world.affinity_keys() - world.unique_keys
        for value in world.values_of(key)
    }
    for index, constraint in enumerate(constraints):
        if constraint.topology_key != topology_spread.HOSTNAME:
            for value in (*world.values_of(constraint.topology_key), ""):
                spread[topology_spread_score.Coordinate("pods", index, value)] = 0
    return Scoring(
        topology, feasible, constraints, preferences, tuple(spread), tuple(sorted(shared))
    )


def summaries(scoring: Scoring) -> tuple[tuple[Tally, ...], tuple[Best, ...]]:
    """The tallies and bests that ``scoring.reads`` names."""
    tallies = (
        Tally(
            scoring.name("soft spread"),
            {SHOWN: of_shown(scoring.measure_spread)},
            len(scoring.spread_coordinates),
            reads=scoring.topology.reads,
        ),
        Tally(
            scoring.name("soft affinity"),
            {SHOWN: of_shown(scoring.measure_affinity)},
            len(scoring.affinity_coordinates),
        ),
    )
    limits = tuple(
        Best(
            scoring.name(f"{end} {plugin}"),
            {SHOWN: of_shown(_limit(scoring, plugin, end))},
            scoring.base,
        )
        for plugin in _RAW
        for end in (HIGH, LOW)
    )
    reads = (*scoring.base, *(limit.name for limit in limits))
    return tallies, (
        *limits,
        Best(scoring.name("best total"), {SHOWN: of_shown(scoring.total)}, reads),
    )


def _limit(scoring: Scoring, plugin: str, end: str) -> Callable[..., int | None]:
    def score(node: AnyNode, *base: Any) -> int | None:
        raw = scoring.raw(plugin, node, *base)
        return -raw if raw is not None and end == LOW else raw

    return score
