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
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest.mock import patch

import pytest
from drawn_manifests import Drawn, Owner, manifests, seeded_manifests
from hypothesis import given, settings
from test_placement_brute_force import EFFORT, HOSTNAME, BruteForce, State, at_least, placement_of

from kubelemma import api
from kubelemma.model.cluster.snapshot import NOWHERE, Snapshot
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.start import Placement, Starts
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

    def recorded(*args: Any) -> Starts:
        found: Starts = original(*args)
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
