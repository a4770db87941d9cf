"""What-ifs: which problem follows from draining, losing, adding, scaling and rolling out."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

import pytest
from msgspec.structs import replace

from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.solver.placement.displaced import belongs_to_node, moves
from kubelemma.solver.placement.problem import Cluster, Problem, Workload
from kubelemma.solver.placement.whatif import (
    Reading,
    Rollout,
    add,
    cordon,
    drain,
    lose,
    scale,
    surge,
)

LEAVING = "2026-01-01T00:00:00Z"


def node(name: str, **spec: Any) -> Node:
    """A node with 4 cores, labelled with its name."""
    labels = {"kubernetes.io/hostname": name, "disk": "ssd"}
    raw = {"metadata": {"name": name, "uid": f"uid-{name}", "labels": labels}, "spec": spec}
    return decode(raw | {"status": {"allocatable": {"cpu": "4", "pods": "10"}}}, Node)


def pod(
    name: str, on: str = "", owner: str = "ReplicaSet/web", leaving: str | None = None, **spec: Any
) -> Pod:
    """A pod of an owner, on a node."""
    kind, _, called = owner.partition("/")
    owners = [{"kind": kind, "name": called, "controller": True}] if kind else []
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "labels": {"app": called},
        "deletionTimestamp": leaving,
        "ownerReferences": owners,
    }
    container = {"name": "main", "resources": {"requests": {"cpu": "1"}}}
    return decode(
        {"metadata": metadata, "spec": {"containers": [container], "nodeName": on, **spec}}, Pod
    )


def problem(*pods: Pod, workloads: tuple[Workload, ...] = ()) -> Problem:
    """Nodes a, b and c with these pods."""
    return Problem(Cluster((node("a"), node("b"), node("c")), pods), workloads)


def counts(found: Problem) -> dict[str, int]:
    """How many pods of each workload are to be placed."""
    return {workload.name: workload.count for workload in found.workloads}


def names(found: Problem) -> list[str]:
    """The names of the existing pods."""
    return [pod.metadata.name for pod in found.cluster.pods]


def pinned(to: str) -> dict[str, Any]:
    """The affinity that the DaemonSet controller gives a pod."""
    field = {"key": "metadata.name", "operator": "In", "values": [to]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


EVERY_KIND = (
    pod("web-1", "a"),
    pod("web-2", "a"),
    pod("web-3", "b"),
    pod("alone", "a", owner=""),
    pod("agent-a", "a", owner="DaemonSet/agent", affinity=pinned("a")),
    pod("proxy-a", "a", owner="Node/a"),
    pod("old", "a", leaving=LEAVING),
)


def test_drain_moves_what_kubectl_drain_evicts() -> None:
    """Pods of controllers and bare ones need a place; DaemonSet, mirror and leaving ones stay."""
    found = drain(problem(*EVERY_KIND), [0])
    assert counts(found) == {"ReplicaSet shop/web (displaced)": 2, "Pod shop/alone (displaced)": 1}
    assert names(found) == ["web-3", "agent-a", "proxy-a", "old"]
    assert [n.spec.unschedulable for n in found.cluster.nodes] == [True, False, False]


def test_a_displaced_pod_is_a_new_one() -> None:
    """It keeps labels, owner and requests, and loses name, node and status."""
    (workload,) = drain(problem(pod("web-1", "a")), [0]).workloads
    assert workload.pod.spec.node_name == workload.pod.metadata.name == ""
    assert workload.pod.metadata.labels == {"app": "web"}
    assert workload.pod.spec.containers == pod("web-1").spec.containers


def test_pods_that_differ_are_workloads_of_their_own() -> None:
    """Names of displaced workloads are unique, also beside those that exist."""
    existing = Workload("ReplicaSet shop/web (displaced)", pod("x"), 1)
    larger = pod("web-2", "a", priority=7)
    found = drain(problem(pod("web-1", "a"), larger, workloads=(existing,)), [0])
    assert list(counts(found)) == [
        "ReplicaSet shop/web (displaced)",
        "ReplicaSet shop/web (displaced 2)",
        "ReplicaSet shop/web (displaced 3)",
    ]


def test_cordon_changes_the_node_only() -> None:
    """What is on a cordoned node stays there."""
    found = cordon(problem(*EVERY_KIND), [2])
    assert found.cluster.pods == EVERY_KIND
    assert [n.spec.unschedulable for n in found.cluster.nodes] == [False, False, True]


def test_a_node_that_is_gone_takes_everything_with_it() -> None:
    """Only pods that somebody creates again are left to be placed."""
    found = lose(problem(*EVERY_KIND), [0], Reading.GONE)
    assert [n.metadata.name for n in found.cluster.nodes] == ["b", "c"]
    assert names(found) == ["web-3"]
    assert sum(counts(found).values()) == 3


def test_on_an_unreachable_node_evicted_pods_never_finish_leaving() -> None:
    """The node is tainted and stays; its pods are replaced, and still there."""
    found = lose(problem(*EVERY_KIND), [0], Reading.UNREACHABLE)
    assert [t.effect for t in found.cluster.nodes[0].spec.taints or ()] == [
        "NoSchedule",
        "NoExecute",
    ]
    leaving = [p.metadata.name for p in found.cluster.pods if p.metadata.deletion_timestamp]
    assert leaving == ["web-1", "web-2", "alone", "old"]
    assert sum(counts(found).values()) == 3


@pytest.mark.parametrize(("seconds", "evicted"), [(None, 0), (300, 1)])
def test_who_tolerates_unreachable_for_ever_stays(seconds: int | None, evicted: int) -> None:
    """A toleration with a time limit, as every pod gets by default, only delays the eviction."""
    toleration = {"key": "node.kubernetes.io/unreachable", "operator": "Exists"}
    enduring = pod("web-1", "a", tolerations=[toleration | {"tolerationSeconds": seconds}])
    found = lose(problem(enduring), [0], Reading.UNREACHABLE)
    assert sum(counts(found).values()) == evicted


def test_a_daemon_pod_to_be_placed_is_lost_with_its_node() -> None:
    """Its controller wants it on that node only."""
    waiting = tuple(
        Workload(f"agent on {n}", pod("", owner="DaemonSet/agent", affinity=pinned(n)), 1)
        for n in "ab"
    )
    found = lose(problem(workloads=waiting), [0])
    assert list(counts(found)) == ["agent on b"]


def test_an_added_node_is_fresh_and_comes_with_its_daemons() -> None:
    """Copies are schedulable, have names of their own, and run what every such node runs."""
    found = add(cordon(problem(*EVERY_KIND), [0]), node("a", unschedulable=True), 2)
    added = found.cluster.nodes[3:]
    assert [n.metadata.name for n in added] == ["a-added-1", "a-added-2"]
    assert [n.metadata.label_map()["kubernetes.io/hostname"] for n in added] == [
        "a-added-1",
        "a-added-2",
    ]
    assert not any(n.spec.unschedulable for n in added)
    there = [p for p in found.cluster.pods if p.spec.node_name == "a-added-2"]
    assert [p.metadata.name for p in there] == ["agent-a-added-2", "proxy-a-added-2"]
    assert all(map(belongs_to_node, there))
    assert (
        there[0].spec.affinity
        == decode({"spec": {"affinity": pinned("a-added-2")}}, Pod).spec.affinity
    )


def test_adding_again_takes_other_names() -> None:
    """Nodes are told apart however often one adds."""
    found = add(add(problem(), node("a"), 1), node("a"), 1)
    assert [n.metadata.name for n in found.cluster.nodes[3:]] == ["a-added-1", "a-added-2"]


def test_added_nodes_keep_only_taints_that_an_owner_set() -> None:
    """Taints of the node lifecycle belong to the node that is ill."""
    taints = [
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
        {"key": "dedicated", "value": "db", "effect": "NoSchedule"},
    ]
    found = add(problem(), node("d", taints=taints), 1)
    assert [t.key for t in found.cluster.nodes[3].spec.taints or ()] == ["dedicated"]


@pytest.mark.parametrize("more", [0, 3])
def test_surge_adds_what_a_rollout_has_at_most(more: int) -> None:
    """Without a surge, old pods go first and nothing is added."""
    assert sum(counts(surge(problem(), [Rollout("web", pod("web"), more)])).values()) == more


def test_surging_pods_are_of_another_template() -> None:
    """``matchLabelKeys: [pod-template-hash]`` tells new pods from old ones."""
    template = pod("web")
    labelled = replace(
        template, metadata=replace(template.metadata, labels={"pod-template-hash": "5f"})
    )
    (workload,) = surge(problem(), [Rollout("web", labelled, 1)]).workloads
    assert workload.pod.metadata.label_map()["pod-template-hash"] == "5f-next"


def test_scale_sets_the_number_to_place() -> None:
    """Other workloads keep theirs."""
    both = (Workload("web", pod("web"), 1), Workload("api", pod("api"), 2))
    assert counts(scale(problem(workloads=both), {"web": 12})) == {"web": 12, "api": 2}


def test_unknown_names_and_nodes_are_errors() -> None:
    """Nothing is ignored silently."""
    with pytest.raises(ValueError, match="no workload 'wep'"):
        scale(problem(), {"wep": 1})
    with pytest.raises(ValueError, match="there is no node 3"):
        drain(problem(), [3])


def test_what_ifs_combine() -> None:
    """A drained node can be lost: its pods are displaced once."""
    drained = drain(problem(*EVERY_KIND), [0])
    found = lose(drained, [0])
    assert counts(found) == counts(drained)
    assert not any(pod.spec.node_name == "a" and moves(pod) for pod in found.cluster.pods)
    assert changed(found, workloads=()) == changed(lose(problem(*EVERY_KIND), [0]), workloads=())
