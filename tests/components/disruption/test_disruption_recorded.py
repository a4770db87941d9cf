"""Syncs of disruption budgets against the real disruption controller's answers.

From pods and whatever owns them up: of the recorded answer nothing is used but to compare.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from recordings import controller, is_covered, matched_pod, workload

from kubelemma.model.components.disruption.budget import SYNC_FAILED, Status, stored_budget
from kubelemma.model.components.disruption.decision import (
    DisruptionTarget,
    Sync,
    Workload,
    Workloads,
    failed,
    stale_in,
    sync,
)
from kubelemma.model.kinds.parts.rules import label_selector
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.times import seconds

Case = dict[str, Any]

KINDS = ("replicaSets", "statefulSets", "replicationControllers", "deployments")
CUSTOM = "the scale of a custom resource is not recorded"


def test_statuses(oracle: Callable[[str], list[Case]], tally: Any) -> None:
    """The whole status, its condition and whether it is written are the real controller's."""
    for case in oracle("pdb"):
        given, expected = case["input"], case["expect"]
        workloads = {
            w["metadata"]["uid"]: workload(w) for kind in KINDS for w in given.get(kind, ())
        }
        answer = synced(given["pdb"], given["pods"], workloads, seconds(given["now"]))
        status = expected["status"]
        told = {**status, "condition": tuple(status["condition"].split(":"))}
        differences = judged(answer.status, told)
        if answer.writes != expected["updated"]:
            differences += f" writes {answer.writes}"
        count(tally, "pdb", case, differences)
    tally.verify("pdb")


def test_upstream_statuses(upstream: Callable[[str], list[Case]], tally: Any) -> None:
    """So it is in the snapshots of Kubernetes' own tests of its controller."""
    for case in upstream("pdb_status"):
        given, expected = case["input"], case["expect"]
        if "custom-scale-subresource" in (case.get("tags") or ()):
            tally.skipped("pdb_status", CUSTOM)
        elif "pdb" not in given:
            count(tally, "pdb_status", case, stale(given, expected))
        else:
            workloads = {c["uid"]: listed(c) for c in given["controllers"]}
            found = synced(given["pdb"], given["pods"], workloads, seconds(given["now"]))
            condition = expected["conditions"]["DisruptionAllowed"]
            told = {**expected, "condition": (condition["status"], condition["reason"])}
            count(tally, "pdb_status", case, judged(found.status, told))
    tally.verify("pdb_status")


def count(tally: Any, table: str, case: Case, differences: str) -> None:
    """Count a case, by what differs in it."""
    if differences:
        tally.failed(table, case["id"], differences)
    else:
        tally.passed(table)


def synced(raw: Case, pods: list[Case], workloads: Workloads, now: int) -> Sync:
    """The sync of a budget as it is recorded; its selector may be none that Kubernetes can read."""
    if not is_readable(raw["spec"]["selector"]):
        empty = stored_budget(decode({**raw, "spec": {}}, PodDisruptionBudget))
        return Sync(failed(empty.status, "the selector is invalid"), writes=True)
    thing = decode(raw, PodDisruptionBudget)
    matched = [matched_pod(pod) for pod in pods if is_covered(thing, pod)]
    return sync(stored_budget(thing), matched, workloads, now)


def is_readable(selector: Case) -> bool:
    """Whether the API server would let the selector pass."""
    try:
        thing = decode({"spec": {"selector": selector}}, PodDisruptionBudget)
    except msgspec.ValidationError:
        return False
    assert thing.spec.selector is not None
    return not list(label_selector(thing.spec.selector, ()))


def listed(raw: Case) -> Workload:
    """What a sync reads of a workload that is recorded in short."""
    return Workload(raw["replicas"], controller(raw, "Deployment"))


def judged(found: Status, told: Case) -> str:
    """What of a status differs from the recorded one; ``observedGeneration`` if it is told."""
    condition = found.condition
    assert condition is not None
    answers = {
        "expectedPods": found.expected_pods,
        "currentHealthy": found.current_healthy,
        "desiredHealthy": found.desired_healthy,
        "disruptionsAllowed": found.disruptions_allowed,
        "observedGeneration": found.observed_generation,
        "disruptedPods": [entry.pod for entry in found.disrupted_pods],
        "condition": (str(condition.holds), condition.reason),
    }
    wanted = {**told, "disruptedPods": sorted(told["disruptedPods"])}
    differing = (k for k, v in answers.items() if k in wanted and v != wanted[k])
    return ", ".join(f"{k} {answers[k]} instead of {wanted[k]}" for k in differing)


def stale(given: Case, expected: Case) -> str:
    """What differs in how a pod's condition DisruptionTarget is dealt with."""
    pod, now = given["pod"], "2026-11-20T23:29:36Z"
    at = seconds(now) + passed(given["timePassed"])
    conditions = pod.get("status", {}).get("conditions") or []
    terminating = "deletionTimestamp" in pod["metadata"]
    after = []
    for condition in conditions:
        status = condition["status"]
        if status == "True":
            target = DisruptionTarget(
                condition.get("reason", ""), seconds(condition["lastTransitionTime"])
            )
            wait = stale_in(target, terminating=terminating, terminal=False, now=at)
            status = "False" if wait == 0 else status
        after.append({"type": condition["type"], "status": status})
    return "" if after == expected["conditions"] else f"{after}"


def passed(text: str) -> int:
    """Seconds of a duration such as ``1m59s``."""
    minutes, _, rest = text.partition("m")
    return int(timedelta(minutes=int(minutes), seconds=int(rest.rstrip("s"))).total_seconds())


def test_a_failed_sync_is_recorded(upstream: Callable[[str], list[Case]]) -> None:
    """The table has syncs that fail, so that what they write is compared, too."""
    reasons = [
        case["expect"]["conditions"]["DisruptionAllowed"]["reason"]
        for case in upstream("pdb_status")
        if "pdb" in case["input"]
    ]
    assert SYNC_FAILED in reasons
