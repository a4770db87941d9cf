"""Judging budgets and evictions in small runs: who pays for what, and what was counted when."""

from __future__ import annotations

from typing import Any

import pytest

from kubelemma.reports.conformance import Answer, JudgedRun
from kubelemma.runs.acceptance import judge_file

COUNTING = "sa:disruption-controller"
SERVER = "system:apiserver"
MARKED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def judged(recorder: Any) -> JudgedRun:
    """What is said of the run."""
    return judge_file(recorder.save())


def budget(recorder: Any, name: str = "web", **asked: Any) -> None:
    """A user's budget for the pods of the Deployment."""
    selector = {"matchLabels": {"app": "web"}}
    home = {"namespace": "default"}
    parts = {"metadata": home, "spec": {"selector": selector, **asked}}
    recorder.write("driver", "create", "PodDisruptionBudget", name, **parts)


def report(
    recorder: Any, healthy: int, needed: int, expected: int, actor: str = COUNTING, **parts: Any
) -> None:
    """A status of the budget: what is allowed follows from the rest, where nothing else is said."""
    status = {
        "expectedPods": expected,
        "currentHealthy": healthy,
        "desiredHealthy": needed,
        "disruptionsAllowed": max(0, healthy - needed),
        **parts,
    }
    recorder.write(actor, "update/status", "PodDisruptionBudget", "web", status=status)


def spend(recorder: Any, pod: str, allowed: int = 0, **numbers: int) -> None:
    """The API server's write of the budget for the eviction of a pod; so many are still allowed."""
    named = {"disruptedPods": {pod: "2026-01-01T00:00:00Z"}}
    report(recorder, **numbers, actor=SERVER, **named, disruptionsAllowed=allowed)


def evict(recorder: Any, pod: str) -> None:
    """The deletion of a pod by its eviction."""
    recorder.write("driver", "create/eviction", "Pod", pod, metadata=MARKED)


@pytest.fixture
def guarded(recorder: Any) -> Any:
    """Two pods on two nodes, one of which must be available, as the budget says."""
    recorder.rolled_out("node-1", "node-2")
    budget(recorder, maxUnavailable=1)
    report(recorder, healthy=2, needed=1, expected=2)
    return recorder


def lone_pod(recorder: Any, name: str, *, node: str, labels: dict[str, str]) -> None:
    """A pod that a user makes, bound by the scheduler."""
    parts = {"metadata": {"namespace": "default", "labels": labels}}
    recorder.write("driver", "create", "Pod", name, spec={"containers": []}, **parts)
    recorder.bind(name, node)


def test_an_eviction_that_is_paid_for(guarded: Any) -> None:
    """The budget is spent, then the pod is deleted, then the budget is counted again."""
    before = judged(guarded)
    assert before.answer is Answer.ACCEPTED
    spend(guarded, "web-1-1", healthy=2, needed=1, expected=2)
    evict(guarded, "web-1-1")
    report(guarded, healthy=1, needed=1, expected=2)
    run = judged(guarded)
    assert (run.answer, run.writes) == (Answer.ACCEPTED, before.writes + 3)


def test_nobody_need_be_named(guarded: Any) -> None:
    """Without its actors, the same is accepted."""
    spend(guarded, "web-1-1", healthy=2, needed=1, expected=2)
    evict(guarded, "web-1-1")
    for line in guarded.lines[-2:]:
        del line["actor"]
    assert judged(guarded).answer is Answer.ACCEPTED


def test_an_eviction_that_is_not_paid_for(guarded: Any) -> None:
    """A healthy pod goes only if its budget has paid for it."""
    evict(guarded, "web-1-1")
    (found,) = judged(guarded).refusals
    assert (found.actor, found.what) == ("driver", "create/eviction Pod")
    assert found.nearest is not None
    assert found.nearest.action == "grant-eviction"


def test_another_pod_is_paid_for(guarded: Any) -> None:
    """What was paid for a pod on one node is of no use to one on another."""
    spend(guarded, "web-1-1", healthy=2, needed=1, expected=2)
    evict(guarded, "web-1-2")
    (found,) = judged(guarded).refusals
    assert (found.actor, found.object) == ("driver", "default/web-1-2")


def test_a_budget_that_has_nothing_to_spend(guarded: Any) -> None:
    """What the status does not allow is not granted, though the pods are there."""
    guarded.lines.pop()
    spend(guarded, "web-1-1", healthy=0, needed=0, expected=0)
    evict(guarded, "web-1-1")
    assert {found.actor for found in judged(guarded).refusals} >= {"driver"}


def test_a_wrong_number(guarded: Any) -> None:
    """A status that no count of the pods comes to is refused."""
    report(guarded, healthy=2, needed=1, expected=2, disruptionsAllowed=2)
    (found,) = judged(guarded).refusals
    assert found.actor == COUNTING
    assert found.changes == ("PodDisruptionBudget default/web: status.disruptionsAllowed: 1 -> 2",)


def test_a_pod_that_no_budget_has_a_say_in(recorder: Any) -> None:
    """Where there is no budget, any pod may be evicted."""
    recorder.rolled_out("node-1", "node-2")
    evict(recorder, "web-1-1")
    assert judged(recorder).answer is Answer.ACCEPTED


def test_an_unready_pod_may_go(guarded: Any) -> None:
    """One that is not Ready costs nothing while enough others are healthy."""
    guarded.run("web-1-1", ready=False)
    report(guarded, healthy=1, needed=1, expected=2)
    evict(guarded, "web-1-1")
    assert judged(guarded).answer is Answer.ACCEPTED


def test_pods_of_others_are_paid_for_unjudged(guarded: Any) -> None:
    """A budget that pays for a pod of a StatefulSet is taken as it comes."""
    stateful = {"kind": "StatefulSet", "name": "db", "uid": "StatefulSet-db", "controller": True}
    owned = {"labels": {"app": "web"}, "ownerReferences": [stateful]}
    parts = {"metadata": {"namespace": "default", **owned}}
    place = {"spec": {"nodeName": "node-1", "containers": []}, "status": {"phase": "Running"}}
    guarded.write("driver", "create", "Pod", "db-0", **parts, **place)
    spend(guarded, "db-0", healthy=2, needed=1, expected=2)
    run = judged(guarded)
    assert not run.refusals
    assert (SERVER, "update/status PodDisruptionBudget") in {(o.actor, o.what) for o in run.outside}


def test_lone_pods_are_paid_for(guarded: Any) -> None:
    """A pod that nobody owns is healthy for its budget, and its eviction is judged like others."""
    lone_pod(guarded, "bare", node="node-1", labels={"app": "web"})
    guarded.run("bare", ready=True)
    report(guarded, healthy=3, needed=1, expected=2)
    spend(guarded, "bare", allowed=1, healthy=3, needed=1, expected=2)
    evict(guarded, "bare")
    assert judged(guarded).answer is Answer.ACCEPTED
    del guarded.lines[-2]
    (found,) = judged(guarded).refusals
    assert (found.actor, found.object) == ("driver", "default/bare")


def test_what_was_counted_before_is_written_later(recorder: Any) -> None:
    """A sync writes what it had counted, once: then its pods are as new as its budget."""
    recorder.rolled_out("node-1", "node-2", "node-3")
    budget(recorder, maxUnavailable=2)
    report(recorder, healthy=3, needed=1, expected=3)
    for pod in ("web-1-1", "web-1-2", "web-1-3"):
        recorder.run(pod, ready=False)
    report(recorder, healthy=2, needed=1, expected=3)
    assert judged(recorder).answer is Answer.ACCEPTED
    report(recorder, healthy=1, needed=1, expected=3)
    assert judged(recorder).answer is Answer.REFUSED


def test_a_restarted_manager_counts_anew(guarded: Any) -> None:
    """What a sync had counted is lost with the process."""
    guarded.run("web-1-1", ready=False)
    guarded.run("web-1-2", ready=False)
    guarded.say("driver", op="kill", process="kube-controller-manager")
    guarded.say("driver", op="start", process="kube-controller-manager")
    report(guarded, healthy=0, needed=1, expected=2)
    assert judged(guarded).answer is Answer.ACCEPTED


def test_budgets_of_nobody_here_are_not_followed(recorder: Any) -> None:
    """What is about no pod of a Deployment may say what it likes."""
    recorder.rolled_out("node-1")
    recorder.write(
        "driver",
        "create",
        "PodDisruptionBudget",
        "web",
        metadata={"namespace": "default"},
        spec={"selector": {"matchLabels": {"app": "other"}}, "minAvailable": 1},
    )
    report(recorder, healthy=7, needed=1, expected=9)
    assert judged(recorder).answer is Answer.ACCEPTED
