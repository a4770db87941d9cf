"""Reports on placement: every format says the same, and large clusters stay readable."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import jsonschema
import pytest
import yaml

from kubelemma.model.manifests import Cluster as Groups
from kubelemma.model.manifests import NodeGroup, NotModelled, Position, nodes_of
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.pod import Container, Pod, PodSpec, ResourceRequirements
from kubelemma.model.objects.quantity import Quantity
from kubelemma.reports import placement_json, placement_text
from kubelemma.reports.placement import PlacementReport, Share, Usage, WhatIf, placement_report
from kubelemma.reports.placement_words import amount, bar, share, short
from kubelemma.solver.placement.certificate_data import Prices
from kubelemma.solver.placement.decision import (
    Decision,
    Level,
    PendingReason,
    Reason,
    ReasonKind,
    Relaxation,
    RelaxationKind,
    Statistics,
)
from kubelemma.solver.placement.problem import (
    Answer,
    Assignment,
    Cluster,
    Placement,
    Problem,
    Question,
    Workload,
)

GI = 2**30


def pod(name: str = "", node: str = "", cpu: str = "500m") -> Pod:
    """A pod of half a core and 1Gi."""
    requests = {"cpu": Quantity.parse(cpu), "memory": Quantity(GI)}
    container = Container(name="c", image="c:1", resources=ResourceRequirements(requests=requests))
    metadata = ObjectMeta(name=name, namespace="shop", labels={"app": "web"})
    return Pod(metadata=metadata, spec=PodSpec(containers=(container,), node_name=node))


def problem(nodes: int = 3, workloads: int = 2) -> Problem:
    """Nodes of four cores in three zones, one of them with a pod."""
    allocatable = {"cpu": Quantity(4), "memory": Quantity(8 * GI)}
    made = nodes_of(Groups(nodes=(NodeGroup(count=nodes, zones=3, allocatable=allocatable),)))
    asked = tuple(Workload(f"Deployment shop/w{i}", pod(), 3) for i in range(workloads))
    return Problem(Cluster(made, (pod("old", "node-1"),)), asked)


def feasible(asked: Problem) -> Decision:
    """All pods of each workload on one node, in turn."""
    nodes = len(asked.cluster.nodes)
    placement = tuple(Assignment(i, i % nodes, w.count) for i, w in enumerate(asked.workloads))
    count = len(asked.workloads)
    return Decision(
        Answer.YES,
        Question.FINAL,
        Placement(placement),
        (0,) * count,
        statistics=Statistics(count, 3 * count, nodes, 1, 3, ("totals", "pack"), 0.25),
    )


def infeasible(asked: Problem) -> Decision:
    """One pod of the first workload is left over, with everything that may be said about it."""
    found = feasible(asked)
    first, *rest = found.placement.assignments
    placement = Placement((replace(first, count=first.count - 1), *rest))
    lines = ("3 pods of Deployment shop/w0 need 3Gi of memory each.", "The nodes have 2Gi left.")
    return replace(
        found,
        answer=Answer.NO,
        placement=placement,
        unplaced=(1, *found.unplaced[1:]),
        reason=Reason(ReasonKind.TOTAL, (0,), (0, 1), lines, "memory", 3 * GI, 2 * GI),
        certificate=Prices(((0,),), ((("memory", Fraction(1)),),), (0,)),
        relaxations=(
            Relaxation(RelaxationKind.ADD_NODES, "one more node like node-1", 1, None, 0),
            Relaxation(RelaxationKind.SOFTEN, "without the spread", workload=0, constraint="x"),
        ),
        pending=(PendingReason(0, 1, 3, (("Insufficient memory", 3),), (0,)),),
        order=((0, 0), (0, 0), (1, 1)),
        stuck=placement,
        levels=(Level(100, Answer.YES),),
    )


WRITTEN = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "c", "image": "c:1", "command": ["run"]}]},
}


def report(decision: Decision, asked: Problem) -> PlacementReport:
    """A report with something in every part."""
    shares = {w.name: Share(w.name, 4, 1, "web.yaml:1", WRITTEN) for w in asked.workloads}
    left_out = NotModelled(Position("a.yaml", 3), "CronJob x/y", "", "not modelled", "not placed")
    whatif = WhatIf("any 1 node is lost", Answer.UNKNOWN, ("the time was up",), {"total": 3})
    return placement_report(
        "0.1",
        asked,
        decision,
        shares,
        setting=("cluster: three nodes",),
        whatifs=(whatif,),
        extra=((pod("agent-node-1", "node-1"), Share("DaemonSet x/agent", 3, 0)),),
        not_modelled=(left_out,),
    )


ASKED = problem()
BOTH = [report(feasible(ASKED), ASKED), report(infeasible(ASKED), ASKED)]


@pytest.mark.parametrize("found", BOTH)
def test_json_fits_its_schema(found: PlacementReport) -> None:
    """The JSON report is what the published schema describes."""
    data = json.loads(placement_json.render(found))
    jsonschema.Draft202012Validator.check_schema(placement_json.schema())
    jsonschema.validate(data, placement_json.schema())
    assert data["pods"] == {"asked": 6, "placed": found.placed}


def test_schema_knows_every_kind() -> None:
    """What a reason or a relaxation may be is what the schema lists."""
    parts = placement_json.schema()["$defs"]
    assert parts["reason"]["properties"]["kind"]["enum"] == [k.value for k in ReasonKind]
    assert parts["relaxation"]["properties"]["kind"]["enum"] == [k.value for k in RelaxationKind]


def test_json_tells_why() -> None:
    """Reason, pending pods and relaxations name workloads and nodes, not numbers of rows."""
    data = json.loads(placement_json.render(BOTH[1]))
    assert data["answer"] == data["decision"] == "no"
    assert data["reason"]["workloads"] == ["Deployment shop/w0"]
    assert data["reason"]["needed"] == 3 * GI
    assert data["pending"][0]["message"] == "0/3 nodes are available: 3 Insufficient memory."
    assert data["relaxations"][0]["node"] == "node-1"
    assert data["stuck"][0] == {"workload": "Deployment shop/w0", "node": "node-1", "pods": 2}


def test_the_answer_takes_everything_into_account() -> None:
    """One no makes it a no, one open question makes it unknown."""
    yes, no = BOTH
    assert (yes.decision.answer, yes.answer) == (Answer.YES, Answer.UNKNOWN)
    assert replace(yes, whatifs=()).answer is Answer.YES
    assert no.answer is Answer.NO


@pytest.mark.parametrize("by", ["workload", "node"])
@pytest.mark.parametrize("found", BOTH)
def test_text_begins_with_the_verdict(found: PlacementReport, by: placement_text.By) -> None:
    """The first word is the verdict, the reason comes next, and all sections are there."""
    text = placement_text.render(found, by=by)
    word = {Answer.YES: "FEASIBLE", Answer.NO: "INFEASIBLE"}[found.decision.answer]
    assert text.startswith(f"{word}: ")
    assert "UNKNOWN: any 1 node is lost: the time was up" in text
    for part in ("How full it is then", "What was assumed", "What is not modelled"):
        assert f"\n{part}\n" in text
    if found.decision.reason is not None:
        assert text.splitlines()[1].strip() == found.decision.reason.lines[0]


def test_unknown_says_how_far_it_got() -> None:
    """What is not decided is never called feasible, whatever was found on the way."""
    some = replace(infeasible(ASKED), answer=Answer.UNKNOWN, reason=None)
    every = replace(feasible(ASKED), answer=Answer.UNKNOWN, question=Question.REACHABLE)
    first, second = (
        placement_text.render(report(found, ASKED)).splitlines()[0] for found in (some, every)
    )
    assert first == ("UNKNOWN: no place was found for 1 of 6 pods, and no proof that there is none")
    assert second.startswith("UNKNOWN: not decided: is there an order in which")


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("by", ["workload", "node"])
def test_text_keeps_to_the_width(width: int, by: placement_text.By) -> None:
    """No line is longer than the terminal is wide."""
    for found in BOTH:
        text = placement_text.render(found, by=by, width=width)
        assert max(map(len, text.splitlines())) <= width


def test_colours_only_where_asked() -> None:
    """Without colour there is no escape, and with it the text is the same."""
    plain = placement_text.render(BOTH[1])
    assert "\x1b" not in plain
    assert "\x1b" in placement_text.render(BOTH[1], colour=True)


@pytest.mark.parametrize("by", ["workload", "node"])
def test_large_clusters_are_summed_up(by: placement_text.By) -> None:
    """Thousands of nodes and workloads fit on a screen or two, unless everything is asked for."""
    asked = problem(2000, 3000)
    found = report(infeasible(asked), asked)
    text = placement_text.render(found, by=by)
    assert len(text.splitlines()) < 100
    assert "-o wide lists" in text
    wide = placement_text.render(found, by=by, wide=True)
    assert len(wide.splitlines()) > 2000


def test_pods_for_kubectl() -> None:
    """One Pod for each that was placed, as it was written, with a name and a node of its own."""
    pods = list(yaml.safe_load_all(placement_json.render_pods(BOTH[0])))
    agent, *placed = pods
    assert agent["metadata"]["name"] == "agent-node-1"
    names = [p["metadata"]["name"] for p in placed]
    assert names == ["w0-2", "w0-3", "w0-4", "w1-2", "w1-3", "w1-4"]
    assert {p["spec"]["nodeName"] for p in placed} == {"node-1", "node-2"}
    assert placed[0]["spec"]["containers"] == WRITTEN["spec"]["containers"]
    assert all(p["metadata"]["namespace"] == "shop" for p in placed)


def test_usage_counts_what_is_there_and_what_is_new() -> None:
    """A node's requests are those of pods that stay and of pods that came."""
    first, second, third = BOTH[0].nodes
    assert first.usage[:2] == (Usage("pods", 4, 110), Usage("cpu", 2000, 4000))
    assert second.usage[1] == Usage("cpu", 1500, 4000)
    assert third.placed == ()
    assert BOTH[0].total()[0] == Usage("pods", 7, 330)


@pytest.mark.parametrize(
    ("resource", "value", "text"),
    [
        ("cpu", 3500, "3.5"),
        ("cpu", 2000, "2"),
        ("cpu", 10, "0.01"),
        ("memory", 3 * GI, "3Gi"),
        ("memory", 1536 * 2**20, "1.5Gi"),
        ("memory", 0, "0"),
        ("nvidia.com/gpu", 4, "4"),
        ("pods", 1100, "1,100"),
    ],
)
def test_amounts(resource: str, value: int, text: str) -> None:
    """Amounts are in the units in which people think of them."""
    assert amount(resource, value) == text


@pytest.mark.parametrize(
    ("used", "total", "per_cent", "filled"),
    [
        (0, 4, "0%", 0),
        (1, 4, "25%", 2),
        (3999, 4000, "99%", 9),
        (4, 4, "100%", 10),
        (5, 4, "125%", 10),
    ],
)
def test_bars(used: int, total: int, per_cent: str, filled: int) -> None:
    """A bar is full only if nothing is left, and so is the share."""
    usage = Usage("cpu", used, total)
    assert share(usage) == per_cent
    assert bar(usage).count("█") == filled
    assert len(bar(usage)) == 10


def test_names_are_short_where_that_is_clear() -> None:
    """The kind is left out unless two workloads differ in nothing else."""
    assert short("Deployment shop/web") == "shop/web"
    assert short("Deployment shop/web", {"shop/web"}) == "Deployment shop/web"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.25, "at best 25.0% of every node could stay free"),
        (0.0001, "none to speak of"),
        (-0.0, "none to speak of"),
        (-1e-9, "none to speak of"),
        (-0.125, "capacity is short by 12.5% at best"),
    ],
)
def test_headroom_in_words(share: float, words: str) -> None:
    """Nothing is neither more nor less than nothing, and is not -0.0%."""
    assert words in placement_text._headroom(share)
