"""Losses, counts and purchases, held against deciding every single case."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement.chains import completed
from kubelemma.solver.placement.checker import check
from kubelemma.solver.placement.collapse import collapse
from kubelemma.solver.placement.counting import how_many
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.decision import Effort
from kubelemma.solver.placement.interchange import interchangeable
from kubelemma.solver.placement.problem import Answer, Cluster, Placement, Problem, Workload
from kubelemma.solver.placement.purchase import Machine, fewest_nodes
from kubelemma.solver.placement.survive import survive, survive_domain
from kubelemma.solver.placement.whatif import Reading, add, lose

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
QUICK = Effort(relaxations=False)


def node(name: str, zone: str, cpu: int) -> Node:
    """A node in a zone."""
    labels = {HOST: name, ZONE: zone, "cpu": str(cpu)}
    allocatable = {"cpu": str(cpu), "pods": "10"}
    return decode(
        {"metadata": {"name": name, "labels": labels}, "status": {"allocatable": allocatable}}, Node
    )


def pod(app: str, cpu: int = 1, rule: str = "", on: str = "") -> Pod:
    """A pod of a ReplicaSet with one rule: spread, apart, together or pinned."""
    itself = {"matchLabels": {"app": app}}
    spec: dict[str, Any] = {"nodeName": on}
    if rule in ("spread", "hosts"):
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": ZONE if rule == "spread" else HOST,
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": itself,
            }
        ]
    if rule in ("apart", "together"):
        term = {"topologyKey": HOST if rule == "apart" else ZONE, "labelSelector": itself}
        kind = "podAntiAffinity" if rule == "apart" else "podAffinity"
        spec["affinity"] = {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    if rule == "pinned":
        spec["nodeSelector"] = {"cpu": "2"}
    container = {"name": "main", "resources": {"requests": {"cpu": str(cpu)}}}
    owner = {"kind": "ReplicaSet", "name": app, "controller": True}
    metadata = {"namespace": "shop", "labels": {"app": app}, "ownerReferences": [owner]}
    return decode({"metadata": metadata, "spec": spec | {"containers": [container]}}, Pod)


RULES = st.sampled_from(["", "", "spread", "hosts", "apart", "together", "pinned"])


@st.composite
def problems(draw: st.DrawFn, nodes: int = 5) -> Problem:
    """Few nodes, some of them alike, with some pods there and some to be placed."""
    kinds = st.tuples(st.sampled_from("ab"), st.sampled_from([1, 2, 2, 3]))
    drawn = draw(st.lists(kinds, min_size=2, max_size=nodes))
    listed = tuple(node(f"n{i}", zone, cpu) for i, (zone, cpu) in enumerate(drawn))
    rules = {app: draw(RULES) for app in ("web", "api", "db")}
    existing = tuple(
        pod(app, 1, rules[app], f"n{draw(st.integers(0, len(listed) - 1))}")
        for app in draw(st.lists(st.sampled_from(["web", "api"]), max_size=2))
    )
    workloads = tuple(
        Workload(
            app, pod(app, draw(st.sampled_from([1, 1, 2])), rules[app]), draw(st.integers(1, 2))
        )
        for app in draw(st.lists(st.sampled_from(["web", "api", "db"]), max_size=2, unique=True))
    )
    return Problem(Cluster(listed, existing, {"shop": {}}), workloads)


def answer(problem: Problem) -> Answer:
    """The answer of a decision of its own."""
    return decide(problem.cluster, problem.workloads, effort=QUICK).answer


@given(problems(), st.sampled_from([1, 1, 2]), st.sampled_from(Reading))
def test_survival_is_that_every_single_loss_is_survived(
    problem: Problem, count: int, reading: Reading
) -> None:
    """Classes, repairs and their witnesses give what trying all sets of nodes gives."""
    nodes = len(problem.cluster.nodes)
    assume(count < nodes)
    found = survive(problem, count, reading, QUICK)
    if found.base.answer is not Answer.YES:
        assert found.answer is found.base.answer
        return
    each = [answer(lose(problem, lost, reading)) for lost in combinations(range(nodes), count)]
    assert Answer.UNKNOWN not in each
    assert found.answer is (Answer.NO if Answer.NO in each else Answer.YES)
    if found.answer is Answer.YES:
        assert found.covered == found.total == len(each)
    for outcome in found.outcomes:
        if outcome.decision.answer is Answer.YES:
            assert check(outcome.after, outcome.decision.placement) == ()


@given(problems(nodes=4), st.sampled_from(Reading))
def test_interchangeable_nodes_are_lost_alike(problem: Problem, reading: Reading) -> None:
    """The law on which classes rest."""
    for members in interchangeable(problem):
        answers = {answer(lose(problem, [i], reading)) for i in members}
        assert len(answers) == 1


def test_interchange_sees_what_sets_nodes_apart() -> None:
    """Labels count if somebody selects by them, names and domains if somebody uses them."""
    nodes = (node("x", "a", 2), node("y", "a", 2), node("z", "b", 2), node("w", "a", 3))
    plain = Problem(Cluster(nodes), (Workload("web", pod("web"), 1),))
    assert interchangeable(plain) == ((0, 1, 2), (3,))
    spread = Problem(Cluster(nodes), (Workload("web", pod("web", 1, "spread"), 1),))
    # Zone b is one node alone: nothing else is like it.
    assert interchangeable(spread) == ((0, 1), (2,), (3,))
    loaded = Problem(Cluster(nodes, (pod("api", on="y"),)), plain.workloads)
    assert interchangeable(loaded) == ((0, 2), (1,), (3,))


def zonal(replicas: int, skew: int = 1) -> Problem:
    """A node in each of three zones, and pods spread over the zones."""
    nodes = tuple(node(f"n{z}", z, 9) for z in "abc")
    return Problem(Cluster(nodes), (Workload("web", pod("web", skew, "spread"), replicas),))


def test_the_two_readings_of_a_lost_zone_differ() -> None:
    """A zone that is gone is no domain; one that is unreachable is an empty one, and skews."""
    assert survive_domain(zonal(6), reading=Reading.GONE).answer is Answer.YES
    found = survive_domain(zonal(6), reading=Reading.UNREACHABLE)
    assert found.answer is Answer.NO
    (failed,) = found.failed
    assert (failed.value, failed.nodes) == ("a", ("na",))
    assert failed.decision.certificate is not None


def test_nothing_is_lost_from_what_does_not_fit() -> None:
    """The base comes first: its NO is the answer."""
    nodes = (node("x", "a", 1), node("y", "b", 1))
    found = survive(Problem(Cluster(nodes), (Workload("web", pod("web"), 3),)))
    assert (found.answer, found.outcomes) == (Answer.NO, ())


def test_out_of_time_is_unknown() -> None:
    """A survival that was not looked at to its end is no success."""
    ticks = iter(range(10_000))
    effort = Effort(seconds=40.0, clock=lambda: float(next(ticks)), relaxations=False)
    nodes = tuple(node(f"n{i}", "a", 2 + i) for i in range(8))
    found = survive(Problem(Cluster(nodes), (Workload("web", pod("web"), 1),)), 2, effort=effort)
    assert found.answer is Answer.UNKNOWN
    assert found.covered < found.total == 28


@pytest.mark.parametrize("count", [0, 4])
def test_impossible_losses_are_errors(count: int) -> None:
    """More nodes than there are cannot be lost."""
    with pytest.raises(ValueError, match="of 3 nodes"):
        survive(zonal(3), count)
    with pytest.raises(ValueError, match="no node has the label rack"):
        survive_domain(zonal(3), "rack")


@given(problems(nodes=3))
def test_how_many_is_what_counting_up_finds(problem: Problem) -> None:
    """Where fewer pods always fit; and elsewhere its two numbers are what they are said to be."""
    assume(problem.workloads)
    workload = problem.workloads[0]
    found = how_many(problem, workload, QUICK)

    def more(count: int) -> Answer:
        own = Workload(workload.name, workload.pod, workload.count + count)
        return answer(Problem(problem.cluster, (own, *problem.workloads[1:])))

    if found.more is None:
        assert more(0) is found.answer is not Answer.YES
        return
    assert more(found.more) is Answer.YES
    assert found.answer is Answer.YES
    assert found.below == found.more + 1
    assert more(found.below) is Answer.NO
    if found.monotone:
        assert all(more(count) is Answer.YES for count in range(found.more))


def test_how_many_of_a_workload_that_is_not_there_yet() -> None:
    """Two of two cores fit on three nodes of two and three."""
    nodes = (node("x", "a", 2), node("y", "a", 3), node("z", "b", 1))
    found = how_many(Problem(Cluster(nodes), ()), Workload("new", pod("new", 2), 0))
    assert (found.more, found.below, found.monotone) == (2, 3, True)


@given(problems(nodes=3), st.integers(1, 3))
def test_no_cheaper_purchase_suffices(problem: Problem, price: int) -> None:
    """All cheaper numbers of machines are decided one by one."""
    machines = (
        Machine("small", node("small", "a", 1), Fraction(1)),
        Machine("large", node("large", "b", 3), Fraction(price)),
    )
    found = fewest_nodes(problem, machines, QUICK)
    if found.answer is Answer.YES:
        assert answer(found.problem) is Answer.YES
        assert found.cheapest
    for counts in product(range(4), repeat=2):
        cost = sum(m.price * n for m, n in zip(machines, counts, strict=True))
        if cost < found.lower or found.answer is Answer.NO:
            tried = problem
            for machine, count in zip(machines, counts, strict=True):
                tried = add(tried, machine.node, count)
            assert answer(tried) is not Answer.YES


def test_a_purchase_is_refused_where_no_machine_helps() -> None:
    """A pod that no machine can take needs another machine."""
    problem = Problem(Cluster((node("x", "a", 1),)), (Workload("web", pod("web", 5), 1),))
    found = fewest_nodes(problem, [Machine("small", node("small", "a", 4))])
    assert found.answer is Answer.NO
    with pytest.raises(ValueError, match="at least one machine type"):
        fewest_nodes(problem, [])


@given(problems())
def test_chains_give_legal_placements_only(problem: Problem) -> None:
    """Begun from nothing, they place pods one by one and break no rule that they know."""
    counts = [workload.count for workload in problem.workloads]
    placement, left = completed(collapse(problem), Placement(()), counts)
    placed = [0] * len(counts)
    for assignment in placement.assignments:
        placed[assignment.workload] += assignment.count
    assert [p + rest for p, rest in zip(placed, left, strict=True)] == counts
    if not any(left) and not any(problem.cluster.pods):
        assert check(problem, placement) == ()


def test_chains_make_room_by_moving_smaller_pods() -> None:
    """A pod of two cores fits once the two small ones share a node."""
    nodes = (node("x", "a", 2), node("y", "a", 2))
    workloads = (Workload("small", pod("small"), 2), Workload("large", pod("large", 2), 1))
    problem = Problem(Cluster(nodes), workloads)
    facts = collapse(problem)
    apart = decide(Cluster(nodes), (Workload("small", pod("small", 1, "hosts"), 2),)).placement
    placement, left = completed(facts, apart, (0, 1))
    assert left == (0, 0)
    assert check(problem, placement) == ()
