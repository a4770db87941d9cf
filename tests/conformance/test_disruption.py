"""The status of disruption budgets against the real disruption controller's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubelemma.model.controllers.disruption import Covered, Disruptions, disruptions
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget, PodDisruptionBudgetSpec
from kubelemma.model.objects.quantity import IntOrPercent

Case = dict[str, Any]

_SCALED = ("replicaSets", "statefulSets", "replicationControllers", "deployments")


def test_statuses(oracle: Callable[[str], list[Case]], tally: Any) -> None:
    """What is expected, healthy, desired and allowed is what the real controller writes."""
    for case in oracle("pdb"):
        reason = _beyond(case)
        if reason:
            tally.skipped("pdb", reason)
            continue
        given, status = case["input"], case["expect"]["status"]
        budget = decode(given["pdb"], PodDisruptionBudget)
        leaving = frozenset(status.get("disruptedPods") or ())
        answer = disruptions(budget.spec, _covered(given, budget, leaving))
        _judge(tally, "pdb", case, answer, status)
    tally.verify("pdb")


def test_upstream_statuses(upstream: Callable[[str], list[Case]], tally: Any) -> None:
    """So it is in the snapshots of Kubernetes' own tests of its controller."""
    for case in upstream("pdb_status"):
        reason = _BEYOND.get((case.get("tags") or [case["test"]])[0])
        if reason:
            tally.skipped("pdb_status", reason)
            continue
        given, status = case["input"], case["expect"]
        budget = decode(given["pdb"], PodDisruptionBudget)
        leaving = frozenset(status["disruptedPods"])
        controllers = {"deployments": list(map(_as_object, given["controllers"]))}
        answer = disruptions(budget.spec, _covered({**given, **controllers}, budget, leaving))
        _judge(tally, "pdb_status", case, answer, status)
    tally.verify("pdb_status")


def _judge(tally: Any, table: str, case: Case, answer: Disruptions, status: Case) -> None:
    """Hold an answer against the status that was recorded."""
    wanted = Disruptions(
        status["expectedPods"],
        status["currentHealthy"],
        status["desiredHealthy"],
        status["disruptionsAllowed"],
    )
    if answer == wanted:
        tally.passed(table)
    else:
        tally.failed(table, case["id"], f"{answer} instead of {wanted}")


_BEYOND = {
    "custom-scale-subresource": "a custom resource that scales is not modelled",
    "invalid-selector": "an invalid selector is refused on reading",
    "TestStalePodDisruption": "the condition DisruptionTarget is not modelled",
}
"""Why a case is skipped, by its first tag or the test that it is from."""


def _as_object(controller: Case) -> Case:
    """A controller of this table, in the shape of the API."""
    owners = controller.get("ownerReferences") or []
    metadata = {"uid": controller["uid"], "ownerReferences": owners}
    return {"metadata": metadata, "spec": {"replicas": controller["replicas"]}}


def _beyond(case: Case) -> str:
    """What a case has that a story's budget never has; empty where nothing."""
    failed = case["expect"]["status"].get("condition", "").endswith("SyncFailed")
    return "a controller of a pod is missing" if failed else ""


def _covered(given: Case, budget: PodDisruptionBudget, leaving: frozenset[str]) -> Covered:
    """What the budget covers; pods that are ``leaving`` were evicted, and count as unhealthy."""
    pods = [pod for pod in given["pods"] if _matches(budget, pod)]
    healthy = [p for p in pods if _is_healthy(p) and p["metadata"]["name"] not in leaving]
    return Covered(len(pods), len(healthy), _scale(given, pods))


def _matches(budget: PodDisruptionBudget, pod: Case) -> bool:
    selector, metadata = budget.spec.selector, pod["metadata"]
    same = metadata.get("namespace") == budget.metadata.namespace
    return same and selector is not None and selector.matches(metadata.get("labels") or {})


def _is_healthy(pod: Case) -> bool:
    if "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _scale(given: Case, pods: list[Case]) -> int:
    """Σ replicas of whatever controls the pods; a ReplicaSet's Deployment stands for it."""
    workloads = {w["metadata"]["uid"]: w for kind in _SCALED for w in given.get(kind) or ()}
    found = {}
    for pod in pods:
        owner = _controller(pod)
        while owner in workloads:
            top = owner
            owner = _controller(workloads[top])
            if owner not in workloads:
                found[top] = workloads[top]["spec"].get("replicas", 1)
    return sum(found.values())


def _controller(thing: Case) -> str:
    owners = thing["metadata"].get("ownerReferences") or ()
    return next((o["uid"] for o in owners if o.get("controller")), "")


@pytest.mark.parametrize(
    ("bound", "covered", "wanted"),
    [
        ({"min_available": IntOrPercent(2)}, Covered(3, 3, 9), Disruptions(3, 3, 2, 1)),
        (
            {"min_available": IntOrPercent(50, percent=True)},
            Covered(3, 3, 5),
            Disruptions(5, 3, 3, 0),
        ),
        (
            {"max_unavailable": IntOrPercent(25, percent=True)},
            Covered(3, 3, 3),
            Disruptions(3, 3, 2, 1),
        ),
        ({"max_unavailable": IntOrPercent(1)}, Covered(0, 0, 0), Disruptions(0, 0, 0, 0)),
        ({}, Covered(3, 3, 3), Disruptions(0, 3, 0, 0)),
    ],
)
def test_bounds(bound: dict[str, IntOrPercent], covered: Covered, wanted: Disruptions) -> None:
    """Numbers count against the pods that there are, shares against those that there should be."""
    assert disruptions(PodDisruptionBudgetSpec(**bound), covered) == wanted
