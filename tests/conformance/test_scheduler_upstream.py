"""The scheduler's plugins against Kubernetes' own table tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from kubelemma.model.components.scheduler.decision import (
    image_locality,
    inter_pod_affinity,
    inter_pod_affinity_score,
    node_affinity,
    node_ports,
    node_resources,
    taints,
    topology_spread,
    topology_spread_score,
)
from kubelemma.model.components.scheduler.decision.contribution import total
from kubelemma.model.components.scheduler.decision.default_selector import default_selector
from kubelemma.model.components.scheduler.decision.node_affinity import NO_AFFINITY
from kubelemma.model.components.scheduler.decision.node_resources import (
    Ignored,
    ResourceWeight,
    ScoringStrategy,
    ShapePoint,
)
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo, node_infos
from kubelemma.model.components.scheduler.decision.status import SKIP, SUCCESS, Status
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import NodeAffinity, Pod, TopologySpreadConstraint
from kubelemma.model.objects.service import Service

Case = dict[str, Any]
Answer = Callable[[Case], Case]

INVALID = "API validation rejects this key or value, so no stored pod has it"
SWITCHED_OFF = "the case switches off MatchLabelKeysInPodTopologySpread, on by default"
SKIPPED_CASES = {
    "scheduler_pod_topology_spread_filter/TestPreFilterState/28": SWITCHED_OFF,
    "scheduler_pod_topology_spread_score/TestPodTopologySpreadScore/25": SWITCHED_OFF,
    "scheduler_node_affinity/TestNodeAffinityPriority/2": INVALID,
    "scheduler_interpod_affinity_filter/TestRequiredAffinitySingleNode/19": INVALID,
    "scheduler_interpod_affinity_filter/TestRequiredAffinitySingleNode/20": INVALID,
    "scheduler_interpod_affinity_score/TestPreferredAffinity*/17": INVALID,
    "scheduler_interpod_affinity_score/TestPreferredAffinity*/18": INVALID,
}
SKIPPED_TAGS = {
    "dra": "dynamic resource allocation is not modelled",
    "gate-off-only": "the feature gate cannot be switched off in v1.35",
}
COMPARISON_OPERATORS = "TaintTolerationComparisonOperators"


def _reason_to_skip(case: Case) -> str | None:
    if case["id"] in SKIPPED_CASES:
        return SKIPPED_CASES[case["id"]]
    if case["input"].get("featureGates", {}).get(COMPARISON_OPERATORS):
        return f"alpha feature gate {COMPARISON_OPERATORS}"
    reasons = (SKIPPED_TAGS[tag] for tag in case.get("tags", ()) if tag in SKIPPED_TAGS)
    return next(reasons, None)


def _status(status: Status) -> Case:
    shape: Case = {"code": status.code.value}
    return {**shape, "reasons": list(status.reasons)} if status.reasons else shape


def _plain(expect: Any) -> Any:
    """The expectation without empty lists of reasons, which a marshalled Skip has."""
    if isinstance(expect, dict):
        return {k: _plain(v) for k, v in expect.items() if (k, v) != ("reasons", [])}
    return expect


def _pod(given: Case) -> Pod:
    return decode(given["pod"], Pod)


def _pods(given: Case) -> list[Pod]:
    return [decode(raw, Pod) for raw in given.get("existingPods", ())]


def _nodes(given: Case) -> tuple[NodeInfo, ...]:
    return node_infos((decode(raw, Node) for raw in given.get("nodes") or ()), _pods(given))


def _node(given: Case) -> NodeInfo:
    """The one node of the case, with all existing pods on it."""
    return NodeInfo(decode(given.get("node", {}), Node), tuple(_pods(given)))


def _namespaces(given: Case) -> Mapping[str, Mapping[str, str]]:
    metadata = (decode(raw, Namespace).metadata for raw in given["namespaces"])
    return {m.name: m.label_map() for m in metadata}


# --- taints and tolerations ---


def _taint_filter(given: Case) -> Case:
    return {"filter": _status(taints.filter_taints(_pod(given), _node(given)))}


def _taint_score(given: Case) -> Case:
    raw = {info.name: taints.score_taints(_pod(given), info) for info in _nodes(given)}
    return {"normalizedScores": taints.normalize_taints(raw)}


# --- node affinity ---


def _added(given: Case) -> NodeAffinity:
    arguments = given.get("pluginArgs")
    return decode(arguments["addedAffinity"], NodeAffinity) if arguments else NO_AFFINITY


def _node_affinity_filter(given: Case) -> Case:
    result = node_affinity.pre_filter(_pod(given), _added(given))
    names = result.node_names
    return {
        "preFilter": _status(result.status),
        "preFilterNodeNames": None if names is None else sorted(names),
        "filter": _status(node_affinity.filter_affinity(_pod(given), _node(given), _added(given))),
    }


def _node_affinity_score(given: Case) -> Case:
    pod, added = _pod(given), _added(given)
    if given["runPreScore"] and node_affinity.pre_score(pod, added) == SKIP:
        return {"preScore": _status(SKIP)}
    raw = {info.name: node_affinity.score_affinity(pod, info, added) for info in _nodes(given)}
    return {"normalizedScores": node_affinity.normalize_affinity(raw)}


# --- host ports ---


def _ports(given: Case) -> Case:
    status = node_ports.pre_filter(_pod(given))
    if status == SKIP:
        return {"preFilter": _status(status), "fits": True}
    answer = node_ports.filter_ports(_pod(given), _node(given))
    return {"preFilter": _status(status), "filter": _status(answer), "fits": answer.ok}


# --- resources and images ---


def _fit(given: Case) -> Case:
    arguments = given.get("args") or {}
    ignored = Ignored(
        frozenset(arguments.get("IgnoredResources") or ()),
        frozenset(arguments.get("IgnoredResourceGroups") or ()),
    )
    request, info = node_resources.fit_request(_pod(given)), _node(given)
    return {
        "preFilter": _status(SUCCESS),
        "filter": _status(node_resources.filter_fit(request, info, ignored)),
        "insufficientResources": [
            {
                "ResourceName": lacking.name,
                "Reason": lacking.reason,
                "Requested": lacking.requested,
                "Used": lacking.used,
                "Capacity": lacking.capacity,
                "Unresolvable": lacking.unresolvable,
            }
            for lacking in node_resources.insufficient_resources(request, info, ignored)
        ],
    }


def _weights(raw: Iterable[Case]) -> tuple[ResourceWeight, ...]:
    """The scored resources; a case without any has an empty list marshalled away."""
    return tuple(ResourceWeight(resource["Name"], resource["Weight"]) for resource in raw)


def _fit_score(given: Case, strategy: Callable[[], ScoringStrategy]) -> Case:
    try:
        chosen = strategy()
    except ValueError:
        return {"argsError": True}
    pod = _pod(given)
    return {"scores": {i.name: node_resources.score_fit(pod, i, chosen) for i in _nodes(given)}}


def _least_allocated(given: Case) -> Case:
    return _fit_score(
        given, lambda: ScoringStrategy("LeastAllocated", _weights(given.get("resources", ())))
    )


def _most_allocated(given: Case) -> Case:
    return _fit_score(
        given, lambda: ScoringStrategy("MostAllocated", _weights(given.get("resources", ())))
    )


def _configured(given: Case) -> Case:
    raw = given["args"]["ScoringStrategy"]
    ratio = raw.get("RequestedToCapacityRatio") or {"Shape": ()}
    shape = tuple(ShapePoint(p["Utilization"], p["Score"]) for p in ratio["Shape"])
    return _fit_score(
        given, lambda: ScoringStrategy(raw["Type"], _weights(raw["Resources"]), shape)
    )


def _balanced(given: Case) -> Case:
    pod, resources = _pod(given), _weights(given.get("resources", ()))
    if given["runPreScore"] and node_resources.pre_score_balanced(pod, resources) == SKIP:
        return {"preScoreCode": "Skip"}
    nodes = _nodes(given)
    return {"scores": {i.name: node_resources.score_balanced(pod, i, resources) for i in nodes}}


def _images(given: Case) -> Case:
    pod, nodes = _pod(given), _nodes(given)
    holders = total(image_locality.contribution(info) for info in nodes)
    score = image_locality.score_images
    return {"scores": {info.name: score(pod, info, holders, len(nodes)) for info in nodes}}


# --- topology spread ---


def _selector(given: Case) -> LabelSelector | None:
    services = [decode(raw, Service) for raw in given.get("objs", ())]
    return default_selector(_pod(given), services, {})


def _spread_state(
    given: Case,
) -> tuple[topology_spread.Constraints, topology_spread.State]:
    raw = given.get("defaultConstraints", ())
    defaults = topology_spread.Defaults(
        tuple(decode(constraint, TopologySpreadConstraint) for constraint in raw),
        _selector(given),
    )
    pod = _pod(given)
    constraints = topology_spread.constraints_of(pod, "DoNotSchedule", defaults)
    parts = (topology_spread.contribution(constraints, pod, info) for info in _nodes(given))
    return constraints, topology_spread.state_of(constraints, total(parts))


def _spread_filter(given: Case) -> Case:
    constraints, state = _spread_state(given)
    pod = _pod(given)
    answers = {
        info.name: topology_spread.filter_spread(constraints, pod, info.labels, state)
        for info in _nodes(given)
    }
    return {"filterStatusByNode": {name: status.code.value for name, status in answers.items()}}


def _spread_pre_filter(given: Case) -> Case:
    constraints, state = _spread_state(given)
    if not constraints:
        return {"preFilter": _status(SKIP)}
    return {"preFilter": _status(SUCCESS), "countsByConstraint": list(state.matching)}


def _spread_score(given: Case) -> Case:
    pod, nodes = _pod(given), _nodes(given)
    failed = node_infos((decode(raw, Node) for raw in given["failedNodes"]), _pods(given))
    defaults = topology_spread.Defaults(
        topology_spread.SYSTEM_DEFAULT_CONSTRAINTS, _selector(given)
    )
    constraints = topology_spread.constraints_of(pod, "ScheduleAnyway", defaults)
    sums = total(
        topology_spread_score.contribution(constraints, pod, info, candidate=info in nodes)
        for info in nodes + failed
    )
    state = topology_spread_score.state_of(constraints, sums)
    score = topology_spread_score.score_spread
    raw = {info.name: score(constraints, pod, info, state) for info in nodes}
    return {"normalizedScores": topology_spread_score.normalize_spread(raw)}


# --- inter-pod affinity ---


def _inter_pod_filter(given: Case) -> Case:
    incoming = inter_pod_affinity.incoming(_pod(given), _namespaces(given))
    nodes = _nodes(given)
    sums = total(inter_pod_affinity.contribution(incoming, i.labels, i.pods) for i in nodes)
    if inter_pod_affinity.is_skipped(incoming, sums):
        return {"preFilter": _status(SKIP)}
    state = inter_pod_affinity.state_of(sums)
    answers = [
        _status(inter_pod_affinity.filter_affinity(incoming, info.labels, state)) for info in nodes
    ]
    by_node = {info.name: answer for info, answer in zip(nodes, answers, strict=True)}
    return {
        "preFilter": _status(SUCCESS),
        "filter": answers[0],
        "filterStatusByNode": by_node,
    }


def _inter_pod_score(given: Case) -> Case:
    preferences = inter_pod_affinity_score.preferences(
        _pod(given), _namespaces(given), given["hardPodAffinityWeight"]
    )
    nodes = _nodes(given)
    sums = total(
        inter_pod_affinity_score.contribution(preferences, info.labels, info.pods) for info in nodes
    )
    ignore = given.get("ignorePreferredTermsOfExistingPods", False)
    if inter_pod_affinity_score.is_skipped(preferences, sums, ignore_existing=ignore):
        return {"preScore": _status(SKIP)}
    raw = {info.name: inter_pod_affinity_score.score_affinity(info.labels, sums) for info in nodes}
    return {"normalizedScores": inter_pod_affinity_score.normalize_affinity(raw)}


TABLES: Mapping[str, Mapping[str, Answer]] = {
    "scheduler_taint_toleration": {
        "TestTaintTolerationFilter": _taint_filter,
        "TestTaintTolerationFilterWithFeatureGate": _taint_filter,
        "TestTaintTolerationScore": _taint_score,
    },
    "scheduler_node_affinity": {
        "TestNodeAffinity": _node_affinity_filter,
        "TestNodeAffinityPriority": _node_affinity_score,
    },
    "scheduler_node_ports": {"TestNodePorts": _ports, "TestFits": _ports},
    "scheduler_noderesources_fit_filter": {
        "TestEnoughRequests": _fit,
        "TestNotEnoughRequests": _fit,
        "TestStorageRequests": _fit,
        "TestRestartableInitContainers": _fit,
    },
    "scheduler_resource_image_score": {
        "TestLeastAllocatedScoringStrategy": _least_allocated,
        "TestMostAllocatedScoringStrategy": _most_allocated,
        "TestNodeResourcesBalancedAllocation": _balanced,
        "TestFitScore": _configured,
        "TestImageLocalityPriority": _images,
    },
    "scheduler_pod_topology_spread_filter": {
        "TestSingleConstraint": _spread_filter,
        "TestMultipleConstraints": _spread_filter,
        "TestPreFilterState": _spread_pre_filter,
    },
    "scheduler_pod_topology_spread_score": {"TestPodTopologySpreadScore": _spread_score},
    "scheduler_interpod_affinity_filter": {
        "TestRequiredAffinitySingleNode": _inter_pod_filter,
        "TestRequiredAffinityMultipleNodes": _inter_pod_filter,
    },
    "scheduler_interpod_affinity_score": {"TestPreferredAffinity*": _inter_pod_score},
}


@pytest.mark.parametrize("table", sorted(TABLES))
def test_table(table: str, upstream: Callable[[str], list[Case]], tally: Any) -> None:
    """Every case of the table gets the answer that the real plugin's test asserts."""
    for case in upstream(table):
        reason = _reason_to_skip(case)
        if reason is not None:
            tally.skipped(table, reason)
            continue
        answer, expect = TABLES[table][case["test"]](case["input"]), _plain(case["expect"])
        if {key: answer.get(key) for key in expect} == expect:
            tally.passed(table)
        else:
            tally.failed(table, case["id"], f"{answer} instead of {expect}")
    tally.verify(table)
