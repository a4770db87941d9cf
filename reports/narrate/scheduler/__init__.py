"""The scheduler: what it makes of every node for a pod, and how its steps are told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.cluster.machines import NODELESS
from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import HOLDING, NodeState
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.components.scheduler.decision import node_resources, profile, taints
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.rules import SCHEDULER, feasibility
from kubelemma.model.components.scheduler.scoring import Scoring, scoring_of
from kubelemma.model.components.scheduler.topology import Topology, topology_of
from kubelemma.model.findings import FieldPath
from kubelemma.model.manifests.problems import Position
from kubelemma.model.objects.pod import Pod
from kubelemma.model.scenario import Scenario
from kubelemma.reports.narrate.amounts import amount_text, requests
from kubelemma.reports.narrate.overcommitted import too_little
from kubelemma.reports.narrate.scene import Scene, Seen, Standstill, about_workload
from kubelemma.reports.narrate.teller import Reviews, Teller, Waits
from kubelemma.reports.narrate.written import Written
from kubelemma.reports.story import Fact, Idle, Judgement, NodeReview
from kubelemma.reports.style import few

from .hindrances import hinders

Reviewer: TypeAlias = Callable[[int, Seen, str], tuple[NodeReview, ...]]
"""Of a pod class, a state, and the node that was chosen (empty for none)."""

_PLUGINS: Mapping[str, str] = MappingProxyType(
    {
        "ReadWriteOncePod": profile.VOLUME_RESTRICTIONS,
        "max volume count": profile.NODE_VOLUME_LIMITS,
        "persistentvolumeclaim": profile.VOLUME_BINDING,
        "PersistentVolume": profile.VOLUME_BINDING,
        "persistent volumes to bind": profile.VOLUME_BINDING,
        "free storage": profile.VOLUME_BINDING,
        "non-existent pv": profile.VOLUME_BINDING,
        "volume zone": profile.VOLUME_ZONE,
        "were unschedulable": profile.NODE_UNSCHEDULABLE,
        "requested node name": profile.NODE_NAME,
        "untolerated taint": profile.TAINT_TOLERATION,
        "node affinity": profile.NODE_AFFINITY,
        "free ports": profile.NODE_PORTS,
        "Too many pods": profile.NODE_RESOURCES_FIT,
        "Insufficient": profile.NODE_RESOURCES_FIT,
        "topology spread": profile.POD_TOPOLOGY_SPREAD,
        "affinity rules": profile.INTER_POD_AFFINITY,
    }
)
"""By what its reasons say, the plugin that gives them: the first that fits."""

_OF_VOLUMES = (
    profile.VOLUME_RESTRICTIONS,
    profile.NODE_VOLUME_LIMITS,
    profile.VOLUME_BINDING,
    profile.VOLUME_ZONE,
)

_FIELDS: Mapping[str, tuple[FieldPath, ...]] = MappingProxyType(
    {
        profile.NODE_NAME: (("nodeName",),),
        profile.TAINT_TOLERATION: (("tolerations",),),
        profile.NODE_AFFINITY: (("affinity", "nodeAffinity"), ("nodeSelector",)),
        profile.POD_TOPOLOGY_SPREAD: (("topologySpreadConstraints",),),
        profile.INTER_POD_AFFINITY: (("affinity", "podAntiAffinity"), ("affinity", "podAffinity")),
        profile.NODE_PORTS: (("containers",),),
        **dict.fromkeys(_OF_VOLUMES, (("volumes",),)),
    }
)
"""The fields of a pod that each plugin goes by."""


class _Found(NamedTuple):
    """What there is to say of one node, apart from its name."""

    judgement: Judgement
    reasons: tuple[str, ...] = ()
    detail: str = ""
    score: int | None = None


def reviewer(scenario: Scenario, written: Written) -> Reviewer:
    """A function that reviews nodes, and works out what it needs of a pod class only once."""
    world = scenario.world

    @cache
    def topology(index: int) -> Topology:
        return topology_of(world, world.classes[index])

    @cache
    def scoring(index: int) -> Scoring:
        own = topology(index)
        return scoring_of(own, lambda node, *seen: feasibility(world, own, node, *seen).ok)

    def look(index: int, node: NodeState, summaries: Mapping[str, Any]) -> _Found:
        own = topology(index)
        seen = (summaries[name] for name in own.reads)
        status = feasibility(world, own, node, *seen)
        if not status.ok:
            detail = _detail(own.pod_class.pod, world.node_info(node), _plugin(status.reasons))
            return _Found("filtered", status.reasons, detail)
        scores = scoring(index)
        if scores.reads[-1] not in summaries:
            return _Found("feasible")
        *others, best = (summaries[name] for name in scores.reads)
        score = scores.total(node, *others)
        return _Found("feasible" if score == best else "outscored", score=score)

    def review(index: int, seen: Seen, chosen: str) -> tuple[NodeReview, ...]:
        summaries = scenario.system.summary(seen.state)
        workload = world.workloads[world.classes[index].workload]
        found: dict[_Found, list[str]] = defaultdict(list)
        for name, node in seen.nodes().items():
            if node.machine in NODELESS:
                continue
            one = look(index, node, summaries)
            found[one._replace(judgement="chosen") if name == chosen else one].append(name)
        return tuple(_review(written, workload, one, names) for one, names in found.items())

    return review


def _review(
    written: Written, workload: Workload, found: _Found, names: Iterable[str]
) -> NodeReview:
    plugin = _plugin(found.reasons)
    return NodeReview(
        nodes=tuple(sorted(names)),
        judgement=found.judgement,
        plugin=plugin,
        reasons=found.reasons,
        detail=found.detail,
        score=found.score,
        position=_field(written, workload, plugin) if plugin else None,
    )


def _plugin(reasons: tuple[str, ...]) -> str:
    found = (plugin for words, plugin in _PLUGINS.items() if any(words in r for r in reasons))
    return next(found, "")


def _detail(pod: Pod, info: NodeInfo, plugin: str) -> str:
    """What the node lacks of resources, or the taints that the pod does not tolerate."""
    if plugin == profile.NODE_RESOURCES_FIT:
        lacking = node_resources.insufficient_resources(node_resources.fit_request(pod), info)
        return "; ".join(map(_lacking, lacking))
    if plugin == profile.TAINT_TOLERATION:
        every = (t for t in info.node.spec.taints or () if t.effect != "PreferNoSchedule")
        return ", ".join(f"{t.key}:{t.effect}" for t in every if not taints.is_tolerated(pod, t))
    return ""


def _lacking(resource: node_resources.InsufficientResource) -> str:
    """Such as ``cpu: 600m asked for, 400m of 1 left``."""
    name = resource.name
    left = max(resource.capacity - resource.used, 0)
    asked, left_text, capacity = (
        amount_text(name, n) for n in (resource.requested, left, resource.capacity)
    )
    return f"{name}: {asked} asked for, {left_text} of {capacity} left"


def _field(written: Written, workload: Workload, plugin: str) -> Position | None:
    if plugin == profile.NODE_RESOURCES_FIT:
        return written.requests(workload)
    return written.template(workload, *_FIELDS[plugin]) if plugin in _FIELDS else None


def message(reviews: Iterable[NodeReview]) -> str:
    """What the scheduler writes into the condition of a pod for which no node is feasible."""
    every = tuple(reviews)
    reasons: Counter[str] = Counter()
    for review in every:
        for reason in review.reasons:
            reasons[reason] += len(review.nodes)
    total = sum(len(review.nodes) for review in every)
    parts = sorted(f"{number} {reason}" for reason, number in reasons.items())
    return f"0/{total} nodes are available: {', '.join(parts)}."


# How it is told

_GATED = "Scheduling is blocked due to non-empty scheduling gates"


def _reviews(scenario: Scenario, written: Written) -> Reviews:
    review = reviewer(scenario, written)

    def look(scene: Scene) -> tuple[NodeReview, ...]:
        if scene.action != _BIND or scene.pod_class is None or scene.node is None:
            return ()
        return review(scene.pod_class.index, scene.before, scene.node[0])

    return look


@about_workload
def _binding(scene: Scene, workload: Workload) -> Iterator[Fact]:
    if scene.pod_class is not None:
        position = scene.written.requests(workload)
        yield Fact("requests of the pod", requests(scene.pod_class.pod), position)


def _waits(end: Standstill, place: Place) -> Waits | None:
    """The scheduler's own words for a pod that has no node."""
    if place.node:
        return None
    if end.world.classes[place.pod_class].gated:
        return _GATED, ()
    reviews = reviewer(end.seen.scenario, end.written)(place.pod_class, end.seen, "")
    return message(reviews), reviews


def _idle(end: Standstill) -> Iterator[Idle]:
    queued = [(place, pods) for place, pods in sorted(end.last.names.items()) if not place.node]
    names = [pod for _, pods in queued for pod in pods]
    if names:
        gated = all(end.world.classes[place.pod_class].gated for place, _ in queued)
        why = "scheduling gates keep out" if gated else "no node passes every filter for"
        yield Idle(SCHEDULER, f"{why} {few(names)}", held_up=True)
    else:
        yield Idle(SCHEDULER, "no pod waits for a node")


_BIND = BIND

TELLER = Teller(
    name="scheduler",
    hinders=hinders,
    sentences={_BIND: "binds {pod} to {node}"},
    facts={_BIND: _binding},
    reviews=_reviews,
    idle=_idle,
    waits=_waits,
    claims={"SCH-2": too_little(HOLDING)},
)
