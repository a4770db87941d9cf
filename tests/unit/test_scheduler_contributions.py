"""The law of the states that span all nodes: each is a function of a sum over nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.scheduler.decision import (
    inter_pod_affinity,
    inter_pod_affinity_score,
    topology_spread,
    topology_spread_score,
)
from kubelemma.model.components.scheduler.decision.contribution import negated, total
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import Snapshot, decide, pre_filter
from kubelemma.model.objects.meta import LabelSelector, LabelSelectorRequirement, ObjectMeta
from kubelemma.model.objects.node import Node, NodeSpec, NodeStatus, Taint
from kubelemma.model.objects.pod import (
    Affinity,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    PodSpec,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from kubelemma.model.objects.quantity import Quantity

NAMESPACES: Mapping[str, Mapping[str, str]] = {"a": {"team": "x"}, "b": {}}
KEYS = ("zone", "kubernetes.io/hostname", "rack")

labels = st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from("uv"), max_size=2)
expressions = st.builds(
    LabelSelectorRequirement,
    key=st.sampled_from(("app", "tier", "team")),
    operator=st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")),
    values=st.just(("u", "x")),
)
selectors = st.builds(
    LabelSelector,
    match_labels=labels,
    match_expressions=st.lists(expressions, max_size=1).map(tuple),
)
terms = st.builds(
    PodAffinityTerm,
    topology_key=st.sampled_from(KEYS),
    label_selector=st.none() | selectors | st.just(LabelSelector()),
    namespaces=st.sampled_from((None, ("b",), ("a", "b"))),
    namespace_selector=st.none() | selectors | st.just(LabelSelector()),
)
weighted = st.builds(WeightedPodAffinityTerm, weight=st.integers(1, 100), pod_affinity_term=terms)
pod_affinities = st.builds(
    PodAffinity,
    required=st.lists(terms, max_size=2).map(tuple),
    preferred=st.lists(weighted, max_size=2).map(tuple),
)
affinities = st.builds(
    Affinity, pod_affinity=st.none() | pod_affinities, pod_anti_affinity=st.none() | pod_affinities
)
constraints = st.builds(
    TopologySpreadConstraint,
    max_skew=st.integers(1, 3),
    topology_key=st.sampled_from(KEYS),
    when_unsatisfiable=st.sampled_from(("DoNotSchedule", "ScheduleAnyway")),
    label_selector=st.none() | selectors,
    min_domains=st.none() | st.integers(1, 4),
    node_taints_policy=st.sampled_from((None, "Honor", "Ignore")),
    node_affinity_policy=st.sampled_from((None, "Honor", "Ignore")),
)


@st.composite
def pods(draw: st.DrawFn) -> Pod:
    """A pod with affinities and constraints, perhaps terminating."""
    return Pod(
        metadata=ObjectMeta(
            namespace=draw(st.sampled_from("ab")),
            labels=draw(labels),
            deletion_timestamp=draw(st.sampled_from((None, "2026-01-01T00:00:00Z"))),
        ),
        spec=PodSpec(
            affinity=draw(st.none() | affinities),
            node_selector=draw(st.sampled_from((None, {"zone": "z0"}))),
            topology_spread_constraints=draw(st.lists(constraints, max_size=3).map(tuple)),
        ),
    )


@st.composite
def infos(draw: st.DrawFn) -> tuple[NodeInfo, ...]:
    """A few nodes, some without a zone, some tainted, with pods on them."""
    nodes = []
    for index in range(draw(st.integers(1, 5))):
        zone = draw(st.sampled_from(({}, {"zone": "z0"}, {"zone": "z1"}, {"zone": "z2"})))
        taint = Taint(key="dedicated", effect="NoSchedule")
        node = Node(
            metadata=ObjectMeta(
                name=f"n{index}", labels={"kubernetes.io/hostname": f"n{index}", **zone}
            ),
            spec=NodeSpec(taints=draw(st.sampled_from((None, (taint,))))),
            status=NodeStatus(allocatable={"pods": Quantity(3)}),
        )
        nodes.append(NodeInfo(node, tuple(draw(st.lists(pods(), max_size=3)))))
    return tuple(nodes)


shuffled = infos().flatmap(lambda nodes: st.tuples(st.just(nodes), st.permutations(nodes)))
vectors = st.lists(st.dictionaries(st.sampled_from("xyz"), st.integers(-3, 3)), max_size=6)


@given(vectors, st.integers(0, 6))
def test_total_is_a_sum(parts: list[dict[str, int]], cut: int) -> None:
    """Order and grouping of the parts do not matter, and a part can be taken away again."""
    whole = total(parts)
    assert whole == total(reversed(parts))
    assert whole == total((total(parts[:cut]), total(parts[cut:])))
    assert total((*parts, *(negated(part) for part in parts[:cut]))) == total(parts[cut:])


def _counted(
    parsed: topology_spread.Constraints, pod: Pod, nodes: tuple[NodeInfo, ...]
) -> list[Counter[str]]:
    """The matching pods by domain, counted from the definition, constraint after constraint."""
    eligible = [i for i in nodes if all(c.topology_key in i.labels for c in parsed)]
    counts = []
    for constraint in parsed:
        domains: Counter[str] = Counter()
        for info in eligible:
            if topology_spread.is_included(constraint, pod, info.node):
                matching = topology_spread.matching_pods(constraint, pod, info.pods)
                domains[info.labels[constraint.topology_key]] += matching
        counts.append(domains)
    return counts


@given(pods(), shuffled)
def test_spread_state_is_a_sum_over_nodes(pod: Pod, both: tuple[Any, Any]) -> None:
    """The PreFilter state of a snapshot is the sum of contributions, in any order."""
    nodes, again = both
    parsed = topology_spread.constraints_of(pod, "DoNotSchedule")
    parts = [topology_spread.contribution(parsed, pod, info) for info in again]
    state = topology_spread.state_of(parsed, total(parts))
    counted = _counted(parsed, pod, nodes)
    assert state == pre_filter(pod, Snapshot(nodes, NAMESPACES)).spread
    assert list(state.matching) == counted
    for constraint, domains, least in zip(parsed, counted, state.least, strict=True):
        enough = len(domains) >= constraint.min_domains
        assert least == (min(domains.values(), default=0) if enough else 0)


@given(pods(), infos(), pods(), st.integers(0, 4))
def test_spread_changes_by_the_pod(
    pod: Pod, nodes: tuple[NodeInfo, ...], other: Pod, index: int
) -> None:
    """Trying a pod on a node is like having it there, if a node's count would count it at all."""
    parsed = topology_spread.constraints_of(pod, "DoNotSchedule")
    info = nodes[index % len(nodes)]
    difference = topology_spread.pod_contribution(parsed, pod, info.node, other)
    before = topology_spread.contribution(parsed, pod, info)
    after = topology_spread.contribution(parsed, pod, info.with_pods(other))
    empty = any(c.selector is not None and c.selector.is_empty() for c in parsed)
    if other.metadata.deletion_timestamp is None and not empty:
        assert total((before, difference)) == total((after,))
    cycle = pre_filter(pod, Snapshot(nodes, NAMESPACES))
    assert cycle.with_pod(info, other).without_pod(info, other) == cycle


@given(pods(), shuffled, st.sets(st.integers(0, 4)))
def test_spread_score_state_is_a_sum_over_nodes(
    pod: Pod, both: tuple[Any, Any], candidates: set[int]
) -> None:
    """The PreScore state has exactly the domains of candidates, with all eligible pods in them."""
    nodes, again = both
    chosen = {info.name for index, info in enumerate(nodes) if index in candidates}
    parsed = topology_spread.constraints_of(pod, "ScheduleAnyway")
    parts = [
        topology_spread_score.contribution(parsed, pod, info, candidate=info.name in chosen)
        for info in again
    ]
    state = topology_spread_score.state_of(parsed, total(parts))
    for index, (constraint, counted) in enumerate(
        zip(parsed, _counted(parsed, pod, nodes), strict=True)
    ):
        if constraint.topology_key != topology_spread.HOSTNAME:
            domains = {
                info.labels[constraint.topology_key]
                for info in nodes
                if info.name in chosen and topology_spread.has_all_keys(parsed, info.labels)
            }
            assert state.matching[index] == {value: counted[value] for value in domains}


@given(pods(), shuffled)
def test_affinity_sums_over_pods(pod: Pod, both: tuple[Any, Any]) -> None:
    """The sums of filter and score over nodes are sums over single pods, in any order."""
    nodes, again = both
    incoming = inter_pod_affinity.incoming(pod, NAMESPACES)
    preferences = inter_pod_affinity_score.preferences(pod, NAMESPACES)
    assert total(
        inter_pod_affinity.contribution(incoming, i.labels, i.pods) for i in nodes
    ) == total(
        inter_pod_affinity.contribution(incoming, i.labels, (p,)) for i in again for p in i.pods
    )
    assert total(
        inter_pod_affinity_score.contribution(preferences, i.labels, i.pods) for i in nodes
    ) == total(
        inter_pod_affinity_score.contribution(preferences, i.labels, (p,))
        for i in again
        for p in i.pods
    )


@given(pods(), infos())
def test_affinity_state_from_the_definition(pod: Pod, nodes: tuple[NodeInfo, ...]) -> None:
    """A pair is in the state if and only if some pod in that domain matches."""
    incoming = inter_pod_affinity.incoming(pod, NAMESPACES)
    located = [(info.labels, other) for info in nodes for other in info.pods]

    def domains(keys: list[str], at: Mapping[str, str]) -> set[tuple[str, str]]:
        return {(key, at[key]) for key in keys if key in at}

    def holds(term: inter_pod_affinity.Term, other: Pod) -> bool:
        return term.matches(other, {})

    affinity = {
        pair
        for at, other in located
        if incoming.affinity and all(holds(term, other) for term in incoming.affinity)
        for pair in domains([term.topology_key for term in incoming.affinity], at)
    }
    anti_affinity = {
        pair
        for at, other in located
        for pair in domains([t.topology_key for t in incoming.anti_affinity if holds(t, other)], at)
    }
    state = pre_filter(pod, Snapshot(nodes, NAMESPACES)).affinity
    assert state.affinity == affinity
    assert state.anti_affinity == anti_affinity


@given(pods(), shuffled)
def test_decision_does_not_depend_on_the_order_of_nodes(pod: Pod, both: tuple[Any, Any]) -> None:
    """Verdicts, scores and the choice belong to the set of nodes, not to their order."""
    nodes, again = both
    first, second = decide(pod, Snapshot(nodes)), decide(pod, Snapshot(tuple(again)))
    assert first.verdicts == second.verdicts
    assert first.scores == second.scores
    assert set(first.choices) == set(second.choices)
    assert set(first.choices) <= set(first.feasible)
    assert all(0 <= score <= 100 for by in first.scores.plugins.values() for score in by.values())
