"""Placement one pod at a time: orders that succeed, orders that stop short, and how it is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.storage import PersistentVolumeClaim, Storage, StorageClass
from kubelemma.solver.placement.check_peers import has_peers
from kubelemma.solver.placement.checker import check
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.decision import Effort
from kubelemma.solver.placement.lasting import lasting
from kubelemma.solver.placement.order_ledger import Ledger
from kubelemma.solver.placement.order_replay import refusal, way_on
from kubelemma.solver.placement.order_room import always_room
from kubelemma.solver.placement.orders import every_order, reach
from kubelemma.solver.placement.problem import (
    Answer,
    Assignment,
    Cluster,
    Placement,
    Problem,
    Question,
    Workload,
)

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
Raw = dict[str, Any]


def nodes(*zones: str, cpu: str = "4") -> tuple[Node, ...]:
    """A node in each of these zones."""
    return tuple(
        decode(
            {
                "metadata": {"name": f"n{i}", "labels": {HOSTNAME: f"n{i}", ZONE: zone}},
                "status": {"allocatable": {"cpu": cpu, "pods": "9"}},
            },
            Node,
        )
        for i, zone in enumerate(zones)
    )


def workload(name: str, count: int, cpu: str = "1", **spec: Any) -> Workload:
    """So many pods with the label ``app``."""
    containers = [{"resources": {"requests": {"cpu": cpu}}}]
    raw = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers, **spec}}
    return Workload(name, decode(raw, Pod), count)


def spread(key: str) -> Raw:
    """A hard constraint over the pods of web."""
    return {
        "topologyKey": key,
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }


def near(app: str) -> Raw:
    """Required affinity to pods of an app in the same zone."""
    term = {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"app": app}}}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def two_constraints(replicas: int) -> Problem:
    """Pods spread over hosts and zones, on 3 + 2 + 1 hosts."""
    constraints = [spread(HOSTNAME), spread(ZONE)]
    web = workload("web", replicas, topologySpreadConstraints=constraints)
    return Problem(Cluster(nodes(*"aaabbc")), (web,))


@pytest.mark.parametrize(("replicas", "answer"), [(5, Answer.YES), (7, Answer.NO)])
def test_two_constraints(replicas: int, answer: Answer) -> None:
    """kubernetes#109364: five replicas can be placed one at a time; seven stop at five."""
    found = reach(two_constraints(replicas))
    assert found.answer is answer
    if answer is Answer.NO:
        assert found.argument.endswith("at best 5 of 7 pods are placed")
    placed = found.stuck or found.placement
    assert sum(a.count for a in placed.assignments) == 5


@pytest.mark.parametrize(
    ("replicas", "final", "reachable", "any_order"),
    [
        (5, Answer.YES, Answer.YES, Answer.YES),
        (6, Answer.NO, Answer.NO, Answer.NO),
        (7, Answer.YES, Answer.NO, Answer.NO),
    ],
)
def test_all_three_questions(
    replicas: int, final: Answer, reachable: Answer, any_order: Answer
) -> None:
    """Seven replicas have a legal final state, six have none, and neither can be scheduled."""
    problem = two_constraints(replicas)
    answers = [decide(problem.cluster, problem.workloads, q).answer for q in Question]
    assert answers == [final, reachable, any_order]


def test_an_order_whose_end_is_no_legal_state() -> None:
    """Workloads that share labels: the spread held when its pod came, and nobody asks again."""

    def sharing(name: str, **spec: Any) -> Workload:
        one = workload(name, 1, "2", **spec)
        labels = {"app": "web", "part": name}
        return replace(
            one, pod=msgspec.structs.replace(one.pod, metadata=ObjectMeta(labels=labels))
        )

    first = sharing("first", topologySpreadConstraints=[spread(ZONE)])
    cluster = Cluster((*nodes("a"), replaced_name(nodes("b", cpu="1")[0], "n1")))
    problem = Problem(cluster, (first, sharing("second")))
    answers = [decide(problem.cluster, problem.workloads, q) for q in Question]
    assert [a.answer for a in answers] == [Answer.NO, Answer.YES, Answer.NO]
    _, reachable, stuck = answers
    assert reachable.order == ((0, 0), (1, 0))
    assert reachable.unplaced == (0, 0)
    assert refusal(problem, reachable.order) is None
    assert stuck.order == ((1, 0),)
    assert stuck.unplaced == (1, 0)
    (waiting,) = stuck.pending
    assert waiting.sentence == (
        "0/2 nodes are available: 1 Insufficient cpu, "
        "1 node(s) didn't match pod topology spread constraints."
    )


def replaced_name(node: Node, name: str) -> Node:
    """The same node under another name."""
    labels = {**node.metadata.label_map(), HOSTNAME: name}
    return msgspec.structs.replace(node, metadata=ObjectMeta(name=name, labels=labels))


def test_what_lasts() -> None:
    """A spread over its own pods alone lasts; so does company in a group of one kind."""
    alone = (workload("web", 2, topologySpreadConstraints=[spread(ZONE)], affinity=near("web")),)
    problem = Problem(Cluster(nodes("a", "b")), alone)
    assert lasting(problem) == problem
    others = replace(problem, workloads=(*alone, replace(alone[0], name="more")))
    assert all(not has_peers(w.pod.spec) for w in lasting(others).workloads)


def test_groups_that_need_one_another() -> None:
    """The final state is legal, but nobody can be the first."""
    mutual = (
        workload("web", 1, affinity=near("api")),
        workload("api", 1, affinity=near("web")),
    )
    problem = Problem(Cluster(nodes("a")), mutual)
    final = Placement((Assignment(0, 0, 1), Assignment(1, 0, 1)))
    assert check(problem, final) == ()
    found = reach(problem, target=final)
    assert found.answer is Answer.NO
    assert found.stuck == Placement(())


def test_the_order_that_affinity_needs() -> None:
    """Whom a pod needs comes before it, and the order ends in the state that was given."""
    needing = (workload("web", 3, affinity=near("api")), workload("api", 1))
    problem = Problem(Cluster(nodes("a", "b")), needing)
    final = Placement((Assignment(0, 0, 3), Assignment(1, 0, 1)))
    found = reach(problem, target=final)
    assert found.answer is Answer.YES
    assert found.placement == final
    assert found.order[0] == (1, 0)


def test_a_target_that_is_none() -> None:
    """A state that is not complete, or not legal, is no witness: the search goes on."""
    problem = Problem(Cluster(nodes("a", "b")), (workload("web", 2, "3"),))
    for bad in (Placement((Assignment(0, 0, 1),)), Placement((Assignment(0, 0, 2),))):
        found = reach(problem, target=bad)
        assert found.answer is Answer.YES
        assert found.placement == Placement((Assignment(0, 0, 1), Assignment(0, 1, 1)))


def test_fragmentation() -> None:
    """Without any constraint some order may break up the room that a large pod needs."""
    problem = Problem(Cluster(nodes("a", "b")), (workload("big", 1, "4"), workload("small", 4)))
    assert reach(problem).answer is Answer.YES
    found = every_order(problem)
    assert found.answer is Answer.NO
    assert found.stuck is not None
    assert way_on(problem, found.stuck) is None
    assert refusal(problem, found.order_to_stuck) is None


def test_always_room() -> None:
    """Where others cannot fill all nodes, no order can stop short; the argument is no more."""
    roomy = Problem(Cluster(nodes(*"abcdefgh")), (workload("big", 1, "2"), workload("small", 4)))
    assert always_room(Ledger(roomy))
    assert every_order(roomy).answer is Answer.YES
    exact = Problem(Cluster(nodes("a")), (workload("one", 4),))
    assert not always_room(Ledger(exact))
    assert every_order(exact).answer is Answer.YES


@given(
    small=st.integers(0, 5),
    big=st.integers(0, 2),
    size=st.sampled_from(("1", "2", "3", "4")),
    count=st.integers(1, 3),
)
def test_always_room_is_sound(small: int, big: int, size: str, count: int) -> None:
    """Whenever the argument says yes, so does the search over all orders."""
    kinds = (workload("big", big, size), workload("small", small))
    problem = Problem(Cluster(nodes(*"abc"[:count])), kinds)
    if always_room(Ledger(problem)):
        ledger = Ledger(problem)
        agenda, seen = [ledger.state()], {ledger.state()}
        while agenda:
            state = agenda.pop()
            ledger = Ledger(problem)
            for node, row in enumerate(state):
                for kind, number in enumerate(row):
                    if number:
                        ledger.put(kind, node, number)
            moves = list(ledger.moves())
            assert moves or ledger.is_complete
            for move in moves:
                ledger.put(*move)
                if ledger.state() not in seen:
                    seen.add(ledger.state())
                    agenda.append(ledger.state())
                ledger.put(*move, -1)


def test_beyond_the_effort() -> None:
    """A search that is cut off says so; it is neither yes nor no."""
    found = reach(two_constraints(7), Effort(exact_ways=10))
    assert found.answer is Answer.UNKNOWN
    assert "not decided" in found.argument
    assert reach(two_constraints(7), Effort(exact_ways=2)).answer is Answer.UNKNOWN
    ticks = iter(range(10**9))
    late = reach(two_constraints(7), Effort(seconds=1.0, clock=lambda: float(next(ticks))))
    assert late.answer is Answer.UNKNOWN


def stored(count: int, **volume: Any) -> Problem:
    """Pods with a volume of a class that waits for them, on nodes in zones a and b."""
    only_a = [{"matchLabelExpressions": [{"key": ZONE, "values": ["a"]}]}]
    kind = {"metadata": {"name": "k"}, "provisioner": "d", "allowedTopologies": only_a}
    waiting = decode({**kind, "volumeBindingMode": "WaitForFirstConsumer"}, StorageClass)
    claim = {"metadata": {"name": "c"}, "spec": {"storageClassName": "k"}}
    storage = Storage(claims=(decode(claim, PersistentVolumeClaim),), classes=(waiting,))
    web = workload("web", count, volumes=[{"name": "v", **volume}])
    return Problem(Cluster(nodes("a", "b"), storage=storage), (web,))


def test_volumes_that_are_chosen_as_pods_come() -> None:
    """What a claim of several pods gets depends on the first; a volume for each pod does not."""
    shared = stored(2, persistentVolumeClaim={"claimName": "c"})
    assert reach(shared).answer is Answer.UNKNOWN
    assert every_order(shared).answer is Answer.UNKNOWN
    template = {"volumeClaimTemplate": {"spec": {"storageClassName": "k"}}}
    assert every_order(stored(4, ephemeral=template)).answer is Answer.YES
    found = reach(stored(5, ephemeral=template))
    assert found.answer is Answer.NO
    assert found.argument.endswith("at best 4 of 5 pods are placed")


def test_a_large_state_is_put_in_order() -> None:
    """The pods of a legal state of 300 nodes, most spread over zones, are placed one by one."""
    kinds = tuple(
        workload(
            f"w{i}",
            9,
            "100m",
            topologySpreadConstraints=[
                {**spread(ZONE), "labelSelector": {"matchLabels": {"app": f"w{i}"}}}
            ],
        )
        for i in range(200)
    )
    problem = Problem(Cluster(nodes(*"abc" * 100)), kinds)
    target = Placement(
        tuple(Assignment(w, 3 * (w % 100) + zone, 3) for w in range(200) for zone in range(3))
    )
    found = reach(problem, target=target)
    assert found.answer is Answer.YES
    assert found.placement == target
    assert Counter(found.order) == {(a.workload, a.node): a.count for a in target.assignments}
    assert not check(problem, found.placement)


def test_alike_nodes() -> None:
    """Only what differs by more than a domain of its own tells nodes apart."""
    one = Problem(Cluster(nodes(*"aab")), (workload("web", 2, topologySpreadConstraints=[]),))
    assert Ledger(one).alikes() == ((0, 1, 2),)
    assert Ledger(two_constraints(3)).alikes() == ((0, 1, 2), (3, 4), (5,))
    there = decode(
        {"metadata": {"name": "old", "labels": {"app": "api"}}, "spec": {"nodeName": "n2"}}, Pod
    )
    near_it = Problem(Cluster(nodes(*"abc"), (there,)), (workload("web", 1, affinity=near("api")),))
    assert Ledger(near_it).alikes() == ((0, 1), (2,))
    assert reach(near_it).order == ((0, 2),)
