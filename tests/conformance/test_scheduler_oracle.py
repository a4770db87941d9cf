"""The default profile against what the real scheduler answered to random problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubelemma.model.components.scheduler.decision.default_selector import Workload
from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.node_name import pre_enqueue
from kubelemma.model.components.scheduler.decision.nodeinfo import node_infos
from kubelemma.model.components.scheduler.decision.preemption import Candidate, Preemption, preempt
from kubelemma.model.components.scheduler.decision.profile import (
    FILTERS,
    WEIGHTS,
    Cycle,
    Decision,
    Snapshot,
    Verdict,
    decide,
    filter_plugin,
    pre_filter,
)
from kubelemma.model.components.scheduler.decision.status import Status
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service
from kubelemma.model.objects.workloads import ReplicaSet

Case = dict[str, Any]

ASPECTS = (
    "preEnqueue",
    "preFilterSkip",
    "preFilter",
    "preFilterRejected",
    "filter",
    "combined",
    "feasible",
    "nominatedNodeFirst",
    "scores",
    "scoreSkipped",
    "best",
    "preemption",
)


def test_random_problems(oracle: Callable[[str], list[Case]], tally: Any) -> None:
    """Every plugin, the verdict on every node, all scores and the choice are the real ones."""
    for case in oracle("scheduler"):
        answer = _answer(case["input"])
        for aspect in ASPECTS:
            _compare(tally, aspect, case, answer.get(aspect))
    for aspect in ASPECTS:
        tally.verify(f"scheduler {aspect}")


def _compare(tally: Any, aspect: str, case: Case, answer: Any) -> None:
    expect = case["expect"].get(aspect)
    if answer == expect:
        tally.passed(f"scheduler {aspect}")
    else:
        tally.failed(f"scheduler {aspect}", case["id"], f"{answer} instead of {expect}")


def test_merged_label_keys(oracle: Callable[[str], list[Case]], tally: Any) -> None:
    """A submitted pod gets the affinity terms and constraints that the API server stored."""
    for case in oracle("scheduler"):
        if "submittedPod" in case["input"]:
            merged = merge_label_keys(decode(case["input"]["submittedPod"], Pod)).spec
            stored = decode(case["input"]["pod"], Pod).spec
            answer = (merged.affinity, merged.topology_spread_constraints)
            expect = (stored.affinity, stored.topology_spread_constraints)
            if answer == expect:
                tally.passed("scheduler submittedPod")
            else:
                tally.failed("scheduler submittedPod", case["id"], f"{answer} != {expect}")
    tally.verify("scheduler submittedPod")


def _answer(given: Case) -> Case:
    """The model's answer in the shape of the recorded one; absent where nothing was recorded."""
    pod, snapshot = decode(given["pod"], Pod), _snapshot(given)
    cycle, decision = pre_filter(pod, snapshot), decide(pod, snapshot)
    answer: Case = {
        "preFilterSkip": sorted(cycle.skipped),
        "preFilter": _pre_filter(cycle),
        "filter": _filters(cycle, snapshot),
        "combined": _combined(decision),
        "feasible": sorted(decision.feasible),
        "scores": _scores(decision),
        "best": sorted(decision.scores.best),
    }
    queued = pre_enqueue(pod)
    if queued.rejects:
        answer["preEnqueue"] = {"SchedulingGates": _status(queued)}
    if cycle.named.status.rejects:
        answer["preFilterRejected"] = _status(cycle.named.status)
    if decision.feasible:
        answer["scoreSkipped"] = sorted(WEIGHTS.keys() - decision.scores.plugins.keys())
    if decision.nominated_first:
        answer["nominatedNodeFirst"] = [decision.nominated_first]
    if not decision.feasible:
        budgets = tuple(decode(raw, PodDisruptionBudget) for raw in given.get("pdbs", ()))
        answer["preemption"] = _preemption(preempt(pod, snapshot, decision.verdicts, budgets))
    return answer


def _preemption(outcome: Preemption) -> Case:
    refused = {node: _verdict(verdict) for node, verdict in outcome.refused.items()}
    return {
        "eligible": not outcome.ineligible,
        **({"reason": outcome.ineligible} if outcome.ineligible else {}),
        "potentialNodes": sorted(outcome.potential),
        "candidates": {c.node: _candidate(c) for c in outcome.candidates},
        **({"nodeStatuses": refused} if refused else {}),
        "chosen": sorted(outcome.chosen),
    }


def _candidate(candidate: Candidate) -> Case:
    victims = (pod.metadata for pod in candidate.victims)
    names = [f"{metadata.namespace}/{metadata.name}" for metadata in victims]
    return {"pdbViolations": candidate.violations, "victims": names}


def _snapshot(given: Case) -> Snapshot:
    namespaces = [decode(raw, Namespace).metadata for raw in given["namespaces"]]
    replica_sets = [decode(raw, ReplicaSet) for raw in given.get("replicaSets", ())]
    return Snapshot(
        nodes=node_infos(
            (decode(raw, Node) for raw in given["nodes"]),
            (decode(raw, Pod) for raw in given["pods"]),
        ),
        namespaces={metadata.name: metadata.label_map() for metadata in namespaces},
        services=tuple(decode(raw, Service) for raw in given.get("services", ())),
        workloads={
            Workload("ReplicaSet", rs.metadata.namespace, rs.metadata.name): rs.spec.selector
            for rs in replica_sets
            if rs.spec.selector is not None
        },
        nominated=tuple(decode(raw, Pod) for raw in given.get("pendingPods", ())),
    )


def _status(status: Status) -> Case:
    shape: Case = {"code": status.code.value}
    return {**shape, "reasons": list(status.reasons)} if status.reasons else shape


def _pre_filter(cycle: Cycle) -> Case:
    names = cycle.named.node_names
    if names is None:
        return {}
    return {"NodeAffinity": {**_status(cycle.named.status), "nodes": sorted(names)}}


def _filters(cycle: Cycle, snapshot: Snapshot) -> Case:
    """What each plugin by itself rejects; a plugin that rejects nothing is left out."""
    answers = {
        plugin: {info.name: filter_plugin(plugin, cycle, info) for info in snapshot.nodes}
        for plugin in FILTERS
    }
    rejected = {
        plugin: {node: _status(status) for node, status in statuses.items() if not status.ok}
        for plugin, statuses in answers.items()
    }
    return {plugin: statuses for plugin, statuses in rejected.items() if statuses}


def _combined(decision: Decision) -> Case:
    return {node: _verdict(verdict) for node, verdict in decision.verdicts.items()}


def _verdict(verdict: Verdict) -> Case:
    plugin = {"plugin": verdict.plugin} if verdict.plugin else {}
    return {**_status(verdict.status), **plugin}


def _scores(decision: Decision) -> Case:
    scores = decision.scores
    return {
        node: {
            "total": total,
            "plugins": {plugin: by_node[node] for plugin, by_node in scores.plugins.items()},
        }
        for node, total in scores.totals.items()
    }
