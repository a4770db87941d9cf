"""Single plugins, and how the profile joins them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.scheduler.decision.default_selector import (
    Workload,
    default_selector,
)
from kubelemma.model.components.scheduler.decision.image_locality import (
    normalized_name,
    score_images,
)
from kubelemma.model.components.scheduler.decision.node_affinity import matches_required
from kubelemma.model.components.scheduler.decision.node_name import pre_enqueue
from kubelemma.model.components.scheduler.decision.node_ports import HostPort
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.normalize import default_normalize
from kubelemma.model.components.scheduler.decision.profile import Snapshot, decide
from kubelemma.model.components.scheduler.decision.status import Code
from kubelemma.model.components.scheduler.decision.taints import tolerates
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.node import Node, Taint
from kubelemma.model.objects.pod import Pod, Toleration
from kubelemma.model.objects.service import Service

ports = st.builds(
    HostPort,
    st.sampled_from(("0.0.0.0", "10.0.0.1", "10.0.0.2")),  # noqa: S104 - nothing is bound
    st.sampled_from(("TCP", "UDP")),
    st.integers(1, 2),
)
raw_scores = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 1000), min_size=1)


def _node(name: str = "n", labels: dict[str, str] | None = None, pods: int = 10) -> Node:
    metadata = {"name": name, "labels": labels or {}}
    return decode(
        {"metadata": metadata, "status": {"allocatable": {"pods": str(pods), "cpu": "1"}}}, Node
    )


def _pod(name: str = "p", **more: Any) -> Pod:
    status = more.pop("status", {})
    labels = more.pop("labels", {})
    return decode(
        {"metadata": {"name": name, "uid": name, "labels": labels}, "spec": more, "status": status},
        Pod,
    )


def _required(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


@given(ports, ports)
def test_port_conflicts_are_symmetric(one: HostPort, other: HostPort) -> None:
    """Whether two host ports conflict does not depend on which pod came first."""
    assert one.conflicts_with(other) == other.conflicts_with(one)
    assert one.conflicts_with(one)


@given(raw_scores, st.booleans())
def test_normalized_scores(raw: dict[str, int], reverse: bool) -> None:  # noqa: FBT001
    """Scores lie in 0..100, keep (or turn round) the order, and the highest raw one decides."""
    scaled = default_normalize(raw, reverse=reverse)
    assert all(0 <= score <= 100 for score in scaled.values())
    upwards = [scaled[node] for node in sorted(raw, key=lambda node: raw[node], reverse=reverse)]
    assert upwards == sorted(upwards)
    if max(raw.values()) > 0:
        assert (min if reverse else max)(scaled.values()) == (0 if reverse else 100)


@pytest.mark.parametrize(
    ("toleration", "covers"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "value": "7"}, True),
        ({"key": "k", "value": "7", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "8"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "value": "7", "effect": "NoExecute"}, False),
        ({"key": "k", "value": "5", "operator": "Gt"}, False),
    ],
)
def test_tolerations(toleration: dict[str, Any], covers: bool) -> None:  # noqa: FBT001
    """A toleration covers a taint by key, value and effect; numeric comparison is off."""
    taint = Taint(key="k", value="7", effect="NoSchedule")
    assert tolerates(decode(toleration, Toleration), taint) == covers


@pytest.mark.parametrize(
    ("operator", "bound", "found", "holds"),
    [
        ("Gt", "5", "6", True),
        ("Gt", "6", "6", False),
        ("Lt", "5", "-6", True),
        ("Lt", "+5", "4", True),
        ("Gt", "5", "six", False),
        ("Gt", "five", "6", False),
        ("Gt", "5", str(2**63), False),
        ("Gt", "5", None, False),
    ],
)
def test_numeric_node_affinity(operator: str, bound: str, found: str | None, holds: bool) -> None:  # noqa: FBT001
    """Gt and Lt compare whole numbers of 64 bits, and fail on everything else."""
    expression = {"key": "size", "operator": operator, "values": [bound]}
    pod = _pod(affinity=_required({"matchExpressions": [expression]}))
    labels = {} if found is None else {"size": found}
    assert matches_required(pod, _node(labels=labels)) == holds


def test_affinity_without_terms_matches_nothing() -> None:
    """A required affinity with no terms, or with empty terms only, fits no node."""
    assert not matches_required(_pod(affinity=_required()), _node())
    assert not matches_required(_pod(affinity=_required({})), _node())


def test_conflicting_names_reject_the_pod_everywhere() -> None:
    """Terms that name two nodes at once leave none: PreFilter rejects, whatever the nodes are."""
    fields = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in ("n", "m")]
    pod = _pod(affinity=_required({"matchFields": fields}))
    verdict = decide(pod, Snapshot((NodeInfo(_node()),))).verdicts["n"]
    assert verdict.plugin == "NodeAffinity"
    assert verdict.status.code is Code.UNRESOLVABLE
    assert verdict.status.reasons == ("pod affinity terms conflict",)


def test_gates_are_listed() -> None:
    """A gated pod is told which gates it waits for."""
    status = pre_enqueue(_pod(schedulingGates=[{"name": "a"}, {"name": "b"}]))
    assert status.reasons == ("waiting for scheduling gates: [a b]",)
    assert pre_enqueue(_pod()).ok


def test_promised_room_is_kept() -> None:
    """A node promised to a pod that is no less important counts as taken, one of a lesser not."""
    snapshot = Snapshot(
        (NodeInfo(_node(pods=1)),),
        nominated=(_pod("first", priority=5, status={"nominatedNodeName": "n"}),),
    )
    assert decide(_pod("second", priority=5), snapshot).feasible == ()
    assert decide(_pod("second", priority=6), snapshot).feasible == ("n",)
    assert decide(_pod("first", priority=5), snapshot).feasible == ("n",)


def test_promised_pods_do_not_satisfy_affinity() -> None:
    """A pod must also fit without the promised ones, which may never arrive."""
    term = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "zone"}
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    database = _pod("db", labels={"app": "db"}, status={"nominatedNodeName": "n"})
    node = _node(labels={"zone": "z"})
    promised = Snapshot((NodeInfo(node),), nominated=(database,))
    assert decide(_pod(affinity=affinity), promised).feasible == ()
    assert decide(_pod(affinity=affinity), Snapshot((NodeInfo(node, (database,)),))).feasible


def test_promised_node_comes_first() -> None:
    """A pod takes the node it was promised, although another one scores higher."""
    full = NodeInfo(_node("full"), (_pod(containers=[_asking("900m")]),))
    snapshot = Snapshot((full, NodeInfo(_node("empty"))))
    assert decide(_pod(), snapshot).choices == ("empty",)
    assert decide(_pod(status={"nominatedNodeName": "full"}), snapshot).choices == ("full",)


def _asking(cpu: str) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}}}


def test_equal_nodes_tie() -> None:
    """Nodes with the same total are all possible choices."""
    snapshot = Snapshot((NodeInfo(_node("a")), NodeInfo(_node("b"))))
    assert decide(_pod(), snapshot).choices == ("a", "b")


def test_images_without_tag_and_pods_without_containers() -> None:
    """An image name gets its tag, a registry port is none, and no containers score 0."""
    assert normalized_name("web") == "web:latest"
    assert normalized_name("registry:5000/web") == "registry:5000/web:latest"
    assert normalized_name("registry:5000/web:1") == "registry:5000/web:1"
    assert score_images(_pod(), NodeInfo(_node()), {}, 1) == 0


def test_default_selector_joins_services_and_owner() -> None:
    """Services that select the pod and its managing workload together make the selector."""
    owner = {"kind": "ReplicaSet", "name": "web-1", "controller": True}
    metadata = {"namespace": "a", "labels": {"app": "web", "h": "1"}, "ownerReferences": [owner]}
    pod = decode({"metadata": metadata}, Pod)

    def service(namespace: str, selector: dict[str, str] | None) -> Service:
        return decode(
            {"metadata": {"namespace": namespace}, "spec": {"selector": selector}}, Service
        )

    services = [service("a", {"app": "web"}), service("b", {"h": "1"}), service("a", None)]
    workloads = {Workload("ReplicaSet", "a", "web-1"): LabelSelector(match_labels={"h": "1"})}
    selector = default_selector(pod, services, workloads)
    assert selector is not None
    assert selector.matches({"app": "web", "h": "1"})
    assert not selector.matches({"app": "web", "h": "2"})
    assert not selector.matches({"h": "1"})
    alone = default_selector(pod, (), {})
    assert alone is not None
    assert alone.is_empty()
