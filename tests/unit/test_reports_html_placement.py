"""The page of a placement without a browser: complete, and deaf to what its words say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec

from kubelemma.model.objects.meta import ObjectMeta, OwnerReference
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod, PodSpec
from kubelemma.reports.html import placement
from kubelemma.reports.placement import NodeRow, PlacementReport, Share, Usage, WorkloadRow
from kubelemma.solver.placement.decision import Decision, PendingReason, Reason, ReasonKind
from kubelemma.solver.placement.problem import (
    Answer,
    Assignment,
    Cluster,
    Placement,
    Problem,
    Question,
    Workload,
)

CACHE = "Deployment shop/cache"
GIB = 2**30
NODES = tuple(Node(metadata=ObjectMeta(name=f"node-{n}")) for n in (1, 2, 3))
WHY = ("Deployment shop/cache does not fit.", "It has 4 pods; 3 nodes can take 3.")
DECISION = Decision(
    answer=Answer.NO,
    question=Question.FINAL,
    placement=Placement(tuple(Assignment(0, node, 1) for node in range(3))),
    unplaced=(1,),
    reason=Reason(ReasonKind.ALONE, (0,), (), WHY),
    pending=(PendingReason(0, 1, 3, (("Insufficient memory", 3),)),),
)
REPORT = PlacementReport(
    version="1",
    problem=Problem(Cluster(NODES), (Workload(CACHE, Pod(), 4),)),
    decision=DECISION,
    workloads=(WorkloadRow(CACHE, Share(CACHE, 4, 0), 4, 3, ((0, 1), (1, 1), (2, 1))),),
    nodes=tuple(
        NodeRow(
            name=node.metadata.name,
            zone=f"zone-{number}",
            type="",
            schedulable=number < 3,
            usage=(Usage("pods", 3, 110), Usage("memory", 9 * GIB, 16 * GIB)),
            placed=((0, 1),),
        )
        for number, node in enumerate(NODES, 1)
    ),
    setting=("cluster: 3 nodes",),
)
"""Four pods, of which three nodes take one each, beside two that are there already."""

HOSTILE = "</script><img src=x onerror=window.hacked=1>"


def data_of(text: str) -> dict[str, Any]:
    """What the page's script is given."""
    found: dict[str, Any] = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    return found


def test_the_picture_has_the_placement() -> None:
    """Every node is there with what is new on it, and what is pending stands apart."""
    data = data_of(placement.render(REPORT))
    assert data["workloads"] == ["shop/cache"]
    assert data["pending"] == [[0, 1]]
    assert [node["placed"] for node in data["nodes"]] == [[[0, 1]]] * 3
    assert [node["standing"] for node in data["nodes"]] == [2] * 3
    assert [node["conditions"] for node in data["nodes"]] == [[], [], ["cordoned"]]
    assert data["nodes"][0]["usage"][1] == {
        "resource": "memory",
        "requested": "9Gi",
        "allocatable": "16Gi",
        "share": 0.5625,
    }


def test_the_picture_has_what_is_there_already() -> None:
    """Pods on nodes are counted by whoever they belong to, those of ReplicaSets by Deployment."""
    owner = OwnerReference(kind="ReplicaSet", name="web-5d9", controller=True)
    hashed = {"pod-template-hash": "5d9"}
    owned = ObjectMeta(name="web-5d9-x", namespace="a", labels=hashed, owner_references=(owner,))
    spec = PodSpec(node_name="node-1")
    pods = (
        Pod(metadata=owned, spec=spec),
        Pod(metadata=msgspec.structs.replace(owned, name="web-5d9-y"), spec=spec),
        Pod(metadata=ObjectMeta(name="lone", namespace="b"), spec=spec),
    )
    problem = replace(REPORT.problem, cluster=Cluster(NODES, pods))
    data = data_of(placement.render(replace(REPORT, problem=problem)))
    assert data["owners"] == ["a/web", "b/lone"]
    assert [node["here"] for node in data["nodes"]] == [[[0, 2], [1, 1]], [], []]


def test_the_page_says_why() -> None:
    """The verdict and its reason come first, in the words of the text report."""
    text = placement.render(REPORT)
    assert 'class="badge bad">infeasible' in text
    assert "There is no place for all 4 pods" in text
    assert all(line in text for line in WHY)
    assert "0/3 nodes are available: 3 Insufficient memory." in text


def test_names_are_only_text() -> None:
    """A name that looks like markup changes nothing of the page."""
    (row,) = REPORT.workloads
    nodes = tuple(replace(node, name=HOSTILE, zone=HOSTILE) for node in REPORT.nodes)
    odd = replace(REPORT, workloads=(replace(row, name=HOSTILE),), nodes=nodes)
    text = placement.render(odd)
    assert "<img" not in text
    assert text.count("</script>") == 2
    assert data_of(text)["nodes"][0]["name"] == HOSTILE


def test_an_order_is_told() -> None:
    """Where an order of scheduling was asked for, the page has it, equal steps in a row once."""
    order = ((0, 2), (0, 0), (0, 0))
    decision = replace(DECISION, answer=Answer.YES, question=Question.REACHABLE, order=order)
    text = placement.render(replace(REPORT, decision=decision))
    assert "All 4 pods can be placed one at a time." in text
    steps = ["Deployment shop/cache to node-3", "Deployment shop/cache to node-1, 2 times"]
    assert "<ol>" + "".join(f"<li>{step}</li>" for step in steps) + "</ol>" in text
    assert "question: is there an order" in text


def test_what_gets_stuck_is_told() -> None:
    """Where not every order works, the page says which pods block the others."""
    stuck = replace(DECISION, question=Question.ANY_ORDER, stuck=DECISION.placement)
    text = placement.render(replace(REPORT, decision=stuck))
    assert "With these placed, one at a time, no other finds a node: 3 pods of 4." in text
    assert all(f"<li>Deployment shop/cache on node-{n}</li>" in text for n in (1, 2, 3))
