"""From manifests to a placement problem: who stays, who is to be placed, and as what."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import pytest
import yaml
from hypothesis import given as drawn
from hypothesis import strategies as st

from kubelemma.model.manifests import InvalidInput
from kubelemma.model.objects.quantity import Quantity
from kubelemma.placing.answering import answers
from kubelemma.placing.asking import Asked
from kubelemma.placing.inventory import Key
from kubelemma.placing.plan import Input, Plan, plan, read

Raw: TypeAlias = dict[str, Any]

LABELS = {"app": "web"}
CONTAINER = {"name": "c", "image": "c:1", "resources": {"requests": {"cpu": "500m"}}}


def node(name: str, **spec: Any) -> Raw:
    """A node of four cores."""
    labels = {"kubernetes.io/hostname": name, **spec.pop("labels", {})}
    status = {"allocatable": {"cpu": spec.pop("cpu", "4"), "memory": "8Gi", "pods": "110"}}
    metadata = {"name": name, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def workload(kind: str, name: str = "web", **spec: Any) -> Raw:
    """A workload whose pods ask for half a core."""
    pod = {"containers": [CONTAINER], **spec.pop("pod", {})}
    version = {"Job": "batch/v1", "ReplicationController": "v1"}.get(kind, "apps/v1")
    body = {"template": {"metadata": {"labels": LABELS}, "spec": pod}, **spec}
    if kind == "Job":
        pod.setdefault("restartPolicy", "Never")
    elif kind != "ReplicationController":
        body.setdefault("selector", {"matchLabels": LABELS})
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": body}


def pod(name: str, on: str = "", owner: Mapping[str, str] | None = None, **more: Any) -> Raw:
    """A pod; ``owner`` is a kind and a name."""
    metadata: Raw = {"name": name, "labels": {**LABELS, **more.pop("labels", {})}}
    for kind, owner_name in (owner or {}).items():
        metadata["ownerReferences"] = [{"kind": kind, "name": owner_name, "controller": True}]
    if more.pop("terminating", False):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = {"phase": more.pop("phase", "Running" if on else "Pending")}
    spec = {"containers": [CONTAINER], **({"nodeName": on} if on else {}), **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def given(*documents: Raw) -> Input:
    """The documents with two nodes, unless they bring their own."""
    nodes = [] if any(d["kind"] == "Node" for d in documents) else [node("a"), node("b")]
    (found,) = read(["-"], yaml.safe_dump_all([*nodes, *documents]))
    return found


def planned(*documents: Raw, **how: Any) -> Plan:
    """The problem that the documents make up."""
    return plan(given(*documents), **how)


def to_place(found: Plan) -> dict[str, int]:
    """How many pods of each workload are to be placed."""
    return {w.name: w.count for w in found.problem.workloads}


def staying(found: Plan) -> list[str]:
    """The pods that stay."""
    return [p.metadata.name for p in found.problem.cluster.pods]


OF_WEB = {"ReplicaSet": "web-5d4"}
HASH = {"pod-template-hash": "5d4"}


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("Deployment", {"replicas": 3}, 3),
        ("Deployment", {}, 1),
        ("ReplicaSet", {"replicas": 2}, 2),
        ("StatefulSet", {"replicas": 2}, 2),
        ("ReplicationController", {"replicas": 2, "selector": LABELS}, 2),
        ("Job", {"parallelism": 4}, 4),
        ("Job", {"parallelism": 4, "completions": 2}, 2),
        ("Job", {"suspend": True}, 0),
    ],
)
def test_workloads_want_pods(kind: str, spec: Raw, expected: int) -> None:
    """Each kind says in its own way how many pods it wants at once."""
    found = to_place(planned(workload(kind, **spec)))
    assert found == ({f"{kind} default/web": expected} if expected else {})


def test_jobs_that_ended_want_nothing() -> None:
    """A Job that is complete, or has all the successes it wants, has no pods to place."""
    ended = workload("Job", parallelism=2)
    ended["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    nearly = workload("Job", "nearly", parallelism=3, completions=5)
    nearly["status"] = {"succeeded": 4}
    assert to_place(planned(ended, nearly)) == {"Job default/nearly": 1}


def test_only_missing_pods_are_placed() -> None:
    """Pods of a Deployment that are on nodes stay; pending ones are among those that it lacks."""
    found = planned(
        workload("Deployment", replicas=3),
        pod("web-5d4-1", "a", OF_WEB, labels=HASH),
        pod("web-5d4-2", "", OF_WEB, labels=HASH),
    )
    assert to_place(found) == {"Deployment default/web": 2}
    assert staying(found) == ["web-5d4-1"]
    (made,) = found.problem.workloads
    assert made.pod.metadata.label_map() == {**LABELS, **HASH}


BIG = [{"name": "c", "image": "c:2", "resources": {"requests": {"cpu": "3"}}}]


def in_mid_rollout(*, sets: bool) -> list[Raw]:
    """Two old pods on nodes and a new one that is pending; the ReplicaSets are there, or not."""
    new = {"pod-template-hash": "7f5"}
    owned = []
    for labels, revision, containers in ((HASH, "1", [CONTAINER]), (new, "2", BIG)):
        name = f"web-{labels['pod-template-hash']}"
        one = workload("ReplicaSet", name, pod={"containers": containers})
        one["spec"]["template"]["metadata"] = {"labels": {**LABELS, **labels}}
        one["spec"]["replicas"] = 3 - int(revision)
        one["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": revision}
        one["metadata"]["ownerReferences"] = [
            {"kind": "Deployment", "name": "web", "controller": True}
        ]
        owned.append(one)
    return [
        workload("Deployment", replicas=2, pod={"containers": BIG}),
        *(owned if sets else ()),
        pod("web-5d4-1", "a", OF_WEB, labels=HASH),
        pod("web-5d4-2", "b", OF_WEB, labels=HASH),
        pod("web-7f5-3", "", {"ReplicaSet": "web-7f5"}, labels=new, containers=BIG),
    ]


@pytest.mark.parametrize(
    ("sets", "name"),
    [(True, "Deployment default/web"), (False, "Deployment default/web (web-7f5-3)")],
)
def test_pending_pods_of_a_rollout(*, sets: bool, name: str) -> None:
    """A pending pod counts on top of the replicas that are there, and is what it is."""
    found = planned(*in_mid_rollout(sets=sets))
    assert to_place(found) == {name: 1}
    assert staying(found) == ["web-5d4-1", "web-5d4-2"]
    (waiting,) = found.problem.workloads
    (container,) = waiting.pod.spec.containers or ()
    assert container.resources is not None
    assert container.resources.requests == {"cpu": Quantity(Fraction(3))}
    assert waiting.pod.metadata.label_map()["pod-template-hash"] == "7f5"


def test_pending_pods_of_an_old_template() -> None:
    """Pods of a version that is on its way out are as pending as those of the new one."""
    old = pod("web-5d4-4", "", OF_WEB, labels=HASH)
    found = planned(*in_mid_rollout(sets=True), old)
    assert to_place(found) == {"Deployment default/web": 1, "Deployment default/web (web-5d4-4)": 1}


def test_pods_of_a_surge_that_are_there_already() -> None:
    """A rollout has so many pods at once, whether some of its surge are there yet or not."""
    (found,) = answers(
        Asked(
            paths=("-",),
            stdin=yaml.safe_dump_all([node("a"), node("b"), *in_mid_rollout(sets=True)]),
            surge=("web",),
        )
    )
    assert found.report.pods == 1


def test_scaled_down_pods_go_before_they_are_placed() -> None:
    """Who scales a workload down is rid of its pending pods first."""
    key = Key("Deployment", "default", "web")
    assert to_place(planned(*in_mid_rollout(sets=True), scale={key: 2})) == {}
    assert sum(to_place(planned(*in_mid_rollout(sets=True), scale={key: 5})).values()) == 3


def test_pending_pods_with_claims() -> None:
    """Of a StatefulSet's pods the pending ones are themselves, and the others are made up."""
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    template = {"metadata": {"name": "data"}, "spec": wanted}
    db = workload("StatefulSet", "db", replicas=3, volumeClaimTemplates=[template])
    found = planned(
        db,
        pod("db-0", "a", {"StatefulSet": "db"}),
        pod("db-1", "", {"StatefulSet": "db"}, nodeSelector={"disk": "ssd"}),
    )
    assert to_place(found) == {"StatefulSet default/db": 1, "StatefulSet default/db (db-1)": 1}


def test_pods_with_tokens_of_their_own_are_alike() -> None:
    """The volume that every pod has for its token makes no difference between pods."""
    pods = [
        pod(f"p{i}", "", {"Widget": "w"}, volumes=[{"name": f"kube-api-access-{i}"}])
        for i in range(3)
    ]
    assert to_place(planned(*pods)) == {"Widget default/w": 3}


def test_replica_set_of_a_deployment_is_no_workload() -> None:
    """A ReplicaSet in the input leads from pods to their Deployment, and wants nothing itself."""
    owned = workload("ReplicaSet", "web-x", replicas=2)
    owned["metadata"]["ownerReferences"] = [
        {"kind": "Deployment", "name": "web", "controller": True}
    ]
    found = planned(
        workload("Deployment", replicas=2), owned, pod("p", "a", {"ReplicaSet": "web-x"})
    )
    assert to_place(found) == {"Deployment default/web": 1}


def test_pods_of_unknown_owners() -> None:
    """Those on nodes are load, those that wait are placed together where they are alike."""
    owner = {"ReplicaSet": "other-1"}
    found = planned(pod("p1", "a", owner), pod("p2", "", owner), pod("p3", "", owner))
    assert to_place(found) == {"ReplicaSet default/other-1": 2}
    assert staying(found) == ["p1"]


def test_unlike_pods_of_one_owner_are_told_apart() -> None:
    """Pods that differ in what they ask for are workloads of their own, with names of their own."""
    owner = {"StatefulSet": "db"}
    found = planned(pod("db-0", "", owner), pod("db-1", "", owner, nodeSelector={"disk": "ssd"}))
    assert to_place(found) == {
        "StatefulSet default/db (db-0)": 1,
        "StatefulSet default/db (db-1)": 1,
    }


def test_bare_pods() -> None:
    """A pod that nobody owns is placed if it has no node, and stays where it is if it has one."""
    found = planned(pod("here", "a"), pod("waits"), reschedule=True)
    assert to_place(found) == {"Pod default/waits": 1}
    assert staying(found) == ["here"]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_ended_pods_do_not_count(phase: str) -> None:
    """A terminal pod holds nothing, and its controller replaces it."""
    found = planned(
        workload("Deployment", replicas=1), pod("p", "a", OF_WEB, labels=HASH, phase=phase)
    )
    assert to_place(found) == {"Deployment default/web": 1}
    assert staying(found) == []


def test_terminating_pods() -> None:
    """A pod of a Deployment holds its node while its replacement is placed; a StatefulSet waits."""
    stateful = workload("StatefulSet", "db", replicas=1)
    found = planned(
        workload("Deployment", replicas=1),
        stateful,
        pod("p", "a", OF_WEB, labels=HASH, terminating=True),
        pod("db-0", "a", {"StatefulSet": "db"}, terminating=True),
    )
    assert to_place(found) == {"Deployment default/web": 1, "StatefulSet default/db": 1}
    assert staying(found) == ["p"]


def test_reschedule() -> None:
    """Pods with a controller may move; those of DaemonSets, mirror pods and bare ones stay."""
    mirror = pod("static-a", "a", {"Node": "a"})
    found = planned(
        workload("Deployment", replicas=2),
        pod("p", "a", OF_WEB, labels=HASH),
        pod("q", "a", {"ReplicaSet": "gone-1"}),
        pod("agent-x", "b", {"DaemonSet": "agent"}),
        pod("bare", "b"),
        mirror,
        reschedule=True,
    )
    assert to_place(found) == {"Deployment default/web": 2, "ReplicaSet default/gone-1": 1}
    assert sorted(staying(found)) == ["agent-x", "bare", "static-a"]
    assert all(not w.pod.spec.node_name for w in found.problem.workloads)


@drawn(
    replicas=st.integers(0, 4),
    states=st.lists(
        st.tuples(
            st.sampled_from(["", "a", "b"]),
            st.sampled_from(["Running", "Pending", "Failed"]),
            st.booleans(),
        ),
        max_size=5,
    ),
    reschedule=st.booleans(),
)
def test_pods_add_up(
    *, replicas: int, states: list[tuple[str, str, bool]], reschedule: bool
) -> None:
    """Living pods that stay and those to be placed are the replicas, or more only if more exist."""
    pods = [
        pod(f"p{i}", on, OF_WEB, labels=HASH, phase=phase, terminating=leaving)
        for i, (on, phase, leaving) in enumerate(states)
    ]
    found = planned(workload("Deployment", replicas=replicas), *pods, reschedule=reschedule)
    alive = [on for on, phase, leaving in states if on and phase != "Failed" and not leaving]
    holding = [on for on, phase, _ in states if on and phase != "Failed"]
    waiting = [1 for on, phase, leaving in states if not on and phase != "Failed" and not leaving]
    there = 0 if reschedule else len(alive)
    assert sum(to_place(found).values()) == max(len(waiting), replicas - there)
    assert len(staying(found)) == there + len(holding) - len(alive)


def test_scale() -> None:
    """A number of replicas on the command line comes before the one that is written."""
    key = Key("Deployment", "default", "web")
    found = planned(workload("Deployment", replicas=1), scale={key: 7})
    assert to_place(found) == {str(key): 7}


def test_surplus_is_said() -> None:
    """More pods than are asked for stay, and the report says so."""
    found = planned(workload("Deployment", replicas=0), pod("p", "a", OF_WEB, labels=HASH))
    assert to_place(found) == {}
    assert any(
        "nobody asks for them: 1 of Deployment default/web" in line for line in found.setting
    )


def test_gated_pods_are_not_placed() -> None:
    """No scheduler looks at a pod with a scheduling gate, and the report says so."""
    gated = {"schedulingGates": [{"name": "wait"}]}
    found = planned(workload("Deployment", replicas=3, pod=gated))
    assert to_place(found) == {}
    assert any("3 pods wait for their scheduling gates" in line for line in found.setting)


def test_pods_of_unknown_nodes_are_left_out() -> None:
    """A pod on a node that is not in the input is listed, and not counted anywhere."""
    found = planned(pod("p", "elsewhere"))
    assert staying(found) == []
    (said,) = [n for n in found.not_modelled if n.path == "spec.nodeName"]
    assert "elsewhere" in said.reason


def test_daemon_sets() -> None:
    """One pod on each eligible node, present ones counted, and tolerations added by the kind."""
    tainted = node("t", taints=[{"key": "x", "effect": "NoSchedule"}])
    found = planned(
        node("a"),
        node("b", unschedulable=True),
        tainted,
        workload("DaemonSet"),
        pod("web-a", "a", {"DaemonSet": "web"}),
    )
    (daemon,) = found.daemons
    assert (daemon.wanted, daemon.missing) == (2, 1)
    assert staying(found) == ["web-a", "web-b"]
    assert to_place(found) == {}


def test_daemon_pods_that_do_not_fit_are_left_to_the_decision() -> None:
    """Where there is no room for a DaemonSet's pod, it is a workload for that node alone."""
    found = planned(node("a", cpu="100m"), node("b"), workload("DaemonSet"))
    assert to_place(found) == {"DaemonSet default/web (a)": 1}
    assert staying(found) == ["web-b"]


def test_priorities() -> None:
    """A class that is named gives its priority, the default one goes to all others."""
    named = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    classes: list[Raw] = [
        {**named, "metadata": {"name": "high"}, "value": 100, "preemptionPolicy": "Never"},
        {**named, "metadata": {"name": "usual"}, "value": 5, "globalDefault": True},
    ]
    found = planned(
        *classes,
        workload("Deployment", "a", pod={"priorityClassName": "high"}),
        workload("Deployment", "b"),
        workload("Deployment", "c", pod={"priorityClassName": "system-node-critical"}),
        workload("Deployment", "d", pod={"priorityClassName": "missing"}),
    )
    specs = [w.pod.spec for w in found.problem.workloads]
    assert [s.priority for s in specs] == [100, 5, 2_000_001_000, 0]
    assert specs[0].preemption_policy == "Never"
    assert [n.object for n in found.not_modelled if n.path.endswith("priorityClassName")] == [
        "Deployment default/d"
    ]


def test_runtime_class() -> None:
    """A runtime adds its overhead, its node selector and its tolerations."""
    runtime: Raw = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "kata"},
        "handler": "kata",
        "overhead": {"podFixed": {"memory": "160Mi"}},
        "scheduling": {
            "nodeSelector": {"kata": "yes"},
            "tolerations": [{"key": "kata", "operator": "Exists"}],
        },
    }
    found = planned(runtime, workload("Deployment", pod={"runtimeClassName": "kata"}))
    (made,) = found.problem.workloads
    assert made.pod.spec.overhead == {"memory": Quantity.parse("160Mi")}
    assert made.pod.spec.node_selector == {"kata": "yes"}
    assert "kata" in {t.key for t in made.pod.spec.tolerations or ()}


def test_limit_range() -> None:
    """Defaults of the namespace fill what containers do not say; a bound is a default, too."""
    limits: Raw = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "limits"},
        "spec": {
            "limits": [
                {
                    "type": "Container",
                    "default": {"cpu": "1", "memory": "512Mi"},
                    "defaultRequest": {"memory": "256Mi"},
                    "min": {"ephemeral-storage": "1Gi"},
                }
            ]
        },
    }
    found = planned(limits, workload("Deployment"))
    (made,) = found.problem.workloads
    (container,) = made.pod.spec.containers or ()
    assert container.resources is not None
    assert {k: str(v) for k, v in (container.resources.requests or {}).items()} == {
        "cpu": "500m",
        "memory": "256Mi",
        "ephemeral-storage": "1Gi",
    }


def test_label_keys_are_merged() -> None:
    """A new pod's spread counts only pods of its own revision where it asks for that."""
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": LABELS},
        "matchLabelKeys": ["pod-template-hash"],
    }
    found = planned(workload("Deployment", pod={"topologySpreadConstraints": [spread]}))
    (constraint,) = found.problem.workloads[0].pod.spec.topology_spread_constraints or ()
    assert constraint.label_selector is not None
    asked = constraint.label_selector.match_expressions or ()
    assert [(e.key, e.values) for e in asked] == [("pod-template-hash", ("new",))]


def test_namespaces_have_their_name_as_label() -> None:
    """Of a namespace that is not in the input its name is known."""
    found = planned(workload("Deployment"))
    assert found.problem.cluster.namespaces == {
        "default": {"kubernetes.io/metadata.name": "default"}
    }


def test_other_kinds_are_listed() -> None:
    """What is not placed is said, and what has no effect is told from what might have one."""
    cron: Raw = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}}
    service: Raw = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    found = planned(cron, service, workload("Deployment"))
    severities = {n.object: n.severity for n in found.not_modelled if not n.path}
    assert severities == {
        "CronJob default/nightly": "not modelled",
        "Service default/web": "irrelevant",
    }


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([workload("Deployment")], "no Node"),
        ([node("a")], "no pods and no workloads"),
        ([node("a"), workload("StatefulSet", replicas=-1)], "spec.replicas: -1 is negative"),
        ([node("a"), workload("Job", pod={"restartPolicy": "Always"})], "restartPolicy"),
        ([node("a"), workload("DaemonSet", selector={"matchLabels": {"a": "b"}})], "missing"),
    ],
)
def test_refused(documents: list[Raw], words: str) -> None:
    """Input that makes no problem is refused with where and why."""
    with pytest.raises(InvalidInput, match=words):
        read(["-"], yaml.safe_dump_all(documents))


def test_nodes_of_the_command_line() -> None:
    """Nodes can be given as an option, beside those of the input, but not under their names."""
    text = yaml.safe_dump_all([workload("Deployment"), node("a")])
    (found,) = read(["-"], text, nodes=("count=2,cpu=4",))
    assert [n.metadata.name for n in found.nodes] == ["a", "node-1", "node-2"]
    with pytest.raises(InvalidInput, match="is the name of a node in the input"):
        read(["-"], text, nodes=("name=a,cpu=4",))
