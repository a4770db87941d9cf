"""What to do about a violation: what fits its cause comes first, and there is always some."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.model.manifests.problems import Position
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.reports import json, saved
from kubelemma.reports.advice import advice, cause
from kubelemma.reports.cases import Repair
from kubelemma.reports.document import PropertyReport, Report, ScenarioReport, Tried
from kubelemma.reports.story import (
    Contradiction,
    Fact,
    Hindrance,
    NodeReview,
    Story,
    StoryStep,
    Waiting,
)
from kubelemma.solver.result import Statistics, Verdict

WEB = "Deployment default/web"
HERE, THERE = Position("web.yaml", 5, 3), Position("web.yaml", 9, 3)
ROOM = NodeReview(
    ("node-1",),
    "filtered",
    "NodeResourcesFit",
    ("Insufficient cpu",),
    "cpu: 2 asked for",
    None,
    HERE,
)
SPREAD = NodeReview(("node-1",), "filtered", "PodTopologySpread", ("does not match",))
APART = NodeReview(
    ("node-1",),
    "filtered",
    "InterPodAffinity",
    ("node(s) didn't match pod anti-affinity rules",),
)
CORDONED = NodeReview(("node-2",), "filtered", "NodeUnschedulable", ("were unschedulable",))
MIXED = Contradiction("two versions", (Fact("pods of older templates", "1"),), 1)
NO_SPARE = Fact(Hindrance.UNAVAILABLE, "0 (25% of 1, rounded down)", THERE)


def violation(story: Story | None, identifier: str = "DEP-4") -> PropertyReport:
    """A violation with this story."""
    return PropertyReport(STATEMENTS[identifier], WEB, Verdict.VIOLATED, story=story)


def standstill(*facts: Fact, nodes: tuple[NodeReview, ...] = (), words: str = "") -> Story:
    """The end of a rollout in which a pod waits."""
    waits = (Waiting("web-v2-1", words, nodes, facts),)
    return Story("DEP-4", WEB, (), (), None, True, (), contradictions=(MIXED,), waiting=waits)


def loop(*actions: str, facts: tuple[Fact, ...] = ()) -> Story:
    """Steps that repeat for ever."""
    steps = tuple(StoryStep(n, "x", a, a, facts=facts) for n, a in enumerate(actions, 1))
    return Story("DEP-4", WEB, (), steps, 0, False, ())


def lost(*terms: Fact, action: str = "node-crash") -> Story:
    """A step after which too few pods are left."""
    found = Contradiction("0 are left", (Fact("available pods", "0"), *terms), 1)
    steps = (StoryStep(1, "x", action, action),)
    return Story("DRAIN-2", WEB, (), steps, None, False, (), contradictions=(found,))


DOWN = Fact(Hindrance.MACHINE, "node-1")
RECREATE = Fact(Hindrance.STRATEGY, "Recreate", HERE)


@pytest.mark.parametrize(
    ("story", "causes"),
    [
        (standstill(RECREATE, DOWN), ["recreate", "recreate"]),
        (standstill(DOWN), ["lost machine"]),
        (
            standstill(DOWN, Fact(Hindrance.FOR_EVER, "", HERE)),
            ["tolerated for ever", "lost machine"],
        ),
        (
            standstill(Fact(Hindrance.UNKNOWN_KEY, "rack", HERE), nodes=(SPREAD,)),
            ["unknown topology key"],
        ),
        (
            standstill(Fact(Hindrance.TAINTS_POLICY, "Ignore", HERE), nodes=(SPREAD,)),
            ["taints policy", "spread"],
        ),
        (standstill(Fact(Hindrance.INIT_CONTAINER, "m: cpu 2", HERE), nodes=(ROOM,)), ["init"]),
        (standstill(NO_SPARE, nodes=(ROOM,)), ["no room", "no room"]),
        (standstill(NO_SPARE, nodes=(APART,)), ["anti-affinity", "anti-affinity"]),
        (standstill(nodes=(CORDONED, ROOM)), ["cordoned", "no room"]),
        (standstill(words="its containers run and never become Ready"), ["never ready"]),
        (loop("create-pod", "reject"), ["node name"]),
        (loop("create-pod", "evict"), ["node name"]),
        (loop("create-pod", "bind", "evict"), ["tolerationSeconds"]),
    ],
)
def test_advice_fits_the_cause(story: Story, causes: list[str]) -> None:
    """What the story shows decides what is advised, in order."""
    found = advice(violation(story))
    assert len(found) == len(causes)
    assert all(one.cause.startswith(wanted) for one, wanted in zip(found, causes, strict=True))


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        ((Fact(Hindrance.REPLICAS, "1", HERE),), "one replica"),
        ((Fact(Hindrance.REPLICAS, "2", HERE),), "not apart"),
        ((Fact(Hindrance.REPLICAS, "2"), Fact(Hindrance.WISH, "zone", HERE)), "only a wish"),
        (
            (Fact(Hindrance.REPLICAS, "2"), Fact(Hindrance.UNKNOWN_KEY, "rack", HERE)),
            "unknown topology key",
        ),
    ],
)
def test_what_a_lost_node_takes(terms: tuple[Fact, ...], wanted: str) -> None:
    """Whoever has one replica needs another one; whoever has two must keep them apart."""
    prop = violation(lost(*terms), "DRAIN-2")
    assert cause(prop) == wanted
    assert advice(prop)[0].positions == (HERE,)


def test_recreate_is_not_told_of_surges() -> None:
    """Recreate has no maxSurge; what helps are the Node, its taint, the pod, and the strategy."""
    first, second = map(str, advice(violation(standstill(RECREATE, DOWN))))
    assert "maxSurge" not in first + second
    for wanted in ("kubectl delete node node-1", "out-of-service=nodeshutdown", "--force"):
        assert wanted in first
    assert second.endswith(f"({HERE}).")


def test_a_machine_whose_runtime_is_gone_is_not_down() -> None:
    """What helps there is the runtime; what is for machines that are off comes after it."""
    ailing = Fact(Hindrance.RUNTIME, "node-1")
    first, second = map(str, advice(violation(standstill(DOWN, ailing))))
    assert first.startswith("The kubelet of node-1 ends and starts no container")
    assert "is down" not in first + second
    assert second.startswith("Until then web-v2-1 cannot go.")


def test_what_is_left_alone_is_no_alternative() -> None:
    """Where the first advice is known not to help, what comes after does not begin with "Or"."""
    story = standstill(Fact(Hindrance.ATTACHED, "default/data on node-1"))
    helps = (Tried(Repair.RECREATE, Verdict.HOLDS),)
    _, other = advice(replace(violation(story), tried=helps))
    assert str(other).startswith("Or use a claim with ReadWriteMany")
    tried = (Tried(Repair.RECREATE, Verdict.VIOLATED),)
    (only,) = advice(replace(violation(story), tried=tried))
    assert str(only).startswith("Use a claim with ReadWriteMany")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("end-pod", "drain the node before"),
        ("collect-orphan", "drain the node before"),
        ("evict-for-memory", "a limit of memory that is their request"),
    ],
)
def test_who_asks_no_budget_is_named_first(action: str, words: str) -> None:
    """Spreading pods is no advice against a shutdown, a deletion or a shortage of memory."""
    ended = replace(standstill(), steps=(StoryStep(1, "kubelet", action, "ends it"),))
    first, *others = advice(violation(ended, "DRAIN-2"))
    assert words in first.text
    assert not others


def test_a_drain_is_no_cordon() -> None:
    """Nobody is advised to uncordon the node that is being drained."""
    story = standstill(nodes=(CORDONED,))
    drained = replace(story, steps=(StoryStep(1, "user", "drain", "drains"),))
    assert cause(violation(story)) == "cordoned"
    assert "uncordon" not in str(advice(violation(drained))[0])


def test_what_was_tried_is_said() -> None:
    """What is known to help comes before what is not, and what does not help is left out."""
    story = standstill(Fact(Hindrance.TAINTS_POLICY, "Ignore", HERE), NO_SPARE, nodes=(SPREAD,))
    assert [one.repair for one in advice(violation(story))] == [
        Repair.HONOR_TAINTS,
        Repair.SPREAD_AS_A_WISH,
    ]
    trials = (
        Tried(Repair.HONOR_TAINTS, Verdict.INCONCLUSIVE),
        Tried(Repair.SPREAD_AS_A_WISH, Verdict.HOLDS),
    )
    first, second = advice(replace(violation(story), tried=trials))
    assert str(first).endswith("ScheduleAnyway (tried: holds).")
    assert str(second).endswith("(web.yaml:5; tried: not decided).")
    worse = (Tried(Repair.SPREAD_AS_A_WISH, Verdict.VIOLATED),)
    (only,) = advice(replace(violation(story), tried=worse))
    assert str(only).endswith("(web.yaml:5; not tried).")


def test_kept_reports_have_what_was_tried() -> None:
    """A trial is not made again to write a kept result in another format."""
    trials = (Tried(Repair.OLD_FIRST, Verdict.HOLDS, ("DEP-3",)),)
    prop = replace(violation(standstill(NO_SPARE, nodes=(ROOM,))), tried=trials)
    kept = Report("1", (ScenarioReport("web", (), (prop,), Statistics()),))
    again = saved.load("r", json.render(kept))
    (found,) = again.scenarios[0].properties
    assert advice(found) == advice(prop)
    assert "tried: holds, but DEP-3 is violated then" in str(advice(found)[-1])


def test_fields_of_several_pods_are_named_at_once() -> None:
    """The same advice for two workloads is one, with both places."""
    other = replace(ROOM, position=THERE)
    (found,) = advice(violation(standstill(nodes=(ROOM, other))))
    assert found.positions == (HERE, THERE)
    assert str(found).endswith("(web.yaml:5, web.yaml:9).")


def test_the_general_remedy_is_the_last_resort() -> None:
    """Where the story shows nothing that is known, what the property says in general stands."""
    for story in (None, loop("scale"), lost()):
        (found,) = advice(violation(story))
        assert (found.cause, found.text) == ("", STATEMENTS["DEP-4"].remediation)
    assert not cause(replace(violation(None), verdict=Verdict.HOLDS))


def test_no_advice_repeats_what_did_it() -> None:
    """Two pods of one name come of deleting the Node of a machine that runs: it goes off first."""
    said = STATEMENTS["STS-1"].remediation
    assert said.index("machine off first") < said.index("or delete the Node")
    assert "nor its Node while the machine may still run" in said


@settings(max_examples=30)
@given(st.data())
def test_there_is_always_some(reports: st.SearchStrategy[Report], data: st.DataObject) -> None:
    """Whatever the story, something is advised, in a sentence that ends."""
    drawn = data.draw(reports)
    for scenario in drawn.scenarios:
        for prop in scenario.properties:
            found = advice(prop)
            assert found
            assert all(str(one).endswith(".") for one in found)
