"""Preemption: who may drive out whom, who is spared, and which node is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.preemption import (
    Preemption,
    by_violation,
    preempt,
)
from kubelemma.model.components.scheduler.decision.profile import Snapshot, decide
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod


def node(name: str, *pods: Pod) -> NodeInfo:
    """A node of four cores, with pods."""
    raw = {"metadata": {"name": name}, "status": {"allocatable": {"cpu": "4", "pods": "9"}}}
    return NodeInfo(decode(raw, Node), pods)


def pod(name: str, priority: int, cpu: str = "2", start: int = 0, **spec: Any) -> Pod:
    """A pod of app ``x`` that has been running since the given minute."""
    raw = {
        "metadata": {"name": name, "labels": {"app": "x"}},
        "spec": {
            "priority": priority,
            "containers": [{"resources": {"requests": {"cpu": cpu}}}],
            **spec,
        },
        "status": {"startTime": f"2026-01-01T00:{start:02}:00Z"},
    }
    return decode(raw, Pod)


def budget(allowed: int, *disrupted: str) -> PodDisruptionBudget:
    """A budget over the pods of app ``x``."""
    raw = {
        "metadata": {"name": "b"},
        "spec": {"selector": {"matchLabels": {"app": "x"}}},
        "status": {
            "disruptionsAllowed": allowed,
            "disruptedPods": dict.fromkeys(disrupted, "2026-01-01T00:00:00Z"),
        },
    }
    return decode(raw, PodDisruptionBudget)


def outcome(incoming: Pod, nodes: Iterable[NodeInfo], *budgets: PodDisruptionBudget) -> Preemption:
    """What preemption does for a pod that fits nowhere."""
    snapshot = Snapshot(tuple(nodes))
    decision = decide(incoming, snapshot)
    assert decision.feasible == ()
    return preempt(incoming, snapshot, decision.verdicts, budgets)


def victims(found: Preemption) -> dict[str, list[str]]:
    """The names of the victims by node."""
    return {c.node: [v.metadata.name for v in c.victims] for c in found.candidates}


def test_only_lower_priorities_go() -> None:
    """Pods of the same priority stay, and with nobody below there is nothing to do."""
    full = node("a", pod("same", 5), pod("low", 1))
    assert victims(outcome(pod("new", 5), [full])) == {"a": ["low"]}
    found = outcome(pod("new", 1), [full])
    assert found.candidates == ()
    assert found.chosen == ()
    reasons = found.refused["a"].status.reasons
    assert reasons == ("No preemption victims found for incoming pod",)


def test_as_many_as_possible_are_spared() -> None:
    """The more important come back first: higher priority, then longer on the node."""
    full = node("a", pod("young", 1, "1", 9), pod("old", 1, "1", 1), pod("high", 2, "2", 5))
    assert victims(outcome(pod("new", 5, "1"), [full])) == {"a": ["young"]}
    assert victims(outcome(pod("new", 5, "2"), [full])) == {"a": ["old", "young"]}


def test_budgets_spare_pods_but_do_not_forbid() -> None:
    """Those whose loss violates a budget come back first; if all must go, they are counted."""
    covered = pod("covered", 1, "2")
    bare = decode(
        {
            "metadata": {"name": "bare"},
            "spec": {
                "priority": 2,
                "containers": [{"resources": {"requests": {"cpu": "2"}}}],
            },
        },
        Pod,
    )
    full = node("a", covered, bare)
    assert victims(outcome(pod("new", 5), [full])) == {"a": ["covered"]}
    assert victims(outcome(pod("new", 5), [full], budget(0))) == {"a": ["bare"]}
    found = outcome(pod("new", 5, "4"), [full], budget(0))
    assert [c.violations for c in found.candidates] == [1]


def test_budgets_run_out() -> None:
    """Each loss uses a budget up, but not that of a pod whose eviction is on its way."""
    pods = [pod("a", 1), pod("b", 1), pod("c", 1)]
    violating, others = by_violation(pods, (budget(1, "a"),))
    assert [p.metadata.name for p in violating] == ["c"]
    assert [p.metadata.name for p in others] == ["a", "b"]


def test_the_least_harm() -> None:
    """Lower victims, then fewer, then those that started later; what is equal is left open."""
    new = pod("new", 9, "4")
    high, low = node("a", pod("a", 3, "4")), node("b", pod("b", 1, "4"))
    assert outcome(new, [high, low]).chosen == ("b",)
    two, one = node("a", pod("a", 1), pod("b", 1)), node("b", pod("c", 1, "4"))
    assert outcome(new, [two, one]).chosen == ("b",)
    early, late = node("a", pod("a", 1, "4", 1)), node("b", pod("b", 1, "4", 2))
    assert outcome(new, [early, late]).chosen == ("b",)
    assert outcome(new, [early, node("c", pod("c", 1, "4", 1))]).chosen == ("a", "c")


def test_who_may_not() -> None:
    """A pod may renounce preemption; one whose victims are leaving waits for them."""
    full = node("a", pod("low", 1, "4"))
    found = outcome(pod("new", 5, preemptionPolicy="Never"), [full])
    assert found.ineligible == "not eligible due to preemptionPolicy=Never."
    assert found.potential == ("a",)
    leaving = decode(
        {
            "metadata": {"name": "low", "deletionTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"containers": [{"resources": {"requests": {"cpu": "4"}}}]},
            "status": {
                "conditions": [
                    {
                        "type": "DisruptionTarget",
                        "status": "True",
                        "reason": "PreemptionByScheduler",
                    }
                ]
            },
        },
        Pod,
    )
    promised = decode(
        {
            "spec": {"priority": 5, "containers": [{"resources": {"requests": {"cpu": "4"}}}]},
            "status": {"nominatedNodeName": "a"},
        },
        Pod,
    )
    found = outcome(promised, [node("a", leaving)])
    assert found.ineligible == "not eligible due to a terminating pod on the nominated node."


def test_hopeless_nodes_are_not_tried() -> None:
    """Where even the empty node is too small, nobody is driven out."""
    found = outcome(pod("new", 5, "8"), [node("a", pod("low", 1))])
    assert found.potential == ()
