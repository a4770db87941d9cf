"""Drains as they are explored: listed once, gone on with until done, by the options given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from budgeted import listed, marked, nodes_of, reachable, scenario, standing, steps, verdicts

from kubelemma.model.cluster.component import Crowd
from kubelemma.model.cluster.state import ACTIVE, Marks, NodeState, Phase
from kubelemma.model.components.disruption.rules import READY
from kubelemma.model.components.drain import rules
from kubelemma.model.components.drain.rules import COMPONENT, DRAIN
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State, Transition
from kubelemma.properties.select import properties_for
from kubelemma.question import STDIN, Question, ask
from kubelemma.reports.narrate import narrate
from kubelemma.solver import compiled
from kubelemma.solver.explore import check as explored
from kubelemma.solver.result import CheckResult

Check: TypeAlias = Callable[..., CheckResult]

EMPTY_DIR = {"volumes": [{"name": "cache", "emptyDir": {}}]}
BLOCKED = [{"minAvailable": 2}]
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: {requests: {cpu: "1"}}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---"""


def drains(found: Scenario) -> list[int]:
    """How many pods each drain lists, wherever one can begin."""
    return [
        listed(found, step.state) - listed(found, state)
        for action in ("drain", "drain-refuses")
        for state, step in steps(found, action)
    ]


def test_it_goes_on_like_a_controller() -> None:
    """Whoever drains is fair, and so a drain for which there is room comes to its end."""
    found = scenario(budgets=[{"minAvailable": 1}])
    assert not any(r.environment for r in found.system.rules if r.actor == DRAIN)
    assert verdicts(found, "DRAIN-1", "DRAIN-2") == {"DRAIN-1": "holds", "DRAIN-2": "holds"}


def test_without_a_budget_it_takes_the_last_pod() -> None:
    """One replica and a drain: nothing keeps the only available pod."""
    found = scenario(replicas=1)
    assert verdicts(found, "DRAIN-1", "DRAIN-2") == {"DRAIN-1": "holds", "DRAIN-2": "violated"}


@pytest.mark.parametrize(
    ("options", "goes"),
    [({}, True), ({"deleteEmptyDirData": False}, False), ({"deleteEmptyDirData": True}, True)],
)
def test_pods_with_local_storage(options: dict[str, Any], goes: bool) -> None:  # noqa: FBT001
    """Unless it may delete what is in an emptyDir, it removes none of the pods."""
    found = scenario(events=[{"drain": options}], spec=EMPTY_DIR)
    assert (max(drains(found)) > 0) is goes
    assert verdicts(found, "DRAIN-3")["DRAIN-3"] == ("holds" if goes else "violated")


@pytest.mark.parametrize(
    ("owner", "options", "goes"),
    [
        ("", {}, False),
        ("", {"force": True}, True),
        ("DaemonSet", {}, True),
        ("DaemonSet", {"ignoreDaemonSets": False}, False),
        ("ReplicaSet", {}, True),
    ],
)
def test_pods_that_stand_by(owner: str, options: dict[str, Any], goes: bool) -> None:  # noqa: FBT001
    """A single pod that it may not remove keeps it from removing any."""
    found = scenario(
        events=[{"drain": {"node": "node-1", **options}}],
        beside=[standing("other", "node-1", owner)],
        replicas=3,
    )
    assert (max(drains(found)) > 0) is goes


@pytest.mark.parametrize("engine", [explored, compiled.check], ids=["plain", "compiled"])
@pytest.mark.parametrize(
    ("drained", "verdict"), [("node-1", "violated"), ("node-2", "holds"), ("", "violated")]
)
def test_a_drain_fails_on_its_own_node(drained: str, verdict: str, engine: Check) -> None:
    """What stands on other nodes is no reason why a drain should fail."""
    found = scenario(
        events=[{"drain": {"node": drained} if drained else {}}],
        beside=[standing("alone", "node-1")],
        replicas=2,
    )
    asked = properties_for(found, ("DRAIN-3",))
    (result,) = engine(found.system, asked).properties
    assert result.verdict == verdict


def test_each_drain_is_asked_of_its_own_node() -> None:
    """One that is forced may remove what another may not, which drains another node."""
    events = [{"drain": {"node": "node-1", "force": True}}, {"drain": {"node": "node-2"}}]
    found = scenario(events=events, beside=[standing("alone", "node-1")], replicas=2)
    assert verdicts(found, "DRAIN-3")["DRAIN-3"] == "holds"


def test_what_a_real_drain_would_wait_for_is_told() -> None:
    """Pods that stand by stay, and a budget of theirs alone is not asked: the report says both."""
    pod = standing("db-0", "node-1", "StatefulSet")
    own = {"selector": {"matchLabels": {"app": "db-0"}}, "minAvailable": 1}
    found = scenario(budgets=[{"minAvailable": 1}, own], beside=[pod])
    assert "drains: pods that stand by stay where they are, and no drain waits for them" in (
        found.setting
    )
    assert "PodDisruptionBudget default/web-0: minAvailable 1" in found.setting
    assert "PodDisruptionBudget default/web-1 covers pods that stand by alone: it is not asked" in (
        found.setting
    )
    assert not any("stand by" in text for text in scenario(budgets=[own]).setting)


def test_a_static_pod_is_left_alone() -> None:
    """A mirror pod is skipped before anybody asks who controls it, or what it stores."""
    pod = standing("etcd", "node-1", **EMPTY_DIR)
    pod["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    event = {"drain": {"node": "node-1", "deleteEmptyDirData": False}}
    found = scenario(events=[event], beside=[pod], replicas=3)
    assert max(drains(found)) > 0
    assert verdicts(found, "DRAIN-3")["DRAIN-3"] == "holds"


def test_a_refused_drain_leaves_the_node_cordoned() -> None:
    """It has cordoned the node before it lists pods."""
    found = scenario(events=[{"drain": {"deleteEmptyDirData": False}}], spec=EMPTY_DIR)
    refused = [*steps(found, "drain-refuses")]
    assert refused
    assert not [*steps(found, "drain")]
    for _, step in refused:
        assert any(node.cordoned for node in nodes_of(found, step.state))
        assert "refuses to go on" in step.outcome.why


@pytest.mark.parametrize("engine", [explored, compiled.check], ids=["plain", "compiled"])
def test_a_drain_is_refused_of_a_node_that_is_cordoned_already(engine: Check) -> None:
    """It has failed, though nothing changes on the node: somebody has cordoned it before."""
    drain = {"drain": {"node": "node-1", "deleteEmptyDirData": False}}
    found = scenario(events=[{"cordon": {"node": "node-1"}}, drain], spec=EMPTY_DIR)
    (view,) = (p.formula.view for p in properties_for(found, ("DRAIN-3",)))
    assert view.cells == ("event 2: drain node-1",)
    (result,) = engine(found.system, properties_for(found, ("DRAIN-3",))).properties
    assert result.verdict == "violated"
    alike = [step for state, step in steps(found, "drain-refuses") if _nodes(found, state, step)]
    assert alike


def _nodes(found: Scenario, state: State, step: Transition) -> bool:
    """Whether all nodes are as before."""
    return nodes_of(found, state) == nodes_of(found, step.state)


def test_a_timeout_ends_it() -> None:
    """It gives up what its budget never lets go, and without a timeout it never does."""
    timed = scenario(budgets=BLOCKED, events=[{"drain": {"timeoutSeconds": 60}}])
    ends = list(steps(timed, "drain-times-out"))
    assert ends
    assert all(listed(timed, step.state) == 0 for _, step in ends)
    assert not list(steps(scenario(budgets=BLOCKED), "drain-times-out"))


def test_deletions_ask_no_budget() -> None:
    """With ``--disable-eviction`` a budget that allows nothing keeps no pod."""
    found = scenario(budgets=BLOCKED, events=[{"drain": {"disableEviction": True}}])
    assert verdicts(found, "DRAIN-1", "DRAIN-2") == {"DRAIN-1": "holds", "DRAIN-2": "violated"}


def one_listed(node: NodeState) -> bool:
    """Whether a drain is yet to remove one pod of a node."""
    return sum(group.size for group in node.pods if group.marks & Marks.LISTED) == 1


def test_each_drain_has_its_own_way() -> None:
    """Of two drains one deletes Ready pods and the other asks, and is refused."""
    unasked = {"drain": {"node": "node-1", "disableEviction": True}}
    found = scenario(budgets=BLOCKED, events=[unasked, {"drain": {"node": "node-2"}}])
    ways = {
        (group.marks, step.outcome.action)
        for state in reachable(found)
        for step in found.system.successors(state)
        if step.rule.actor == DRAIN
        for group in state[step.positions[0]].pods
        if group.marks & Marks.LISTED and group.phase in READY
        if one_listed(state[step.positions[0]])
    }
    assert ways == {(Marks.LISTED | Marks.UNASKED, "drain-delete")}
    assert verdicts(found, "DRAIN-1")["DRAIN-1"] == "violated"


CRASH = {"nodeCrash": {}}


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({}, "violated"),
        ({"disableEviction": True}, "violated"),
        ({"timeoutSeconds": 60}, "violated"),
        ({"skipWaitForDeleteTimeoutSeconds": 60}, "holds"),
    ],
)
def test_it_waits_for_pods_to_go(options: dict[str, Any], verdict: str) -> None:
    """On a machine that is down no pod ends, and so the drain does not, unless it may skip it."""
    found = scenario(events=[{"drain": options}, CRASH])
    assert verdicts(found, "DRAIN-1") == {"DRAIN-1": verdict}


def test_what_terminates_is_waited_for() -> None:
    """A pod that somebody else has deleted is awaited until it is gone, by whoever lists it."""
    delete = {"deletePod": {"deployment": "web"}}
    found = scenario(events=[{"drain": {}}, CRASH, delete], replicas=1)
    assert found.world.follows_terminating
    awaited = {
        (Phase(group.phase) in ACTIVE, group.marks)
        for state in reachable(found)
        for node in nodes_of(found, state)
        for group in node.pods
        if group.marks & Marks.AWAITED
    }
    assert awaited == {(True, Marks.LISTED | Marks.AWAITED), (False, Marks.AWAITED)}


def test_it_need_not_wait_where_every_pod_ends() -> None:
    """Where no machine is down, what is deleted goes in the end: that is not followed."""
    found = scenario(budgets=[{"minAvailable": 1}])
    assert not found.world.follows_terminating
    assert not any(marked(found, state, Marks.AWAITED) for state in reachable(found))


@pytest.mark.parametrize("budgets", [[], [{"minAvailable": 1}], BLOCKED], ids=str)
@pytest.mark.parametrize("more", [[], [{"probeFailure": {"deployment": "web"}}]], ids=str)
def test_to_wait_makes_no_difference_there(
    monkeypatch: pytest.MonkeyPatch, budgets: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    """Drains complete, or do not, whether terminating pods are waited for or not."""
    given: dict[str, Any] = {"budgets": budgets, "events": [{"drain": {}}, *more]}
    dropped = verdicts(scenario(**given), "DRAIN-1", "DRAIN-2")
    monkeypatch.setattr(rules, "_awaits", lambda _setting, _event: True)
    followed = scenario(**given)
    assert followed.world.follows_terminating
    assert verdicts(followed, "DRAIN-1", "DRAIN-2") == dropped


def test_a_story_names_the_drain_that_does_not_end() -> None:
    """Of two drains the first ends: what never comes has been due since the second began."""
    check = """
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: two}
spec:
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1"}}]}
  events: [{drain: {node: node-1}}, {drain: {node: node-2}}]
"""
    (case,) = ask(Question(paths=(STDIN,), stdin=WEB + check)).cases
    found = explored(case.scenario.system, properties_for(case.scenario, ["DRAIN-1"]))
    (result,) = found.properties
    assert result.trace is not None
    story = narrate(case.scenario, result.property, result.trace)
    begun = [n for n, step in enumerate(story.steps, 1) if "starts to drain" in step.summary]
    (due,) = (text for text in story.conclusion if "something is due" in text)
    assert due == f"After step {begun[-1]}, something is due that never comes."


def test_it_tells_nodes_apart_by_what_it_would_refuse() -> None:
    """A node with a pod that nobody controls is another one to a drain."""
    found = scenario(beside=[standing("other", "node-1")])
    (first, second) = found.world.shapes
    telling = COMPONENT.distinguishes(Crowd(nodes=(), pods=()))
    assert telling(first) != telling(second)
