"""Placements that nobody looks at are called harmless only where they show nothing new.

All placements of small clusters are tried, one at a time, as if it was the only one that is looked
at of more: what is violated in any of them is violated in each that is said to speak for all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st
from test_placement_brute_force import HOSTNAME

from kubelemma import api
from kubelemma.model.scenario.lodging import Floor, Likeness
from kubelemma.model.scenario.start import Placement, Starts
from kubelemma.solver.result import Verdict

BUILD = import_module("kubelemma.model.scenario.build")
START = import_module("kubelemma.model.scenario.start")
UNSEEN = import_module("kubelemma.model.scenario.unseen")
MOST = 14
"""So many placements are tried of one cluster."""
EXAMPLES = max(10, settings().max_examples // 10)
"""Each is some ten checks."""


class Wanted(NamedTuple):
    """A Deployment: its pods, how they are replaced, and which node they ask for, if any."""

    replicas: int
    cpu: int
    recreate: bool = False
    pinned: bool = False
    young: bool = False


class Small(NamedTuple):
    """Nodes by their cores, the Deployment that is asked about, and those that stand by."""

    nodes: tuple[int, ...]
    web: Wanted
    others: tuple[Wanted, ...]
    asked: tuple[str, ...]
    first: bool = False


def deployment(name: str, wanted: Wanted, priority: str) -> dict[str, Any]:
    """The Deployment as somebody writes it."""
    labels = {"app": name}
    requests = {"requests": {"cpu": str(wanted.cpu)}}
    spec: dict[str, Any] = {
        "containers": [{"name": "c", "image": "x", "resources": requests}],
        "priorityClassName": priority,
        **({"nodeSelector": {HOSTNAME: "n0"}} if wanted.pinned else {}),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": wanted.replicas,
            "minReadySeconds": 10 if wanted.young else 0,
            "strategy": {"type": "Recreate" if wanted.recreate else "RollingUpdate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def documents(small: Small) -> Iterator[dict[str, Any]]:
    """All of it as manifests."""
    for value, name in enumerate(("late", "early")):
        kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": value}
        yield {**kind, "metadata": {"name": name}}
    for number, cores in enumerate(small.nodes):
        name = f"n{number}"
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {HOSTNAME: name}},
            "status": {"allocatable": {"cpu": str(cores), "memory": "8Gi", "pods": "30"}},
        }
    yield deployment("web", small.web, "early" if small.first else "late")
    for number, other in enumerate(small.others):
        yield deployment(f"by{number}", other, "late" if small.first else "early")


class Answer(NamedTuple):
    """What is violated from one placement, by case, and whether others are left open."""

    violated: frozenset[tuple[str, str]]
    open: frozenset[str]


class Trial:
    """A cluster, all placements there are on it, and the answer from each of them."""

    def __init__(self, small: Small) -> None:
        self._small = small
        items = [*documents(small)]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        usual = {"rollout", "bad-version", "node-lost", "drain"}.issuperset(small.asked)
        how = {"questions" if usual else "events": small.asked}
        self._question = api.Question(
            paths=(api.STDIN,), stdin=text, workloads=("web",), thorough=usual, **how
        )
        self._apart = not usual

    def placements(self) -> tuple[Placement, ...]:
        """Each that differs in more than the names of nodes, whatever scores say."""
        taken: list[Placement] = []
        original = BUILD.starts

        def recorded(given: Any, nodes: Any, *args: Any, **options: Any) -> Starts:
            del args, options
            names = [node.metadata.name for node in nodes]
            alone = Likeness(dict(zip(names, range(len(names)), strict=True)), dict.fromkeys(names))
            with patch.object(START, "Floor", partial(Floor, anywhere=True)):
                found: Starts = original(given, nodes, (), alone, most=10**6)
            taken.extend(found.placements)
            return original(given, nodes, ())

        with patch.object(BUILD, "starts", recorded):
            api.ask(self._question)
        return tuple({self._form(p): p for p in reversed(taken)}.values())

    def _form(self, placement: Placement) -> Any:
        """What tells a placement apart: where its own are does not, if these may be anywhere."""
        nodes = []
        for number, cores in enumerate(self._small.nodes):
            there = {
                key.name: sum(spots.values())
                for key, placed in placement.placed.items()
                if self._apart or key.name != "web"
                for spots in [placed.on_nodes.get(f"n{number}", {})]
            }
            asked = number == 0 and any(w.pinned for w in (self._small.web, *self._small.others))
            nodes.append((asked, cores, tuple(sorted(there.items()))))
        return tuple(sorted(nodes))

    def answer(self, placement: Placement) -> Answer:
        """What is found if this one is looked at, and there are more."""

        def only(*args: Any, **options: Any) -> Starts:
            del args, options
            return Starts((placement,), more=True)

        with patch.object(BUILD, "starts", only):
            cases = api.ask(self._question).cases
        violated = frozenset(
            (case.scenario.question, f"{found.property.id} {found.property.subject}")
            for case in cases
            for found in api.explore(case).result.properties
            if found.verdict is Verdict.VIOLATED
        )
        return Answer(violated, frozenset(c.scenario.question for c in cases if c.scenario.unseen))


WANTED = st.builds(
    Wanted,
    replicas=st.integers(1, 2),
    cpu=st.integers(1, 3),
    recreate=st.booleans(),
    pinned=st.sampled_from((False, False, True)),
    young=st.sampled_from((False, False, True)),
)
SMALL = st.builds(
    Small,
    nodes=st.lists(st.sampled_from((2, 4, 6, 12)), min_size=1, max_size=3).map(tuple),
    web=WANTED,
    others=st.lists(WANTED, min_size=1, max_size=2).map(tuple),
    asked=st.sampled_from(
        (
            ("rollout",),
            ("bad-version",),
            ("node-lost",),
            ("drain",),
            ("rollout=web",),
            ("node-crash",),
            ("drain", "rollout=web"),
            ("scale=web:3",),
        )
    ),
    first=st.booleans(),
)
PLAIN = Wanted(1, 1)


@settings(max_examples=EXAMPLES)
@given(small=SMALL)
@example(small=Small((2, 2), PLAIN._replace(pinned=True), (Wanted(1, 2),), ("rollout",)))
@example(small=Small((4, 4), PLAIN._replace(pinned=True), (Wanted(1, 2),), ("rollout",)))
@example(small=Small((6, 6), Wanted(2, 2, pinned=True), (Wanted(1, 3),), ("rollout",)))
@example(small=Small((6, 6, 6), Wanted(2, 1), (Wanted(2, 1),), ("node-lost",)))
@example(small=Small((6, 6), Wanted(2, 1), (Wanted(1, 1),), ("node-crash",)))
@example(small=Small((4, 4, 4), Wanted(2, 1), (Wanted(2, 1),), ("drain",)))
@example(small=Small((4, 4), Wanted(2, 1, young=True), (Wanted(1, 1),), ("scale=web:3",)))
def test_who_speaks_for_all_shows_all(small: Small) -> None:
    """No placement has a violation that one does not have which is said to speak for all."""
    trial = Trial(small)
    placements = trial.placements()
    assume(1 < len(placements) <= MOST)
    answers = [trial.answer(placement) for placement in placements]
    every = frozenset().union(*(answer.violated for answer in answers))
    for answer in answers:
        missed = {found for found in every - answer.violated if found[0] not in answer.open}
        assert not missed
    event(f"speaks for all: {Counter(not a.open for a in answers)[True] > 0}")
    event(f"something is violated: {bool(every)}")


SHORT = Small((3, 3, 3, 3, 3, 4), Wanted(2, 2), (Wanted(1, 3),), ("drain",))
"""The large node alone has room for two pods, and none for two where the other one is on it."""


def test_a_placement_without_room_on_each_node_speaks_for_none() -> None:
    """Each pod finds a node, but not any: only where the large one is free may it take both."""
    trial = Trial(SHORT)
    free, taken = (trial.answer(placement) for placement in trial.placements())
    assert free.violated == {("drain", "DRAIN-2 Deployment default/web")}
    assert (taken.violated, taken.open) == (frozenset(), {"drain"})
    with patch.object(UNSEEN, "_is_roomy", lambda *_: True):
        short = next(a for p in trial.placements() if not (a := trial.answer(p)).violated)
    assert not short.open
