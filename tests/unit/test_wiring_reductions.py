"""What the model leaves out changes nothing: which of equal nodes it is, and pods that terminate.

Each law compares the same small scenario in two forms, the reduced one that is used and one that
keeps everything apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import groupby, permutations, product, starmap
from math import factorial, prod
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from kubelemma.model.cluster.state import NodeState
from kubelemma.model.cluster.world import NODES
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Application, Scenario, build
from kubelemma.model.system import State
from kubelemma.properties.select import properties_for
from kubelemma.solver.explore import check
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Verdict

Raw = dict[str, Any]
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
MOST = 800
"""States of the larger form of a scenario; what has more is not compared."""

# Scenarios

SELECTOR = {"matchLabels": {"app": "web"}}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def terms(kind: str, key: str) -> Raw:
    """Required inter-pod (anti-)affinity with pods of its own Deployment."""
    return {"affinity": {kind: {REQUIRED: [{"topologyKey": key, "labelSelector": SELECTOR}]}}}


def spread(key: str, **more: Any) -> Raw:
    """A hard topology spread constraint."""
    constraint = {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": SELECTOR,
        **more,
    }
    return {"topologySpreadConstraints": [constraint]}


CONSTRAINTS: tuple[Raw, ...] = (
    {},
    spread(HOSTNAME),
    spread(HOSTNAME, minDomains=3),
    spread(HOSTNAME, nodeTaintsPolicy="Honor"),
    spread(ZONE, matchLabelKeys=["pod-template-hash"]),
    terms("podAntiAffinity", HOSTNAME),
    terms("podAntiAffinity", ZONE),
    terms("podAffinity", HOSTNAME),
    terms("podAffinity", ZONE),
)
HAPPENINGS: tuple[Raw, ...] = (
    {"rollout": {"deployment": "web"}},
    {"scale": {"deployment": "web", "replicas": 3}},
    {"scale": {"deployment": "web", "replicas": 0}},
    {"cordon": {}},
    {"drain": {}},
    {"nodeCrash": {}},
    {"deletePod": {"deployment": "web"}},
    {"probeFailure": {"deployment": "web"}},
    {"lateCleanup": {"deployment": "web"}},
)


def nodes_of(zones: Iterable[str], room: int) -> tuple[Node, ...]:
    """One node with room for so many pods in each of the zones."""
    raws = [
        {
            "metadata": {"name": f"n{i}", "labels": {HOSTNAME: f"n{i}", ZONE: zone}},
            "status": {"allocatable": {"cpu": "64", "memory": "64Gi", "pods": str(room)}},
        }
        for i, zone in enumerate(zones)
    ]
    return tuple(with_defaults(decode(raw, Node)) for raw in raws)


def deployment_of(replicas: int, strategy: tuple[int, int] | None, spec: Raw) -> Deployment:
    """A Deployment; ``strategy`` is (maxSurge, maxUnavailable), or None for Recreate."""
    how: Raw = {"type": "Recreate"}
    if strategy is not None:
        how = {"rollingUpdate": {"maxSurge": strategy[0], "maxUnavailable": strategy[1]}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{}], **spec}}
    raw = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": SELECTOR,
            "strategy": how,
            "template": template,
        },
    }
    return with_defaults(decode(raw, Deployment))


def scenario_of(
    deployment: Deployment, nodes: tuple[Node, ...], events: list[Raw], *, scoring: bool = False
) -> Scenario:
    """The scenario of one Deployment; any feasible node may be chosen, unless scores count."""
    scheduler = {"scoring": scoring}
    raw = {"spec": {"events": events, "bounds": {"maxPods": 9}, "scheduler": scheduler}}
    return starts_of(deployment, nodes, raw)[0]


def starts_of(deployment: Deployment, nodes: tuple[Node, ...], raw: Raw) -> tuple[Scenario, ...]:
    """The scenarios of one Deployment, one for each start."""
    return build(Application((deployment,), nodes), decode(raw, Check))


REPLICAS = st.integers(1, 2)
STRATEGIES = st.sampled_from([(1, 0), (0, 1), (1, 1), None])
EVENTS = st.lists(st.sampled_from(HAPPENINGS), min_size=1, max_size=2, unique_by=str)


def reachable(scenario: Scenario, starts: set[State]) -> set[State] | None:
    """All states by the plain semantics; None for too many."""
    system = scenario.system
    seen = set(starts)
    frontier = list(starts)
    while frontier:
        state = frontier.pop()
        if not system.within_bounds(state):
            continue
        for step in system.successors(state):
            after = system.canonical(step.state)
            if after not in seen:
                seen.add(after)
                frontier.append(after)
        if len(seen) > MOST:
            return None
    return seen


def verdicts(scenario: Scenario) -> dict[tuple[str, str], Verdict]:
    """What the engine says of every property."""
    found = check(scenario.system, properties_for(scenario), Limits(max_states=20_000))
    return {(p.property.id, p.property.subject): p.verdict for p in found.properties}


# Nodes of one shape


def preferring(spec: Raw, term: Raw) -> Raw:
    """The pod spec with a node preference: it tells nodes apart, and rejects none."""
    preference = {"nodeAffinity": {PREFERRED: [{"weight": 1, "preference": term}]}}
    return {**spec, "affinity": {**spec.get("affinity", {}), **preference}}


BY_NAME = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n0"]}]}
BY_HOST = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": ["n0"]}]}


@dataclass(frozen=True, slots=True)
class Pair:
    """A scenario with equal nodes grouped, and with each node a shape of its own."""

    grouped: Scenario
    apart: Scenario

    @property
    def first(self) -> int:
        """Where the nodes begin in a state; it is the same in both."""
        return self.grouped.system.positions[NODES].start

    def merged(self, state: State) -> State:
        """A state with all nodes apart, as the grouped scenario has it."""
        initial = self.grouped.system.initial[self.first :]
        names = [shape.node.metadata.name for shape in self.apart.world.shapes]
        shapes = {
            name: node.shape for name, node in zip(self.grouped.node_names, initial, strict=True)
        }
        nodes = [node._replace(shape=shapes[names[node.shape]]) for node in state[self.first :]]
        return self.grouped.system.canonical((*state[: self.first], *nodes))

    def starts(self) -> set[State]:
        """All states with the nodes apart that are the one initial state with them grouped."""
        initial = self.apart.system.initial
        nodes = initial[self.first :]
        arranged = (
            (
                *initial[: self.first],
                *(
                    there._replace(shape=here.shape)
                    for here, there in zip(nodes, other, strict=True)
                ),
            )
            for other in permutations(nodes)
        )
        return {state for state in arranged if self.merged(state) == self.grouped.system.initial}


def arrangements(nodes: Iterable[NodeState]) -> int:
    """In how many ways what is on the nodes of each shape can be dealt out to them."""
    groups = [list(group) for _, group in groupby(sorted(nodes), key=lambda node: node.shape)]
    return prod(
        factorial(len(group)) // prod(factorial(n) for n in Counter(group).values())
        for group in groups
    )


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Any small scenario; sometimes it is the host names that tell nodes apart."""
    how = draw(REPLICAS), draw(STRATEGIES)
    spec, events = draw(st.sampled_from(CONSTRAINTS)), draw(EVENTS)
    zones = draw(st.lists(st.sampled_from("ab"), min_size=2, max_size=3))
    nodes = nodes_of(zones, draw(st.integers(1, 3)))
    by = draw(st.sampled_from([BY_NAME, BY_HOST]))
    raw = {"spec": {"events": events, "bounds": {"maxPods": 9}}}
    grouped = starts_of(deployment_of(*how, spec), nodes, raw)
    apart = starts_of(deployment_of(*how, preferring(spec, by)), nodes, raw)
    alike = (pair for pair in starmap(Pair, product(grouped, apart)) if pair.starts())
    found = next(alike, None)
    assume(found is not None)  # each may begin elsewhere, where several starts are equally good
    assert found is not None
    return found


@settings(max_examples=15)
@given(pairs())
def test_equal_nodes_are_interchangeable(pair: Pair) -> None:
    """With every node told apart the states are the arrangements of the grouped ones."""
    assert len(pair.apart.world.shapes) == len(pair.apart.node_names)
    every = reachable(pair.apart, pair.starts())
    assume(every is not None)
    assert every is not None
    states = {pair.merged(state) for state in every}
    assert states == reachable(pair.grouped, {pair.grouped.system.initial})
    assert sum(arrangements(state[pair.first :]) for state in states) == len(every)
    event(f"{len(pair.grouped.world.shapes)} shapes of {len(pair.apart.node_names)} nodes")
    assert verdicts(pair.grouped) == verdicts(pair.apart)


# Pods that terminate


def followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every scenario follow pods that terminate."""
    module = import_module("kubelemma.model.scenario.plan")
    asks = (replace(COMPONENTS[0], needs_terminating=lambda *_: True), *COMPONENTS[1:])
    monkeypatch.setattr(module, "COMPONENTS", asks)


@settings(max_examples=12)
@given(
    REPLICAS,
    st.sampled_from([(1, 0), (0, 1), (1, 1)]),
    st.sampled_from([s for s in CONSTRAINTS if "affinity" not in s]),
    EVENTS,
    st.lists(st.sampled_from("ab"), min_size=2, max_size=2),
)
def test_terminating_pods_may_be_dropped(
    replicas: int,
    strategy: tuple[int, int],
    spec: Raw,
    events: list[Raw],
    zones: list[str],
) -> None:
    """Where every node has room for all pods, no verdict depends on those that terminate.

    Only drains wait for them, if a machine may be down.
    """
    assume(not {"drain", "nodeCrash"} <= {name for given_event in events for name in given_event})
    deployment, nodes = deployment_of(replicas, strategy, spec), nodes_of(zones, 64)
    dropped = scenario_of(deployment, nodes, events)
    assert not dropped.world.follows_terminating
    with pytest.MonkeyPatch.context() as monkeypatch:
        followed(monkeypatch)
        full = scenario_of(deployment, nodes, events)
    assert full.world.follows_terminating
    answers = verdicts(full)
    assume(Verdict.INCONCLUSIVE not in answers.values())
    event(f"{sum(v is Verdict.VIOLATED for v in answers.values())} violated")
    # what is promised of pods that terminate is asked only where they are followed
    assert verdicts(dropped) == {key: answers[key] for key in verdicts(dropped)}


def test_scores_see_terminating_pods() -> None:
    """Where the best node counts, a pod that is still terminating makes its node a worse one."""
    scenario = scenario_of(
        deployment_of(2, (0, 1), {}), nodes_of("aa", 64), [HAPPENINGS[0]], scoring=True
    )
    assert scenario.world.follows_terminating


# The same question twice


def told(result: CheckResult) -> list[Any]:
    """Everything but times and memory."""
    counts = result.statistics
    return [
        (counts.states, counts.concrete_states, counts.transitions, counts.depth, counts.actions),
        *((p.property.id, p.property.subject, p.verdict, p.trace) for p in result.properties),
    ]


def small_result() -> CheckResult:
    """One scenario with violations, built and explored."""
    deployment = deployment_of(2, (1, 0), terms("podAntiAffinity", HOSTNAME))
    scenario = scenario_of(deployment, nodes_of("ab", 2), [HAPPENINGS[0], HAPPENINGS[6]])
    return check(scenario.system, properties_for(scenario))


def test_same_question_same_answer() -> None:
    """Building and exploring twice gives the same counts, verdicts and counterexamples."""
    first = small_result()
    assert Verdict.VIOLATED in {p.verdict for p in first.properties}
    assert told(first) == told(small_result())


AGAIN = """
import runpy, sys
names = runpy.run_path(sys.argv[1])
print(names["told"](names["small_result"]()))
"""


def test_answer_does_not_depend_on_hashes() -> None:
    """Processes that hash strings differently give the same answer to the letter."""
    answers = {
        subprocess.run(
            [sys.executable, "-c", AGAIN, __file__],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
    assert "delete-pod" in answers.pop()
