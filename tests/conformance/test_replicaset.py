"""Which pods a ReplicaSet deletes first, against the real controller's tables and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recorded.ranking import Victim, colocation, deletion_order, less, pods_to_delete, victim

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.times import seconds

Case = dict[str, Any]
Data = Callable[[str], list[Case]]

_SMALL = 12
"""Up to so many elements Go sorts by insertion, so that the order is known in any case."""


def test_upstream_tables(upstream: Data, tally: Any) -> None:
    """Every case of the controller's own ranking tests gives what it expects there."""
    file = "pod_deletion_ranking"
    for case in upstream(file):
        answer = _UPSTREAM[case["test"]](case["input"])
        if answer == case["expect"]:
            tally.passed(file)
        else:
            tally.failed(file, case["id"], f"{answer} instead of {case['expect']}")
    tally.verify(file)


def test_random_pods(oracle: Data, tally: Any) -> None:
    """Ranks, the whole relation, and the order as far as it is determined, are the real ones."""
    for case in oracle("podrank"):
        answer = _ranking(case["input"])
        expect = {key: case["expect"][key] for key in answer}
        if not (case["expect"]["strictTotalOrder"] or len(expect["order"]) <= _SMALL):
            del answer["order"], expect["order"]
        if answer == expect:
            tally.passed("podrank")
        else:
            tally.failed("podrank", case["id"], f"{answer} instead of {expect}")
    tally.verify("podrank")


def _ranking(given: Case) -> Case:
    pods = [decode(raw, Pod) for raw in given["pods"]]
    ranks = colocation(pods, [decode(raw, Pod) for raw in given["relatedPods"]])
    victims = [victim(pod, rank) for pod, rank in zip(pods, ranks, strict=True)]
    now = _nanoseconds(given["now"])
    names = [pod.metadata.name for pod in pods]
    return {
        "rank": dict(zip(names, ranks, strict=True)),
        "less": ["".join("<" if less(a, b, now) else "." for b in victims) for a in victims],
        "order": [names[i] for i in deletion_order(victims, now)],
    }


def _nanoseconds(timestamp: str) -> int:
    return seconds(timestamp) * 10**9


def _victim(raw: Case, rank: int = 0) -> Victim:
    return victim(decode(raw, Pod), rank)


def _active_pods(given: Case) -> Case:
    order = deletion_order([_victim(raw) for raw in given["pods"]], None)
    return {"deletionOrder": [given["pods"][i]["metadata"]["name"] for i in order]}


def _equality(given: Case) -> Case:
    first, second = _victim(given["p1"], given["rank1"]), _victim(given["p2"], given["rank2"])
    now = _nanoseconds(given["now"])
    return {"equivalent": not less(first, second, now) and not less(second, first, now)}


def _inequality(given: Case) -> Case:
    lesser = _victim(given["lesser"], given["lesserRank"])
    greater = _victim(given["greater"], given["greaterRank"])
    if not given["featureGates"]["PodDeletionCost"]:
        lesser, greater = lesser._replace(deletion_cost=0), greater._replace(deletion_cost=0)
    now = _nanoseconds(given["now"])
    return {"lesserDeletedFirst": less(lesser, greater, now) and not less(greater, lesser, now)}


def _to_delete(given: Case) -> Case:
    pods = [decode(raw, Pod) for raw in given["pods"]]
    related = [decode(raw, Pod) for raw in given["relatedPods"]]
    # No pod of this table has a time, so any later moment gives the same answer.
    chosen = pods_to_delete(pods, related, given["diff"], now=1)
    return {"toDelete": [pod.metadata.name for pod in chosen]}


_UPSTREAM: dict[str, Callable[[Case], Case]] = {
    "TestSortingActivePods": _active_pods,
    "TestSortingActivePodsWithRanks/equality": _equality,
    "TestSortingActivePodsWithRanks/inequality": _inequality,
    "TestGetPodsToDelete": _to_delete,
}
