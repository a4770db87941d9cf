"""Judging what becomes of pods that nobody owns, and of pods whose labels or owner change."""

from __future__ import annotations

from typing import Any

import pytest

from kubelemma.reports.conformance import Answer, JudgedRun
from kubelemma.runs.acceptance import judge_file
from kubelemma.runs.cluster import Cluster
from kubelemma.runs.format import Write, read
from kubelemma.runs.roster import roster_of

COST = "controller.kubernetes.io/pod-deletion-cost"


def judged(recorder: Any) -> JudgedRun:
    """What is said of the run."""
    return judge_file(recorder.save())


def refused(recorder: Any) -> list[tuple[str, str]]:
    """Who wrote what of the writes that are refused, and of what."""
    return [(found.actor, found.object) for found in judged(recorder).refusals]


@pytest.fixture
def two(recorder: Any) -> Any:
    """A Deployment rolled out on two nodes."""
    recorder.rolled_out("node-1", "node-2")
    return recorder


def lone(recorder: Any, name: str, cpu: str = "1", **parts: Any) -> None:
    """A pod that a user makes: ``parts`` are labels and annotations, or fields of its spec."""
    container = {"name": "c", "image": "v1", "resources": {"requests": {"cpu": cpu}}}
    own = {key: parts.pop(key) for key in ("labels", "annotations") if key in parts}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 30, **parts}
    parts = {"metadata": {"namespace": "default", **own}, "spec": spec}
    recorder.write("driver", "create", "Pod", name, **parts, status={"phase": "Pending"})


def replica_set(recorder: Any, replicas: int) -> None:
    """A ReplicaSet that nobody controls."""
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c"}]}}
    selector = {"matchLabels": {"app": "db"}}
    spec = {"replicas": replicas, "selector": selector, "template": template}
    home = {"namespace": "default"}
    recorder.write("driver", "create", "ReplicaSet", "db", metadata=home, spec=spec)


def patch(recorder: Any, name: str, actor: str = "sa:replicaset-controller", **parts: Any) -> None:
    """A change of a pod's metadata."""
    recorder.write(actor, "patch", "Pod", name, metadata=parts)


def owner(name: str) -> list[dict[str, Any]]:
    """The reference to a ReplicaSet that controls a pod."""
    return [{"kind": "ReplicaSet", "name": name, "uid": f"ReplicaSet-{name}", "controller": True}]


def test_the_life_of_a_lone_pod(two: Any) -> None:
    """It is made by a user, and scheduler and kubelet do with it as with any other."""
    before = judged(two)
    lone(two, "bare")
    two.bind("bare", "node-1")
    two.run("bare", ready=False)
    two.run("bare", ready=True)
    two.write("driver", "delete", "Pod", "bare", metadata={"deletionTimestamp": "now"})
    two.delete("fake-kubelet", "Pod", "bare")
    run = judged(two)
    assert (run.answer, run.outside, run.deployments) == (Answer.ACCEPTED, (), 1)
    assert (run.writes, run.inputs) == (before.writes + 4, before.inputs + 2)


def test_a_lone_pod_is_bound_where_it_has_room(two: Any) -> None:
    """Its binding must pass the filters, for the pod as it is."""
    lone(two, "huge", cpu="4")
    two.bind("huge", "node-1")
    (found,) = judged(two).refusals
    assert (found.actor, found.object) == ("system:kube-scheduler", "default/huge")
    assert "pods of Pod huge without a node: 1 -> 0" in found.changes


def test_lone_pods_that_are_alike(two: Any) -> None:
    """Pods of one template count as alike, whatever their names and the volumes of their tokens."""
    for number in range(3):
        volumes = [{"name": f"kube-api-access-{number}", "projected": {"sources": []}}]
        lone(two, f"bare-{number}", volumes=volumes)
    lone(two, "other", labels={"app": "other"})
    cluster, clusters = Cluster(), []
    for _, line in read(two.save()).lines:
        if isinstance(line, Write):
            cluster = cluster.after(line)
            clusters.append(cluster)
    shown = [(member.kind, member.name) for member in roster_of(clusters).members]
    assert shown == [("Deployment", "web"), ("Pod", "bare-0"), ("Pod", "other")]


def test_adoption(two: Any) -> None:
    """A ReplicaSet adopts what matches its selector, counts it, and creates what is missing."""
    lone(two, "bare", labels={"app": "db"})
    replica_set(two, 2)
    patch(two, "bare", ownerReferences=owner("db"))
    assert judged(two).answer is Answer.ACCEPTED
    made = {"namespace": "default", "labels": {"app": "db"}, "ownerReferences": owner("db")}
    for number in (1, 2):
        parts = {"metadata": made, "spec": {"containers": [{"name": "c"}]}}
        status = {"phase": "Pending"}
        two.write(
            "sa:replicaset-controller", "create", "Pod", f"db-{number}", **parts, status=status
        )
    assert refused(two) == [("sa:replicaset-controller", "default/db-2")]


def test_adoption_of_what_does_not_match(two: Any) -> None:
    """A pod with other labels is nobody's to adopt."""
    lone(two, "bare", labels={"app": "other"})
    replica_set(two, 1)
    patch(two, "bare", ownerReferences=owner("db"))
    assert refused(two) == [("sa:replicaset-controller", "default/bare")]


def test_what_is_adopted_is_claimed_first(two: Any) -> None:
    """No sync creates anything as long as there is something to adopt."""
    lone(two, "bare", labels={"app": "db"})
    replica_set(two, 1)
    made = {"namespace": "default", "labels": {"app": "db"}, "ownerReferences": owner("db")}
    parts = {"metadata": made, "spec": {"containers": [{"name": "c"}]}}
    two.write("sa:replicaset-controller", "create", "Pod", "db-1", **parts)
    patch(two, "bare", ownerReferences=owner("db"))
    assert refused(two)[0] == ("sa:replicaset-controller", "default/db-1")


def test_release(two: Any) -> None:
    """A pod that loses its label is released, then nobody's; another one takes its place."""
    patch(two, "web-1-1", "driver", labels={"app": "other"})
    patch(two, "web-1-1", ownerReferences=[])
    two.pod("web-1-3", "web-1")
    assert judged(two).answer is Answer.ACCEPTED
    two.write(
        "sa:replicaset-controller",
        "delete",
        "Pod",
        "web-1-1",
        metadata={"deletionTimestamp": "now"},
    )
    assert refused(two) == [("sa:replicaset-controller", "default/web-1-1")]


def test_release_of_what_matches(two: Any) -> None:
    """A pod that matches is not released."""
    patch(two, "web-1-1", ownerReferences=[])
    assert ("sa:replicaset-controller", "default/web-1-1") in refused(two)


def test_a_victim_that_loses_its_label(two: Any) -> None:
    """A pod that a sync had chosen to delete is deleted, whatever its labels are by then."""
    two.deployment(1)
    two.replica_set("web-1", 1)
    patch(two, "web-1-1", "driver", labels={"app": "other"})
    deleted = {"deletionTimestamp": "now"}
    two.write("sa:replicaset-controller", "delete", "Pod", "web-1-1", metadata=deleted)
    assert judged(two).answer is Answer.ACCEPTED


@pytest.mark.parametrize(("victim", "answer"), [(1, Answer.ACCEPTED), (2, Answer.REFUSED)])
def test_deletion_costs_of_single_pods(two: Any, victim: int, answer: Answer) -> None:
    """The pod that costs least is deleted first, though it is of the same template."""
    patch(two, "web-1-2", "driver", annotations={COST: "5"})
    two.deployment(1)
    two.replica_set("web-1", 1)
    deleted = {"deletionTimestamp": "now"}
    two.write("sa:replicaset-controller", "delete", "Pod", f"web-1-{victim}", metadata=deleted)
    run = judged(two)
    assert (run.answer, run.outside) == (answer, ())


@pytest.mark.parametrize(("gates", "answer"), [([], Answer.ACCEPTED), (None, Answer.REFUSED)])
def test_gates_that_are_lifted(two: Any, gates: Any, answer: Answer) -> None:
    """A gated pod is not bound before its user lifts the gate."""
    lone(two, "gated", schedulingGates=[{"name": "later"}])
    if gates is not None:
        two.write("driver", "patch", "Pod", "gated", spec={"schedulingGates": gates})
    two.bind("gated", "node-1")
    assert judged(two).answer is answer


def test_static_pods_are_load(two: Any) -> None:
    """The API has but a mirror of a static pod: it is taken as it comes."""
    lone(two, "static", annotations={"kubernetes.io/config.mirror": "hash"})
    two.write("fake-kubelet", "patch", "Pod", "static", spec={"nodeName": "node-1"})
    assert judged(two).answer is Answer.IN_PART


def test_unknown_writers_may_be_users(two: Any) -> None:
    """Where nobody knows who made a lone pod or changed a label, it was a user."""
    lone(two, "bare")
    patch(two, "web-1-1", labels={"tier": "front"})
    for line in two.lines[-2:]:
        del line["actor"]
    assert judged(two).answer is Answer.ACCEPTED
