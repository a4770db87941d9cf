"""Where a check starts, what place says, and what trying everything says, of the same manifests.

The brute force knows the scheduler's filters and the documents, not how either reads or places
them. To try more than a test run does::

    python tests/engines/test_start_brute_force.py 4000 [FIRST_SEED]

prints what disagrees, how often which case was met, and exits 1 if anything disagrees.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias
from unittest.mock import patch

import msgspec
import pytest
from drawn_manifests import Drawn, Owner, manifests, seeded_manifests
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from test_placement_brute_force import EFFORT, HOSTNAME, BruteForce, State, at_least, placement_of

from kubelemma import api
from kubelemma.model.cluster.snapshot import NOWHERE, Snapshot
from kubelemma.model.components.scheduler.decision.default_selector import controller_of
from kubelemma.model.components.scheduler.decision.nodeinfo import NodeInfo
from kubelemma.model.components.scheduler.decision.profile import Snapshot as NodeSnapshot
from kubelemma.model.components.scheduler.decision.profile import decide as decide_pod
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.start import Placement, Starts
from kubelemma.model.scenario.templates import kind_of
from kubelemma.placing.plan import plan, read
from kubelemma.solver.placement.checker import check
from kubelemma.solver.placement.decide import decide
from kubelemma.solver.placement.order_replay import refusal
from kubelemma.solver.placement.problem import Answer, Question

BUILD = import_module("kubelemma.model.scenario.build")


def reached(force: BruteForce) -> dict[State, tuple[tuple[int, int], ...]]:
    """Every state that some order comes to, with such an order."""
    found: dict[State, tuple[tuple[int, int], ...]] = {force.start: ()}
    agenda = [force.start]
    while agenda:
        state = agenda.pop()
        for following in force.successors(state):
            if following not in found:
                (step,) = (
                    (w, n)
                    for w, row in enumerate(following)
                    for n, number in enumerate(row)
                    if number > state[w][n]
                )
                found[following] = (*found[state], step)
                agenda.append(following)
    return found


def starts_of(text: str, owners: tuple[str, ...]) -> tuple[tuple[Placement, ...], list[Scenario]]:
    """The starts of a check of all of these together: as they are placed, and as they are built."""
    taken: list[Placement] = []
    original = BUILD.starts

    def recorded(*args: Any, **options: Any) -> Starts:
        found: Starts = original(*args, **options)
        taken.extend(found.placements)
        return found

    with patch.object(BUILD, "starts", recorded):
        question = api.Question(
            paths=(api.STDIN,), stdin=text, events=("none",), together=owners, properties=("SCH-2",)
        )
        cases = api.ask(question).cases
    return tuple(taken), [case.scenario for case in cases]


def state_of(placement: Placement, drawn: Drawn) -> State:
    """How many pods of each that is placed anew are on which node."""
    by_name = {f"{k.kind} {k.namespace}/{k.name}": v for k, v in placement.placed.items()}
    names = [node["metadata"]["name"] for node in drawn.nodes]
    rows = []
    for owner in drawn.anew():
        if owner.key in by_name:
            there = by_name[owner.key].on_nodes
            rows.append(tuple(sum(there.get(name, {}).values()) for name in names))
        else:
            pods = placement.existing
            own = owner.raw["metadata"]["name"]
            rows.append(tuple(sum(p.metadata.name == own for p in pods.get(n, ())) for n in names))
    return tuple(rows)


def built(scenario: Scenario) -> Counter[tuple[str, str]]:
    """How many pods of which Deployment are on which node when the search begins."""
    found: Counter[tuple[str, str]] = Counter()
    owner_of = {c: w for w in scenario.world.workloads for c in w.classes}
    for place, number in Snapshot(scenario, scenario.system.initial).places().items():
        if place.node != NOWHERE:
            found[owner_of[place.pod_class].cell, place.node] += number
    return found


def said(placement: Placement) -> Counter[tuple[str, str]]:
    """The same as the placement has it."""
    return Counter(
        {
            (str(key), node): sum(spots.values())
            for key, placed in placement.placed.items()
            for node, spots in placed.on_nodes.items()
            if spots
        }
    )


class Truth:
    """What trying everything comes to: each state with an order that leads there, and the ends."""

    def __init__(self, drawn: Drawn) -> None:
        self.problem = drawn.problem()
        self.force = BruteForce(self.problem)
        self.orders = reached(self.force)
        self.ends = {s for s in self.orders if not any(True for _ in self.force.successors(s))}
        whole = [self.force.is_complete(state) for state in self.ends]
        self.answers = {
            Question.FINAL: self.force.final(),
            Question.REACHABLE: any(whole),
            Question.ANY_ORDER: all(whole),
        }

    def objections(self, state: State) -> Iterator[str]:
        """What is wrong with a state as the start of a check."""
        if state not in self.orders:
            yield "no order leads there"
            return
        if objection := refusal(self.problem, self.orders[state]):
            yield objection
        if state not in self.ends:
            yield "more would fit"
        whole = self.force.is_complete(state)
        if whole and not self.answers[Question.REACHABLE]:
            yield "all are placed, and that cannot be"
        if not whole and self.answers[Question.ANY_ORDER]:
            yield "some are pending, and every order places all"
        complaints, legal = check(self.problem, placement_of(state)), self.force.is_legal(state)
        if bool(complaints) == legal:
            yield f"legal is {legal}, and the checker of placements says {complaints}"


class Comparison:
    """Everybody's answers against each other, and how often which case was met."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.disagreements: list[str] = []

    def compare(self, name: str, drawn: Drawn) -> None:
        """Ask all of them."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": drawn.documents()})
        truth = Truth(drawn)
        (given,) = read(["-"], text)
        planned = plan(given).problem
        for question, expect in truth.answers.items():
            answer = decide(planned.cluster, planned.workloads, question, EFFORT).answer
            self.counts[f"place {question}: {answer}"] += 1
            if answer is not Answer.UNKNOWN and (answer is Answer.YES) != expect:
                self._differ(name, f"place {question} says {answer}, brute force {expect}")
        deployments = tuple(o.raw["metadata"]["name"] for o in drawn.owners if "own" in _labels(o))
        if not deployments:
            self.counts["nothing to check"] += 1
            return
        placements, scenarios = starts_of(text, deployments)
        self.counts[f"check: {len(placements)} starts"] += 1
        for placement in placements:
            state = state_of(placement, drawn)
            pending = not truth.force.is_complete(state)
            self.counts["check: some pending" if pending else "check: all placed"] += 1
            for objection in truth.objections(state):
                self._differ(name, f"check starts at {state}: {objection}")
        told = [said(placement) for placement in placements]
        for counts in map(built, scenarios):
            if counts not in told:
                self._differ(name, f"the search begins at {dict(counts)}, placed is {told}")

    def _differ(self, name: str, what: str) -> None:
        self.disagreements.append(f"{name}: {what}")


def _labels(owner: Any) -> Any:
    return owner.template["metadata"]["labels"]


def pod(name: str, node: str = "", **term: Any) -> dict[str, Any]:
    """A pod as somebody writes it that keeps away from others on its node."""
    found = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "x"}}, **term}
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": [found]}
    return {
        "metadata": {"namespace": "one", "name": name, "labels": {"app": "x", "rev": name}},
        "spec": {
            "containers": [{"name": "c", "image": "x", "resources": {"requests": {"cpu": "100m"}}}],
            "affinity": {"podAntiAffinity": rule},
            **({"nodeName": node} if node else {}),
        },
    }


def small(lone: tuple[dict[str, Any], ...], pending: dict[str, Any]) -> Drawn:
    """One node with some pods, one that waits, and a Deployment to ask a check about."""
    labels = {"app": "y", "own": "w0"}
    spec = {"containers": [{"name": "c", "image": "x"}]}
    template = {"metadata": {"namespace": "one", "labels": labels, "name": "w0"}, "spec": spec}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "w0", "namespace": "one"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"own": "w0"}},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    waiting = {"apiVersion": "v1", "kind": "Pod", **pending}
    allocatable = {"cpu": "2", "pods": "9"}
    node = {
        "metadata": {"name": "n0", "labels": {HOSTNAME: "n0"}},
        "status": {"allocatable": allocatable},
    }
    return Drawn((node,), (Owner(deployment, template, 1), Owner(waiting, pending, 1)), lone)


@pytest.mark.parametrize(
    ("drawn", "placed"),
    [
        (small((pod("a", "n0"),), pod("b")), 0),
        (small((pod("a", "n0", matchLabelKeys=["rev"]),), pod("b", matchLabelKeys=["rev"])), 1),
        (small((), pod("b", mismatchLabelKeys=["app"])), 1),
    ],
    ids=["apart", "apart from their like", "no like"],
)
def test_pods_of_nobody_are_admitted(drawn: Drawn, placed: int) -> None:
    """What the API server makes of a template it makes of a pod that somebody writes, too."""
    comparison = Comparison()
    comparison.compare("small", drawn)
    assert comparison.disagreements == []
    assert comparison.counts["place reachable: yes"] == placed


def test_starts_agree_with_brute_force() -> None:
    """A check starts where an order of scheduling comes to its end, and place agrees with it."""
    comparison = Comparison()
    for seed in range(at_least(40)):
        comparison.compare(f"seed {seed}", seeded_manifests(seed))
    assert comparison.disagreements == []


@settings(max_examples=at_least(20))
@given(drawn=manifests())
def test_starts_agree_on_drawn_manifests(drawn: Drawn) -> None:
    """The same for clusters that Hypothesis draws, and makes small where they differ."""
    comparison = Comparison()
    comparison.compare("drawn", drawn)
    assert comparison.disagreements == []


# --- all starts there are -------------------------------------------------------------------------

ZONE = "topology.kubernetes.io/zone"


class Machine(NamedTuple):
    """A node: where it is, and what keeps pods off it."""

    zone: str
    tainted: bool
    cordoned: bool
    cpu: str


class Wanted(NamedTuple):
    """A Deployment, and what its pods want of the nodes and of each other."""

    replicas: int
    cpu: str
    apart: bool
    together: bool
    skew: int
    tolerates: bool


class Zoned(NamedTuple):
    """Nodes in zones, one Deployment to ask about, and one that comes first and stands by."""

    machines: tuple[Machine, ...]
    web: Wanted
    beside: int


MACHINES = st.builds(
    Machine,
    zone=st.sampled_from(("a", "b", "c")),
    tainted=st.sampled_from((False, False, True)),
    cordoned=st.sampled_from((False, False, False, True)),
    cpu=st.sampled_from(("4", "4", "8")),
)
ZONED = st.builds(
    Zoned,
    machines=st.lists(MACHINES, min_size=2, max_size=6).map(tuple),
    web=st.builds(
        Wanted,
        replicas=st.integers(1, 3),
        cpu=st.sampled_from(("500m", "2")),
        apart=st.booleans(),
        together=st.booleans(),
        skew=st.sampled_from((0, 0, 1, 2)),
        tolerates=st.booleans(),
    ),
    beside=st.sampled_from((0, 0, 1, 2)),
)


def zoned_deployment(name: str, wanted: Wanted, priority: int) -> dict[str, Any]:
    """The Deployment as somebody writes it."""
    labels = {"app": name}

    def terms(key: str) -> dict[str, Any]:
        found = {"topologyKey": key, "labelSelector": {"matchLabels": labels}}
        return {"requiredDuringSchedulingIgnoredDuringExecution": [found]}

    spec: dict[str, Any] = {
        "priorityClassName": f"at-{priority}",
        "containers": [{"name": "c", "image": "x", "resources": {"requests": {"cpu": wanted.cpu}}}],
        "affinity": {
            **({"podAntiAffinity": terms(HOSTNAME)} if wanted.apart else {}),
            **({"podAffinity": terms(ZONE)} if wanted.together else {}),
        },
        "tolerations": [{"key": "t", "operator": "Exists"}] if wanted.tolerates else [],
    }
    if wanted.skew:
        constraint = {"maxSkew": wanted.skew, "topologyKey": ZONE}
        constraint |= {"whenUnsatisfiable": "DoNotSchedule"}
        constraint |= {"labelSelector": {"matchLabels": labels}}
        spec["topologySpreadConstraints"] = [constraint]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": wanted.replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def zoned_documents(zoned: Zoned) -> Iterator[dict[str, Any]]:
    """All of it as manifests."""
    for number, machine in enumerate(zoned.machines):
        name = f"n{number}"
        taints = [{"key": "t", "effect": "NoSchedule"}] if machine.tainted else []
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {HOSTNAME: name, ZONE: machine.zone}},
            "spec": {"taints": taints, "unschedulable": machine.cordoned},
            "status": {"allocatable": {"cpu": machine.cpu, "memory": "8Gi", "pods": "9"}},
        }
    for value in (1, 2):
        yield {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": f"at-{value}"},
            "value": value,
        }
    yield zoned_deployment("web", zoned.web, 1)
    if zoned.beside:
        plain = Wanted(zoned.beside, "1", apart=False, together=False, skew=0, tolerates=False)
        yield zoned_deployment("first", plain, 2)


Numbers: TypeAlias = tuple[tuple[int, ...], ...]
"""How many pods of each Deployment are on each node."""


def form(zoned: Zoned, numbers: Numbers) -> Any:
    """What is left of it where names are of no concern."""
    zones: dict[str, list[Any]] = {}
    for machine, *here in zip(zoned.machines, *numbers, strict=True):
        kind = (machine.tainted, machine.cordoned, machine.cpu)
        zones.setdefault(machine.zone, []).append((kind, tuple(here)))
    return tuple(sorted(tuple(sorted(nodes)) for nodes in zones.values()))


def tried(pods: Sequence[tuple[Pod, int, bool]], infos: tuple[NodeInfo, ...]) -> set[Numbers]:
    """All that scheduling may come to, one sort of pods after the other.

    Each with how many there are, and whether any node will do that passes the filters.
    """
    if not pods:
        return {()}
    (pod, number, anywhere), *others = pods
    ends: set[Numbers] = set()
    agenda, seen = [(infos, (0,) * len(infos))], set()
    while agenda:
        there, counts = agenda.pop()
        if counts in seen:
            continue
        seen.add(counts)
        owner, labels = controller_of(pod), pod.metadata.label_map()
        own = {owner: LabelSelector(match_labels=labels)} if owner else {}
        found = decide_pod(pod, NodeSnapshot(there, workloads=own))
        names = (found.feasible if anywhere else found.choices) if sum(counts) < number else ()
        for name in names:
            i = next(i for i, info in enumerate(there) if info.node.metadata.name == name)
            bound = msgspec.structs.replace(pod.spec, node_name=name)
            more = there[i].with_pods(msgspec.structs.replace(pod, spec=bound))
            counted = (*counts[:i], counts[i] + 1, *counts[i + 1 :])
            agenda.append(((*there[:i], more, *there[i + 1 :]), counted))
        if not names:
            ends |= {(counts, *rest) for rest in tried(others, there)}
    return ends


def begun(zoned: Zoned, scenario: Scenario) -> Iterator[Numbers]:
    """Where the pods are when the search begins, in each of its starts."""
    for start in scenario.recipe[1]:  # type: ignore[attr-defined]
        states = dict(zip(scenario.node_names, start.nodes, strict=True))
        nodes = [states[f"n{number}"] for number in range(len(zoned.machines))]
        standing = tuple(len(scenario.world.shapes[node.shape].standing) for node in nodes)
        own = tuple(sum(group.size for group in node.pods) for node in nodes)
        yield (standing, own) if zoned.beside else (own,)


FREE = Machine("a", tainted=False, cordoned=False, cpu="4")
BESIDE_EACH_OTHER = Zoned(
    machines=(
        *(FREE, FREE, *[FREE._replace(cordoned=True)] * 2),
        *[FREE._replace(zone="b")] * 3,
    ),
    web=Wanted(2, "500m", apart=True, together=True, skew=0, tolerates=False),
    beside=0,
)
"""Two zones, in one of which no pod more finds a node once a node is lost."""
AFTER_ANOTHER = Zoned(
    machines=(FREE, FREE, FREE._replace(zone="b")),
    web=Wanted(1, "500m", apart=False, together=False, skew=0, tolerates=False),
    beside=1,
)
"""The pod that comes first may be alone in its zone, or not."""


@pytest.mark.parametrize("anywhere", [True, False], ids=["anywhere", "by scores"])
@settings(max_examples=at_least(60))
@given(zoned=ZONED)
@example(zoned=BESIDE_EACH_OTHER)
@example(zoned=AFTER_ANOTHER)
def test_all_starts_are_found(zoned: Zoned, anywhere: bool) -> None:  # noqa: FBT001 - pytest
    """A machine may be lost from every start that there is, up to names, and from no other."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [*zoned_documents(zoned)]})
    how = {"questions": ("node-lost",)} if anywhere else {"events": ("node-crash",)}
    question = api.Question(paths=(api.STDIN,), stdin=text, workloads=("web",), **how)
    cases = api.ask(question).cases
    manifests = cases[0].manifests.objects
    infos = tuple(NodeInfo(m.object) for m in manifests if isinstance(m.object, Node))
    owners = {
        m.object.metadata.name: m.object for m in manifests if isinstance(m.object, Deployment)
    }
    guests = [(kind_of(owners["web"]).pod(owners["web"], 0), zoned.web.replicas, anywhere)]
    if zoned.beside:
        guests.insert(0, (kind_of(owners["first"]).pod(owners["first"], 0), zoned.beside, False))
    assume(all(not case.scenario.unseen for case in cases))
    found = {form(zoned, start) for case in cases for start in begun(zoned, case.scenario)}
    assert found == {form(zoned, numbers) for numbers in tried(guests, infos)}


def main(count: int, first: int = 0) -> int:
    """Compare so many clusters by seed; the exit code is 1 if anything disagrees."""
    comparison = Comparison()
    for seed in range(first, first + count):
        try:
            comparison.compare(f"seed {seed}", seeded_manifests(seed))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a disagreement
            comparison.disagreements.append(f"seed {seed}: {type(error).__name__}: {error}")
    lines = [f"{number:8} {what}" for what, number in sorted(comparison.counts.items())]
    found = comparison.disagreements
    print(*lines, f"{len(found)} disagreements", *found[:50], sep="\n")  # noqa: T201 - a script
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
