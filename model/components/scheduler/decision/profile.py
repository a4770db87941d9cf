"""The default profile: one pod, one snapshot, all plugins.

A scheduling attempt is ``pre_filter`` -> ``filter_with_nominated`` on every node -> ``prioritize``
over the feasible ones; ``decide`` does it all. The ``Cycle`` between them holds what PreFilter
worked out. It changes by ``with_pod`` and ``without_pod`` only, as preemption and nominated pods
need it.

Source: pkg/scheduler/schedule_one.go, pkg/scheduler/framework/runtime/framework.go and
pkg/scheduler/apis/config/v1/default_plugins.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service

from . import (
    image_locality,
    inter_pod_affinity,
    inter_pod_affinity_score,
    node_affinity,
    node_name,
    node_ports,
    node_resources,
    taints,
    topology_spread,
    topology_spread_score,
)
from .contribution import negated, total
from .default_selector import Workload, default_selector
from .nodeinfo import NodeInfo
from .resources import Resources
from .status import SKIP, SUCCESS, Status, unresolvable

NODE_UNSCHEDULABLE = "NodeUnschedulable"
NODE_NAME = "NodeName"
TAINT_TOLERATION = "TaintToleration"
NODE_AFFINITY = "NodeAffinity"
NODE_PORTS = "NodePorts"
NODE_RESOURCES_FIT = "NodeResourcesFit"
VOLUME_RESTRICTIONS = "VolumeRestrictions"
NODE_VOLUME_LIMITS = "NodeVolumeLimits"
VOLUME_BINDING = "VolumeBinding"
VOLUME_ZONE = "VolumeZone"
POD_TOPOLOGY_SPREAD = "PodTopologySpread"
INTER_POD_AFFINITY = "InterPodAffinity"
BALANCED_ALLOCATION = "NodeResourcesBalancedAllocation"
IMAGE_LOCALITY = "ImageLocality"

WEIGHTS = {
    TAINT_TOLERATION: 3,
    NODE_AFFINITY: 2,
    POD_TOPOLOGY_SPREAD: 2,
    INTER_POD_AFFINITY: 2,
    NODE_RESOURCES_FIT: 1,
    BALANCED_ALLOCATION: 1,
    IMAGE_LOCALITY: 1,
}
"""The score plugins and the weight of each in the total."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the scheduler sees when a cycle begins.

    ``namespaces`` gives the labels by name. ``services`` and ``workloads`` (selectors) matter for
    the default spread constraints only. ``nominated`` are the pending pods that were promised a
    node (``status.nominatedNodeName``). ``unreachable`` says why nodes, by name, cannot be reached
    from the volumes of the pod in question.
    """

    nodes: tuple[NodeInfo, ...]
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    workloads: Mapping[Workload, LabelSelector] = field(default_factory=dict)
    nominated: tuple[Pod, ...] = ()
    unreachable: Mapping[str, Status] = field(default_factory=dict)


class Verdict(NamedTuple):
    """The answer for one node, and the plugin that rejected it ("" where none in particular)."""

    status: Status
    plugin: str = ""


FITS = Verdict(SUCCESS)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What PreFilter worked out for one pod.

    ``named`` is what NodeAffinity said, ``skipped`` are the plugins whose filters do not run. The
    two sums span all nodes; see the laws in ``topology_spread`` and ``inter_pod_affinity``.
    """

    pod: Pod
    named: node_affinity.PreFilterResult
    skipped: frozenset[str]
    request: Resources
    constraints: topology_spread.Constraints
    incoming: inter_pod_affinity.Incoming
    spread_sums: Mapping[topology_spread.Coordinate, int]
    affinity_sums: Mapping[inter_pod_affinity.Coordinate, int]
    spread: topology_spread.State = field(init=False, compare=False)
    affinity: inter_pod_affinity.State = field(init=False, compare=False)

    def __post_init__(self) -> None:
        spread = topology_spread.state_of(self.constraints, self.spread_sums)
        object.__setattr__(self, "spread", spread)
        object.__setattr__(self, "affinity", inter_pod_affinity.state_of(self.affinity_sums))

    def with_pod(self, info: NodeInfo, other: Pod) -> Cycle:
        """The cycle as if ``other`` were on the node too (AddPod of the plugins)."""
        spread, affinity = self._difference(info, other)
        return self._changed(spread, affinity)

    def without_pod(self, info: NodeInfo, other: Pod) -> Cycle:
        """The cycle as if ``other`` were not on the node (RemovePod of the plugins)."""
        spread, affinity = self._difference(info, other)
        return self._changed(negated(spread), negated(affinity))

    def _difference(
        self, info: NodeInfo, other: Pod
    ) -> tuple[topology_spread.Contribution, inter_pod_affinity.Contribution]:
        return (
            topology_spread.pod_contribution(self.constraints, self.pod, info.node, other),
            inter_pod_affinity.contribution(self.incoming, info.labels, (other,)),
        )

    def _changed(
        self,
        spread: topology_spread.Contribution,
        affinity: inter_pod_affinity.Contribution,
    ) -> Cycle:
        return replace(
            self,
            spread_sums=total((self.spread_sums, spread)),
            affinity_sums=total((self.affinity_sums, affinity)),
        )


def pre_filter(pod: Pod, snapshot: Snapshot) -> Cycle:
    """Begin the cycle of a pod: sum up all nodes, and see which plugins it concerns."""
    named = node_affinity.pre_filter(pod)
    constraints = topology_spread.constraints_of(pod, "DoNotSchedule")
    incoming = inter_pod_affinity.incoming(pod, snapshot.namespaces)
    affinity_sums = total(
        inter_pod_affinity.contribution(incoming, info.labels, info.pods) for info in snapshot.nodes
    )
    skips = {
        NODE_AFFINITY: named.status == SKIP,
        NODE_PORTS: node_ports.pre_filter(pod) == SKIP,
        POD_TOPOLOGY_SPREAD: not constraints,
        INTER_POD_AFFINITY: inter_pod_affinity.is_skipped(incoming, affinity_sums),
    }
    return Cycle(
        pod=pod,
        named=named,
        skipped=frozenset(plugin for plugin, skip in skips.items() if skip),
        request=node_resources.fit_request(pod),
        constraints=constraints,
        incoming=incoming,
        spread_sums=total(
            topology_spread.contribution(constraints, pod, info) for info in snapshot.nodes
        ),
        affinity_sums=affinity_sums,
    )


_FILTERS: Mapping[str, Callable[[Cycle, NodeInfo], Status]] = {
    NODE_UNSCHEDULABLE: lambda cycle, info: taints.filter_unschedulable(cycle.pod, info),
    NODE_NAME: lambda cycle, info: node_name.filter_node_name(cycle.pod, info),
    TAINT_TOLERATION: lambda cycle, info: taints.filter_taints(cycle.pod, info),
    NODE_AFFINITY: lambda cycle, info: node_affinity.filter_affinity(cycle.pod, info),
    NODE_PORTS: lambda cycle, info: node_ports.filter_ports(cycle.pod, info),
    NODE_RESOURCES_FIT: lambda cycle, info: node_resources.filter_fit(cycle.request, info),
    POD_TOPOLOGY_SPREAD: lambda cycle, info: topology_spread.filter_spread(
        cycle.constraints, cycle.pod, info.labels, cycle.spread
    ),
    INTER_POD_AFFINITY: lambda cycle, info: inter_pod_affinity.filter_affinity(
        cycle.incoming, info.labels, cycle.affinity
    ),
}

FILTERS = tuple(_FILTERS)
"""The filter plugins in the order in which they run; the first rejection counts."""


def filter_plugin(plugin: str, cycle: Cycle, info: NodeInfo) -> Status:
    """What one plugin's filter, by its name in ``FILTERS``, says of a node."""
    return SUCCESS if plugin in cycle.skipped else _FILTERS[plugin](cycle, info)


def filter_node(cycle: Cycle, info: NodeInfo) -> Verdict:
    """Whether the node may take the pod, as it is in this cycle."""
    if cycle.named.status.rejects:
        return Verdict(cycle.named.status, NODE_AFFINITY)
    if cycle.named.node_names is not None and info.name not in cycle.named.node_names:
        return Verdict(unresolvable(f"node(s) didn't satisfy plugin(s) [{NODE_AFFINITY}]"))
    for plugin in FILTERS:
        status = filter_plugin(plugin, cycle, info)
        if not status.ok:
            return Verdict(status, plugin)
    return FITS


def _promised(cycle: Cycle, info: NodeInfo, nominated: tuple[Pod, ...]) -> tuple[Pod, ...]:
    """The other pods nominated to the node that are no less important."""
    priority, uid = cycle.pod.spec.priority or 0, cycle.pod.metadata.uid
    return tuple(
        other
        for other in nominated
        if other.status.nominated_node_name == info.name
        and (other.spec.priority or 0) >= priority
        and other.metadata.uid != uid
    )


def filter_with_nominated(cycle: Cycle, info: NodeInfo, nominated: tuple[Pod, ...]) -> Verdict:
    """Whether the node may take the pod both with the pods promised to it and without them.

    Either may be the harder case: promised pods take room, and satisfy affinity.
    """
    promised = _promised(cycle, info, nominated)
    if promised:
        crowded = cycle
        for other in promised:
            crowded = crowded.with_pod(info, other)
        verdict = filter_node(crowded, info.with_pods(*promised))
        if not verdict.status.ok:
            return verdict
    return filter_node(cycle, info)


class Scores(NamedTuple):
    """Scores by plugin and node, 0..100 (plugins that skipped are absent), and weighted totals."""

    plugins: Mapping[str, Mapping[str, int]]
    totals: Mapping[str, int]

    @property
    def best(self) -> tuple[str, ...]:
        """The nodes with the highest total; the scheduler takes any of them."""
        highest = max(self.totals.values(), default=0)
        return tuple(node for node, score in self.totals.items() if score == highest)


Feasible = tuple[NodeInfo, ...]
ByNode = dict[str, int]


def _score_taints(pod: Pod, feasible: Feasible) -> ByNode:
    return taints.normalize_taints({i.name: taints.score_taints(pod, i) for i in feasible})


def _score_node_affinity(pod: Pod, feasible: Feasible) -> ByNode | None:
    if node_affinity.pre_score(pod) == SKIP:
        return None
    raw = {info.name: node_affinity.score_affinity(pod, info) for info in feasible}
    return node_affinity.normalize_affinity(raw)


def _score_spread(pod: Pod, snapshot: Snapshot, feasible: Feasible) -> ByNode | None:
    selector = default_selector(pod, snapshot.services, snapshot.workloads)
    defaults = topology_spread.Defaults(topology_spread.SYSTEM_DEFAULT_CONSTRAINTS, selector)
    constraints = topology_spread.constraints_of(pod, "ScheduleAnyway", defaults)
    if not constraints:
        return None
    names = {info.name for info in feasible}
    sums = total(
        topology_spread_score.contribution(constraints, pod, info, candidate=info.name in names)
        for info in snapshot.nodes
    )
    state = topology_spread_score.state_of(constraints, sums)
    return topology_spread_score.normalize_spread(
        {
            info.name: topology_spread_score.score_spread(constraints, pod, info, state)
            for info in feasible
        }
    )


def _score_inter_pod(pod: Pod, snapshot: Snapshot, feasible: Feasible) -> ByNode | None:
    preferences = inter_pod_affinity_score.preferences(pod, snapshot.namespaces)
    sums = total(
        inter_pod_affinity_score.contribution(preferences, info.labels, info.pods)
        for info in snapshot.nodes
    )
    if inter_pod_affinity_score.is_skipped(preferences, sums):
        return None
    return inter_pod_affinity_score.normalize_affinity(
        {info.name: inter_pod_affinity_score.score_affinity(info.labels, sums) for info in feasible}
    )


def _score_fit(pod: Pod, feasible: Feasible) -> ByNode:
    return {info.name: node_resources.score_fit(pod, info) for info in feasible}


def _score_balanced(pod: Pod, feasible: Feasible) -> ByNode | None:
    if node_resources.pre_score_balanced(pod) == SKIP:
        return None
    return {info.name: node_resources.score_balanced(pod, info) for info in feasible}


def _score_images(pod: Pod, snapshot: Snapshot, feasible: Feasible) -> ByNode:
    holders = total(image_locality.contribution(info) for info in snapshot.nodes)
    count = len(snapshot.nodes)
    return {i.name: image_locality.score_images(pod, i, holders, count) for i in feasible}


def prioritize(pod: Pod, snapshot: Snapshot, feasible: Feasible) -> Scores:
    """Score the feasible nodes with every plugin that does not skip the pod."""
    answers = {
        TAINT_TOLERATION: _score_taints(pod, feasible),
        NODE_AFFINITY: _score_node_affinity(pod, feasible),
        POD_TOPOLOGY_SPREAD: _score_spread(pod, snapshot, feasible),
        INTER_POD_AFFINITY: _score_inter_pod(pod, snapshot, feasible),
        NODE_RESOURCES_FIT: _score_fit(pod, feasible),
        BALANCED_ALLOCATION: _score_balanced(pod, feasible),
        IMAGE_LOCALITY: _score_images(pod, snapshot, feasible),
    }
    plugins = {plugin: scores for plugin, scores in answers.items() if scores is not None}
    totals = total(
        {info.name: WEIGHTS[plugin] * scores[info.name] for info in feasible}
        for plugin, scores in plugins.items()
    )
    return Scores(plugins, {info.name: totals.get(info.name, 0) for info in feasible})


class Decision(NamedTuple):
    """The answer of one scheduling cycle.

    ``verdicts`` are in the order of the snapshot's nodes, ``feasible`` the names that passed.
    """

    verdicts: Mapping[str, Verdict]
    feasible: tuple[str, ...]
    scores: Scores
    nominated_first: str | None

    @property
    def choices(self) -> tuple[str, ...]:
        """The nodes that may be chosen: the promised one if it fits, else any of the best."""
        return (self.nominated_first,) if self.nominated_first else self.scores.best


def decide(pod: Pod, snapshot: Snapshot) -> Decision:
    """Where the pod may go, with all nodes looked at (as the scheduler does below 100 nodes)."""
    cycle = pre_filter(pod, snapshot)
    verdicts = {
        info.name: Verdict(snapshot.unreachable[info.name], VOLUME_BINDING)
        if info.name in snapshot.unreachable
        else filter_with_nominated(cycle, info, snapshot.nominated)
        for info in snapshot.nodes
    }
    feasible = tuple(info for info in snapshot.nodes if verdicts[info.name].status.ok)
    names = tuple(info.name for info in feasible)
    promised = pod.status.nominated_node_name
    first = promised if promised in names else None
    return Decision(verdicts, names, prioritize(pod, snapshot, feasible), first)
