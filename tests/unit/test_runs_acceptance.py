"""Judging small runs: what is accepted, what is refused and why, what is taken as it comes."""

from __future__ import annotations

from typing import Any

import pytest

from kubelemma.reports.conformance import Answer, JudgedRun, Outside, Refusal
from kubelemma.runs.acceptance import judge_file


def judged(recorder: Any) -> JudgedRun:
    """What is said of the run."""
    return judge_file(recorder.save())


def only_refusal(recorder: Any) -> Refusal:
    """The refusal, of which there must be one."""
    (found,) = judged(recorder).refusals
    return found


@pytest.fixture
def two(recorder: Any) -> Any:
    """A Deployment rolled out on two nodes."""
    recorder.rolled_out("node-1", "node-2")
    return recorder


def test_a_rollout_is_accepted(two: Any) -> None:
    """Creation, binding, start and status are behaviours of the model."""
    run = judged(two)
    assert (run.answer, run.writes, run.inputs, run.deployments) == (Answer.ACCEPTED, 10, 1, 1)


def test_a_run_may_end_early(two: Any) -> None:
    """A run that ends at a whole line is judged as far as it goes."""
    del two.lines[8:]
    run = judged(two)
    assert (run.answer, run.problem) == (Answer.ACCEPTED, None)


def test_users_are_inputs(two: Any) -> None:
    """What users do is not judged, what follows from it is."""
    two.deployment(1)
    two.replica_set("web-1", 1)
    two.write("driver", "patch", "Node", "node-2", spec={"unschedulable": True})
    run = judged(two)
    assert (run.answer, run.inputs) == (Answer.ACCEPTED, 3)


def test_one_pod_too_many(two: Any) -> None:
    """A pod that nobody asked for is refused, and would not have been right earlier either."""
    two.pod("web-1-3", "web-1")
    found = only_refusal(two)
    assert (found.actor, found.what) == ("sa:replicaset-controller", "create Pod")
    assert found.object == "default/web-1-3"
    assert found.line == len(two.lines)
    assert found.changes == ("pods of web-1 without a node: 0 -> 1",)
    assert found.in_hand == ("nothing",)


def test_a_wrong_size(two: Any) -> None:
    """A ReplicaSet of another size than the Deployment's is refused, with the right one."""
    two.deployment(5)
    two.replica_set("web-1", 4)
    found = only_refusal(two)
    assert "ReplicaSet web-1: spec.replicas: 2 -> 4" in found.changes
    assert found.nearest is not None
    assert found.nearest.action == "scale-replicaset"
    assert "ReplicaSet web-1: spec.replicas: 2 -> 5" in found.nearest.changes


def test_an_older_view(two: Any) -> None:
    """A binding to a node that was cordoned before would have been possible before that."""
    two.deployment(3)
    two.replica_set("web-1", 3)
    two.pod("web-1-3", "web-1")
    created = two.lines[-1]["rv"]
    two.write("driver", "patch", "Node", "node-2", spec={"unschedulable": True})
    two.bind("web-1-3", "node-2")
    found = only_refusal(two)
    assert found.actor == "system:kube-scheduler"
    assert found.read_at == created


def test_another_actor(two: Any) -> None:
    """Whoever writes must be the one who does so in the model; without a name, anybody may."""
    two.deployment(3)
    two.replica_set("web-1", 3)
    two.lines[-1]["actor"] = "sa:replicaset-controller"
    two.lines[-1]["via"] = "update"
    assert judged(two).answer is Answer.REFUSED
    del two.lines[-1]["actor"]
    assert judged(two).answer is Answer.ACCEPTED


def test_other_controllers_are_counted(two: Any) -> None:
    """Who is not modelled may write, and the run is accepted in part."""
    two.write(
        "sa:horizontal-pod-autoscaler", "update/scale", "Deployment", "web", spec={"replicas": 3}
    )
    two.replica_set("web-1", 3)
    run = judged(two)
    assert run.answer is Answer.IN_PART
    assert run.outside == (Outside("sa:horizontal-pod-autoscaler", "update/scale Deployment", 1),)


def test_pods_of_others_are_load(two: Any) -> None:
    """A pod of a Job that takes a node's room keeps others from it."""
    two.deployment(3)
    two.replica_set("web-1", 3)
    two.pod("web-1-3", "web-1")
    huge = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}]}
    job = {"kind": "Job", "name": "sum", "uid": "Job-sum", "controller": True}
    owned = {"namespace": "default", "ownerReferences": [job]}
    place = {"metadata": owned, "status": {"phase": "Running"}}
    two.write("driver", "create", "Pod", "huge", spec={**huge, "nodeName": "node-2"}, **place)
    two.bind("web-1-3", "node-2")
    run = judged(two)
    assert run.outside == (Outside("driver", "create Pod of a Job", 1),)
    assert [refusal.what for refusal in run.refusals] == ["create/binding Pod"]


def test_unready_pods_are_inputs(two: Any) -> None:
    """A kubelet may report that a pod is no longer Ready, at any time."""
    two.run("web-1-1", ready=False)
    two.status("web-1", 2, 1)
    run = judged(two)
    assert (run.answer, run.inputs) == (Answer.ACCEPTED, 2)


def test_machines_that_stop(two: Any) -> None:
    """A node turns Unknown only where the run says that its machine has stopped."""
    unknown = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
    two.write("sa:node-controller", "update/status", "Node", "node-1", status=unknown)
    assert judged(two).answer is Answer.REFUSED
    two.lines.insert(-1, {"src": "kubelet", "op": "node-down", "node": "node-1", "t0": 1.0})
    assert judged(two).answer is Answer.ACCEPTED


def test_what_was_on_its_way(two: Any) -> None:
    """A kubelet's request that was sent before its machine stopped may arrive after that."""
    two.run("web-1-1", ready=False)
    two.say("kubelet", op="node-down", node="node-1", t0=5.0)
    two.run("web-1-1", ready=True)
    two.lines[-1]["reqT"] = [4.999, 5.01]
    assert judged(two).answer is Answer.ACCEPTED
    two.lines[-1]["reqT"] = [5.001, 5.01]
    assert judged(two).answer is Answer.REFUSED


def test_a_process_that_was_stopped(two: Any) -> None:
    """What a resumed scheduler had read before it was stopped is no refusal, but counted."""
    two.deployment(3)
    two.replica_set("web-1", 3)
    two.pod("web-1-3", "web-1")
    two.say("driver", op="sigstop", process="kube-scheduler")
    two.write("driver", "patch", "Node", "node-2", spec={"unschedulable": True})
    two.say("driver", op="sigcont", process="kube-scheduler")
    two.bind("web-1-3", "node-2")
    run = judged(two)
    assert run.answer is Answer.IN_PART
    assert run.outside[0].what.startswith("create/binding Pod, after kube-scheduler had been")


def test_two_controller_managers(two: Any) -> None:
    """While two are at work, what one of them should not have done is no refusal, but counted."""
    two.say("driver", op="start", process="kube-controller-manager-b")
    two.pod("web-1-3", "web-1")
    run = judged(two)
    assert run.answer is Answer.IN_PART
    assert run.outside[0].what == "create Pod, while two of kube-controller-manager were at work"
    two.lines[0]["leaderElect"] = True
    assert judged(two).answer is Answer.REFUSED


def test_the_run_goes_on_after_a_refusal(two: Any) -> None:
    """What is refused is forced, so that it is told once."""
    two.pod("web-1-3", "web-1")
    two.bind("web-1-3", "node-2")
    two.run("web-1-3", ready=False)
    run = judged(two)
    assert (run.writes, run.accepted) == (13, 12)


def test_nothing_to_judge(recorder: Any) -> None:
    """A run in which nothing is modelled is not said to be accepted."""
    recorder.say("header")
    recorder.node("node-1")
    assert judged(recorder).answer is Answer.UNDECIDED


def test_a_heartbeat_on_its_way(two: Any) -> None:
    """A machine that is back may still be taken for silent, until its kubelet writes."""
    unknown = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
    two.say("kubelet", op="node-down", node="node-1", t0=1.0)
    two.say("kubelet", op="node-up", node="node-1", t0=60.0)
    two.write("sa:node-controller", "update/status", "Node", "node-1", status=unknown)
    two.run("web-1-1", ready=False)
    assert judged(two).answer is Answer.ACCEPTED
    two.write("sa:node-controller", "update/status", "Node", "node-1", status=unknown)
    assert judged(two).answer is Answer.ACCEPTED


def test_what_a_kubelet_has_admitted(recorder: Any) -> None:
    """A pod is rejected where others that do not run yet, but were admitted, took the room."""
    recorder.say("header")
    recorder.say("kubelet", op="register-node", node="node-1", spec={"kubelet_alloc": {"cpu": "1"}})
    recorder.node("node-1")
    recorder.deployment(2)
    recorder.replica_set("web-1", 2)
    for name in ("web-1-1", "web-1-2"):
        recorder.pod(name, "web-1")
        recorder.bind(name, "node-1")
    admitted = {"phase": "Pending", "startTime": "2026-01-01T00:00:00Z"}
    recorder.write("fake-kubelet", "patch/status", "Pod", "web-1-1", status=admitted)
    failed = {"phase": "Failed", "reason": "OutOfcpu"}
    recorder.write("fake-kubelet", "patch/status", "Pod", "web-1-2", status=failed)
    assert judged(recorder).answer is Answer.ACCEPTED
    recorder.lines[1]["spec"] = {}
    assert judged(recorder).answer is Answer.REFUSED


def test_creations_that_are_refused(two: Any) -> None:
    """The API server may refuse a pod: then the sync goes on to its status without it."""
    two.deployment(4)
    two.replica_set("web-1", 4)
    two.run("web-1-1", ready=False)
    owners = [{"uid": "ReplicaSet-web-1", "controller": True}]
    asked = {"metadata": {"ownerReferences": owners}}
    user = "sa:replicaset-controller"
    two.say("request", user=user, verb="create", resource="pods", code=403, body=asked)
    two.status("web-1", 2, 1)
    run = judged(two)
    assert run.answer is Answer.IN_PART
    assert run.outside == (Outside("API server", "refuses create Pod (403)", 1),)
    two.lines = [line for line in two.lines if line["src"] != "request"]
    assert judged(two).answer is Answer.REFUSED


def test_outages_of_the_api_server(two: Any) -> None:
    """After an outage live nodes may be taken for silent ones, by what the run says of it."""
    two.say("driver", op="kill", process="kube-apiserver")
    two.say("driver", op="start", process="kube-apiserver")
    unknown = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
    two.write("sa:node-controller", "update/status", "Node", "node-1", status=unknown)
    assert judged(two).answer is Answer.ACCEPTED


def test_restarted_controllers_forget(two: Any) -> None:
    """A controller manager that starts anew does not go on with what it had decided."""
    two.run("web-1-1", ready=False)
    two.say("driver", op="kill", process="kube-controller-manager")
    two.run("web-1-1", ready=True)
    two.say("driver", op="start", process="kube-controller-manager")
    two.status("web-1", 2, 1)
    assert judged(two).answer is Answer.REFUSED
    two.lines = [line for line in two.lines if line["src"] != "driver"]
    assert judged(two).answer is Answer.ACCEPTED


def test_objects_that_wait_for_their_end(two: Any) -> None:
    """Nobody works on a ReplicaSet that is marked for deletion."""
    marked = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    two.write("sa:generic-garbage-collector", "delete", "ReplicaSet", "web-1", metadata=marked)
    two.status("web-1", 0, 0)
    assert not judged(two).refusals
