"""The decision of placement: verdicts that are known from how the clusters are made."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement import (
    Answer,
    Cluster,
    Decision,
    Effort,
    Problem,
    Question,
    Workload,
    check,
    decide,
    verify,
)
from kubelemma.solver.placement.certificate_data import Exclusion, Exhaustion, Prices, Weights
from kubelemma.solver.placement.decision import ReasonKind, RelaxationKind

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
QUICK = Effort(relaxations=False)


def node(name: str, cpu: str = "4", zone: str = "a", **more: Any) -> Node:
    """A node of 16Gi and room for 110 pods."""
    labels = {HOSTNAME: name, ZONE: zone}
    allocatable = {"cpu": cpu, "memory": "16Gi", "pods": "110"}
    raw = {"metadata": {"name": name, "labels": labels}, "status": {"allocatable": allocatable}}
    return decode(raw | more, Node)


def pod(app: str, cpu: str = "1", **spec: Any) -> Pod:
    """A pod of one container."""
    container = {"name": "main", "resources": {"requests": {"cpu": cpu}}}
    metadata = {"name": app, "namespace": "shop", "labels": {"app": app}}
    return decode({"metadata": metadata, "spec": {"containers": [container], **spec}}, Pod)


def workload(app: str, count: int, cpu: str = "1", **spec: Any) -> Workload:
    """A Deployment of so many pods."""
    return Workload(f"Deployment shop/{app}", pod(app, cpu, **spec), count)


def spread(app: str, key: str = ZONE, skew: int = 1) -> dict[str, Any]:
    """The hard spread of an app's pods over a key."""
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": skew,
                "topologyKey": key,
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": app}},
            }
        ]
    }


def apart(app: str, key: str = HOSTNAME) -> dict[str, Any]:
    """Anti-affinity to the pods of an app."""
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"affinity": {"podAntiAffinity": required}}


def nodes(count: int, cpu: str = "4", zones: str = "abc") -> tuple[Node, ...]:
    """Nodes by turns in the zones."""
    return tuple(node(f"n{i}", cpu, zones[i % len(zones)]) for i in range(count))


def decided(cluster: Cluster, *workloads: Workload, effort: Effort = QUICK) -> Decision:
    """The decision, after it has been seen to keep its promises."""
    decision = decide(cluster, workloads, effort=effort)
    problem = Problem(cluster, workloads)
    assert check(problem, decision.placement) == ()
    placed = sum(a.count for a in decision.placement.assignments)
    assert placed + sum(decision.unplaced) == sum(w.count for w in workloads)
    assert (decision.answer is Answer.YES) == (sum(decision.unplaced) == 0)
    assert (decision.certificate is not None) == (decision.answer is Answer.NO)
    if decision.certificate is not None:
        assert verify(problem, decision.certificate)
        assert decision.reason is not None
        assert 1 <= len(decision.reason.lines) <= 3
    return decision


def test_what_fits_is_placed() -> None:
    """Pods that fill the cluster to the last millicore are placed."""
    cluster = Cluster(nodes(6))
    web = workload("web", 12, **spread("web"))
    assert decided(cluster, web, workload("db", 12)).answer is Answer.YES


def test_no_workloads_fit() -> None:
    """Nothing to place is placed, even on nothing."""
    assert decided(Cluster(())).answer is Answer.YES


def test_no_nodes() -> None:
    """A pod without any node has none."""
    assert decided(Cluster(()), workload("web", 1)).answer is Answer.NO
    company = {"affinity": {"podAffinity": apart("web")["affinity"]["podAntiAffinity"]}}
    for wishes in (company, spread("web")):
        assert decided(Cluster(()), workload("web", 1, **wishes)).answer is Answer.NO


def test_a_pod_that_no_node_takes() -> None:
    """The coarsest reason: one pod asks for more than any node has."""
    decision = decided(Cluster(nodes(3)), workload("web", 1, cpu="5"))
    assert decision.reason is not None
    assert decision.reason.kind is ReasonKind.NO_NODE
    assert (decision.reason.needed, decision.reason.available) == (5000, 4000)
    assert decision.pending[0].sentence == "0/3 nodes are available: 3 Insufficient cpu."


def test_a_total_that_is_short() -> None:
    """A shortage of cpu on all nodes together is told with both amounts."""
    decision = decided(Cluster(nodes(3)), workload("web", 7), workload("db", 6))
    assert decision.reason is not None
    assert decision.reason.kind is ReasonKind.TOTAL
    assert (decision.reason.needed, decision.reason.available) == (13000, 12000)
    assert decision.reason.resource == "cpu"
    assert isinstance(decision.certificate, Prices)


def test_a_pool_that_is_short() -> None:
    """Workloads that are pinned to a zone exceed it, although there is room elsewhere."""
    selector = {"nodeSelector": {ZONE: "a"}}
    decision = decided(
        Cluster(nodes(6)), workload("web", 5, **selector), workload("db", 5, **selector)
    )
    assert decision.reason is not None
    assert decision.reason.kind is ReasonKind.TOTAL
    assert decision.reason.nodes == (0, 3)


def test_a_zone_that_spread_pods_need() -> None:
    """Spread workloads must go to each zone, and one zone is too small for their shares."""
    cluster = Cluster((*nodes(8, zones="ab"), node("c0", zone="c", cpu="1")))
    decision = decided(
        cluster,
        workload("web", 3, **spread("web")),
        workload("db", 3, **spread("db")),
    )
    assert decision.answer is Answer.NO
    assert decision.reason is not None
    assert decision.reason.nodes == (8,)


def test_more_replicas_than_hosts() -> None:
    """One pod a host: the third has none."""
    decision = decided(Cluster(nodes(2)), workload("web", 3, **apart("web")))
    assert decision.reason is not None
    assert decision.reason.kind is ReasonKind.ALONE
    assert (decision.reason.needed, decision.reason.available) == (3, 2)


def test_workloads_that_exclude_each_other() -> None:
    """Three workloads that share no zone need three zones."""
    everybody = {
        "topologyKey": ZONE,
        "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
    }
    rule = {
        "affinity": {
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [everybody]}
        }
    }
    three = [workload(name, 1, **rule) for name in ("x", "y", "z")]
    assert decided(Cluster(nodes(30)), *three).answer is Answer.YES
    decision = decided(Cluster(nodes(30, zones="ab")), *three)
    assert isinstance(decision.certificate, Exclusion)


def test_a_contradiction_between_two_workloads() -> None:
    """One must be in each zone, the other shares a zone with none: the rest does not matter."""
    cluster = Cluster(nodes(60))
    decision = decided(
        cluster,
        workload("everywhere", 3, **spread("everywhere")),
        workload("shy", 1, **apart("everywhere", ZONE)),
        workload("bystander", 40),
    )
    assert isinstance(decision.certificate, Exhaustion)
    assert decision.reason is not None
    assert decision.reason.workloads == (0, 1)


def test_fragmentation() -> None:
    """Enough in total, in pieces that are too small: weights prove it."""
    cluster = Cluster(nodes(30, cpu="15800m"))
    decision = decided(cluster, workload("great", 45, "4"), workload("less", 98, "2650m"))
    assert isinstance(decision.certificate, Weights)
    assert dict(decision.certificate.weights) == {0: Fraction(1), 1: Fraction(2, 3)}
    one_less = decided(cluster, workload("great", 45, "4"), workload("less", 97, "2650m"))
    assert one_less.answer is Answer.YES


def test_existing_pods_are_load() -> None:
    """What runs already takes room, holds ports and keeps others away."""
    running = decode(
        {
            "metadata": {"name": "old", "namespace": "shop", "labels": {"app": "old"}},
            "spec": {
                "nodeName": "n0",
                "containers": [
                    {
                        "resources": {"requests": {"cpu": "3"}},
                        "ports": [{"hostPort": 80, "protocol": "TCP"}],
                    }
                ],
                **apart("shy"),
            },
        },
        Pod,
    )
    cluster = Cluster(nodes(2), (running,))
    assert decided(cluster, workload("web", 5)).answer is Answer.YES
    assert decided(cluster, workload("web", 6)).answer is Answer.NO
    assert decided(cluster, workload("shy", 4)).answer is Answer.YES
    assert decided(cluster, workload("shy", 5)).answer is Answer.NO


def test_a_zero_request_fits_an_overcommitted_node() -> None:
    """Only what is asked for is compared."""
    big = decode(
        {
            "metadata": {"name": "old", "namespace": "shop"},
            "spec": {
                "nodeName": "n0",
                "containers": [{"resources": {"requests": {"cpu": "9"}}}],
            },
        },
        Pod,
    )
    cluster = Cluster(nodes(1), (big,))
    assert decided(cluster, workload("idle", 3, cpu="0")).answer is Answer.YES
    two = decided(cluster, workload("idle", 3, cpu="0"), workload("web", 1, cpu="1m"))
    assert two.answer is Answer.NO


@pytest.mark.parametrize(("replicas", "answer"), [(7, Answer.YES), (6, Answer.NO)])
def test_two_spreads(replicas: int, answer: Answer) -> None:
    """kubernetes#109364: 7 replicas over hosts and zones are legal, 6 are not."""
    cluster = Cluster(tuple(node(f"n{i}", zone=z) for i, z in enumerate("aaabbc")))
    both = [
        *spread("web")["topologySpreadConstraints"],
        *spread("web", HOSTNAME)["topologySpreadConstraints"],
    ]
    web = workload("web", replicas, cpu="100m", topologySpreadConstraints=both)
    assert decided(cluster, web).answer is answer


def test_final_and_reachable_differ() -> None:
    """kubernetes#109364 again: the legal state of 7 replicas is not reached one at a time."""
    cluster = Cluster(tuple(node(f"n{i}", zone=z) for i, z in enumerate("aaabbc")))
    both = [
        *spread("web")["topologySpreadConstraints"],
        *spread("web", HOSTNAME)["topologySpreadConstraints"],
    ]
    web = workload("web", 7, cpu="100m", topologySpreadConstraints=both)
    decision = decide(cluster, [web], Question.REACHABLE, QUICK)
    assert decision.answer is Answer.NO
    assert decision.reason is not None
    assert decision.reason.kind is ReasonKind.ORDER
    assert decision.stuck is not None
    assert sum(a.count for a in decision.stuck.assignments) == 5


def test_relaxations() -> None:
    """The smallest changes are found, and each of them was decided."""
    decision = decided(Cluster(nodes(2)), workload("web", 3, **apart("web")), effort=Effort())
    kinds = {r.kind: r for r in decision.relaxations}
    assert kinds[RelaxationKind.ADD_NODES].count == 1
    assert kinds[RelaxationKind.FEWER_PODS].count == 1
    assert kinds[RelaxationKind.SOFTEN].constraint == "the required pod anti-affinity"
    assert RelaxationKind.LESS_REQUEST not in kinds


def test_a_lower_request() -> None:
    """Where a resource is short, the reduction that suffices is found."""
    decision = decided(Cluster(nodes(1)), workload("web", 5), effort=Effort())
    less = next(r for r in decision.relaxations if r.kind is RelaxationKind.LESS_REQUEST)
    assert (less.resource, less.count) == ("cpu", 200)


def test_priorities_are_decided_cumulatively() -> None:
    """The important workloads fit, all of them do not."""
    important = workload("web", 3, priority=10)
    rest = workload("batch", 3, priority=0)
    decision = decided(Cluster(nodes(1)), important, rest, effort=Effort())
    assert [(level.priority, level.answer) for level in decision.levels] == [
        (10, Answer.YES),
        (0, Answer.NO),
    ]


def test_time_is_up() -> None:
    """Without time the answer is UNKNOWN, with what was placed so far."""
    ticks = iter(range(10_000))
    effort = Effort(seconds=0.5, clock=lambda: float(next(ticks)), relaxations=False)
    decision = decided(Cluster(nodes(3)), workload("web", 13), effort=effort)
    assert decision.answer is Answer.UNKNOWN
    assert decision.unplaced == (1,)
    assert decision.statistics.stopped_by == "time-limit"


def test_the_same_twice() -> None:
    """A decision depends on the problem alone."""
    cluster = Cluster(nodes(9))
    listed = [workload(f"w{i}", 1 + i % 3, f"{100 + 70 * i}m") for i in range(12)]
    assert decide(cluster, listed) == decide(cluster, listed)


def test_a_packing_without_any_room_left() -> None:
    """Ten nodes filled to the last millicore with pods of many sizes: still a placement."""
    sizes = (50, 100, 150, 200, 250, 400, 500, 750, 1000)
    counts = dict.fromkeys(sizes, 0)
    for i in range(10):
        left = 4000
        for step in range(100):
            size = sizes[(i * 7 + step * 5) % len(sizes)]
            if size <= left:
                counts[size] += 1
                left -= size
        counts[50] += left // 50
    listed = [workload(f"s{s}", n, f"{s}m") for s, n in counts.items() if n]
    assert decided(Cluster(nodes(10)), *listed).answer is Answer.YES


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from((300, 700, 1300))), max_size=4),
    st.integers(1, 3),
)
def test_more_room_never_hurts(asked: list[tuple[int, int]], count: int) -> None:
    """What fits still fits with one node more, where no rule looks at domains."""
    listed = [workload(f"w{i}", n, f"{cpu}m") for i, (n, cpu) in enumerate(asked)]
    before = decided(Cluster(nodes(count)), *listed).answer
    after = decided(Cluster(nodes(count + 1)), *listed).answer
    assert before is not Answer.UNKNOWN
    assert after is Answer.YES or before is Answer.NO


def test_certificates_of_other_problems_prove_nothing() -> None:
    """A certificate is checked against the problem, not believed."""
    cluster = Cluster(nodes(3))
    short = [workload("web", 13)]
    decision = decide(cluster, short, effort=QUICK)
    assert decision.certificate is not None
    fitting = Problem(cluster, (replace(short[0], count=12),))
    assert not verify(fitting, decision.certificate)
