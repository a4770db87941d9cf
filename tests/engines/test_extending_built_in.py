"""Deployments and Nodes as loaded controllers see them: read, written, and when asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubelemma import api
from kubelemma.model.components.reconcile.sources import sources, targets
from kubelemma.model.components.registry import CHANGING
from kubelemma.model.manifests import InvalidInput
from kubelemma.solver.limits import ALL_VIOLATED
from kubelemma.solver.result import CheckResult, Trace, Verdict
from kubelemma.solver.simulate import simulate

Check = Callable[..., CheckResult]
Ask = Callable[..., api.Case]

SHOP = "{apiVersion: example.com/v1, kind: Shop, metadata: {name: corner}, spec: {size: small}}"
CHECK = """
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: eventful}
spec:
  faults: {controllerRestarts: 2}
  cluster: {nodes: [{count: 2, allocatable: {cpu: "4"}}]}
  events: EVENTS
"""
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "c:1"}]}
"""


def verdicts(result: CheckResult) -> dict[str, str]:
    """The verdicts by property; no limit has ended the search."""
    assert result.statistics.stopped_by in (None, ALL_VIOLATED)
    return {p.property.id: "vacuous" if p.vacuous else p.verdict for p in result.properties}


def trace_of(result: CheckResult, identifier: str) -> Trace:
    """The trace of a violation."""
    (trace,) = (p.trace for p in result.properties if p.property.id == identifier)
    assert trace is not None
    return trace


def actions(trace: Trace) -> list[str]:
    """The actions of a trace."""
    return [step.outcome.action for step in trace.steps]


SCALER = """
@controller(reconciles="Shop", reads=["Deployment"])
def scaler(shop, cluster):
    web = cluster.get("Deployment", "web")
    if web.spec["replicas"] != 2:
        yield patch(web, spec={"replicas": 2})
    if web.status["availableReplicas"] == 2:
        yield patch_status(shop, {"open": True})

@converges("SHOP-5", "The shop opens", about="Shop", reads=["Deployment"])
def opens(shop, cluster):
    "In the end the shop is open."
    return shop.status.get("open", False)

@each_step("SHOP-4", "It only grows", about="Deployment")
def grows(before, after, cluster_before, cluster_after):
    "Nobody makes the Deployment smaller."
    return after.spec["replicas"] >= before.spec["replicas"]
"""


@pytest.mark.parametrize("faults", ["controllerRestarts: 0", "staleReads: 1"])
def test_with_deployments(engine: tuple[str, Check], ask: Ask, faults: str) -> None:
    """A controller that scales a Deployment is one system with Kubernetes' own controllers."""
    name, run = engine
    if (name, faults) == ("plain", "staleReads: 1"):
        pytest.skip("the plain engine is held against the compiled one on smaller systems")
    case = ask(faults, SCALER, documents=(SHOP, WEB))
    result = run(case.scenario.system, case.properties)
    found = verdicts(result)
    assert (found["SHOP-4"], found["RS-2"]) == (Verdict.HOLDS, Verdict.HOLDS)
    assert found["SHOP-5"] == Verdict.VIOLATED
    last = trace_of(result, "SHOP-5")
    assert "node-crash" in actions(last)
    assert last.standstill


NODES = """
@controller(reconciles="Window", reads=["Node"])
def cordoner(window, cluster):
    node = cluster.get("Node", window.spec["node"])
    if node is None:
        return patch(window, spec={"node": "node-1"})
    if not node.spec["unschedulable"]:
        return patch(node, spec={"unschedulable": True})

@controller(reconciles="Node")
def healer(node, cluster):
    (ready,) = node.status["conditions"]
    if node.spec["unschedulable"] is not (ready["status"] != "True"):
        yield patch(node, spec={"unschedulable": ready["status"] != "True"})

@event(about="Node")
def by_hand(node, cluster):
    return patch(node, spec={"unschedulable": False})

@converges("NODE-9", "It ends cordoned", about="Window", reads=["Node"])
def cordoned(window, cluster):
    "In the end the node of the window is cordoned."
    node = cluster.get("Node", window.spec["node"])
    return node is not None and node.spec["unschedulable"]

@each_step("NODE-8", "One at a time", about="Node")
def single(before, after, cluster_before, cluster_after):
    "No two nodes are cordoned."
    return sum(node.spec["unschedulable"] for node in cluster_after.all("Node")) < 2
"""
WINDOW = "{apiVersion: example.com/v1, kind: Window, metadata: {name: w}, spec: {node: %s}}"


@pytest.mark.parametrize(
    ("faults", "documents"),
    [
        ("controllerRestarts: 0", (WINDOW % "gone", WEB)),
        ("controllerRestarts: 0", (WINDOW % "node-1",)),
        ("staleReads: 1", (WINDOW % "node-1",)),
    ],
)
def test_nodes(run: Check, ask: Ask, faults: str, documents: tuple[str, ...]) -> None:
    """Nodes can be read and cordoned, with workloads and without, by caches that lag or not."""
    case = ask(faults, NODES, documents=documents)
    result = run(case.scenario.system, case.properties)
    found = verdicts(result)
    assert found["NODE-9"] == Verdict.VIOLATED
    assert trace_of(result, "NODE-9").loop_start is not None
    assert ("DEP-4" in found) is (len(documents) > 1)


CORDON = """
@controller(reconciles="Window", reads=["Node"])
def cordoner(window, cluster):
    node = cluster.get("Node", window.spec["node"])
    if not node.spec["unschedulable"]:
        yield patch(node, spec={"unschedulable": True})
        node = yield get("Node", node.name)
        yield patch_status(window, {"unschedulable": node.spec["unschedulable"]})
        yield patch(node, spec={"unschedulable": None if BROKEN else True})

@always("NODE-7", "Others are left alone", reads=["Node"])
def alone(cluster):
    "Only the second node is ever cordoned."
    return not any(n.spec["unschedulable"] for n in cluster.all("Node") if n.name != "node-2")

@always("NODE-6", "The status is right", about="Window", reads=["Node"])
def noted(window, cluster):
    "What the status says is so."
    said = window.status.get("unschedulable")
    return None if said is None else cluster.get("Node", "node-2").spec["unschedulable"] == said
"""


@pytest.mark.parametrize(
    ("faults", "others"),
    [("controllerRestarts: 1", (WEB,)), ("staleReads: 1, controllerRestarts: 0", ())],
)
def test_one_of_two_nodes(run: Check, ask: Ask, faults: str, others: tuple[str, ...]) -> None:
    """What loaded code sees and writes of a Node is that very node's."""
    code = CORDON.replace("BROKEN", "False")
    case = ask(faults, code, documents=(WINDOW % "node-2", *others), nodes=2)
    found = verdicts(run(case.scenario.system, case.properties))
    assert (found["NODE-7"], found["NODE-6"]) == (Verdict.HOLDS, Verdict.HOLDS)
    assert found.get("SCH-3") == (Verdict.HOLDS if others else None)


def test_what_cannot_be_written(ask: Ask) -> None:
    """A Node's field is set to what it can be, and to nothing else."""
    code = CORDON.replace("BROKEN", "True")
    case = ask("", code, documents=(WINDOW % "node-2",), nodes=2)
    with pytest.raises(InvalidInput, match=r"sets spec.unschedulable of a Node to None"):
        api.explore(case, engine="plain")


def test_status_of_a_rollout(ask: Ask) -> None:
    """A status says that all is done until the controller has looked at what is new."""
    case = ask("", SCALER, documents=(SHOP, WEB), events="{rollout: {deployment: web, max: 1}}")
    system, (source,) = case.scenario.system, sources(case.scenario.world, ("Deployment",))
    state = system.initial

    def told(rule: str = "") -> tuple[Any, ...]:
        nonlocal state
        if rule:
            state = next(system.successors(state, rule)).state
        (web,) = source.shown(state[system.positions[source.cell].start])
        status = web.status
        counts = (status["replicas"], status["updatedReplicas"], status["readyReplicas"])
        return (status["observedGeneration"] == web.generation, *counts)

    assert told() == (True, 1, 1, 1)
    assert told("event 1: rollout default/web on its cell") == (False, 1, 1, 1)
    assert told("sync default/web") == (True, 1, 0, 1)


EVENTS = """
  - {rollout: {deployment: web, max: 3}}
  - {rollback: {deployment: web, max: 1}}
  - {scale: {deployment: web, max: 1, replicas: 2}}
  - {pause: {deployment: web, max: 1}}
  - {resume: {deployment: web, max: 1}}
  - {cordon: {max: 1}}
  - {drain: {max: 1}}
  - {nodeCrash: {max: 2}}
"""


@pytest.mark.parametrize("seed", range(12))
def test_who_changes_what_is_built_in(seed: int) -> None:
    """Step properties are asked about every action that changes a Deployment or a Node."""
    check = CHECK.replace("EVENTS", EVENTS)
    text = "\n---\n".join((check, WEB.replace("spec:", "spec:\n  revisionHistoryLimit: 0", 1)))
    case, *_ = api.ask(api.Question(paths=(api.STDIN,), stdin=text)).cases
    world, system = case.scenario.world, case.scenario.system
    trace = simulate(system, seed, 300)
    for before, step in zip(trace.states(), trace.steps, strict=False):
        for source in targets(world, ("Deployment", "Node")):
            for place in system.positions[source.cell]:
                if source.shown(before[place]) != source.shown(step.state[place]):
                    assert step.outcome.action in CHANGING[source.kind]
