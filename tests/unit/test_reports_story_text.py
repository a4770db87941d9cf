"""What a story as text has of reasons: the essential always, every number on demand."""

from __future__ import annotations

from kubelemma.model.manifests.problems import Position
from kubelemma.reports.story import Contradiction, Fact, Idle, NodeReview, Story, StoryStep, Waiting
from kubelemma.reports.story_text import conclusion_lines, run_lines
from kubelemma.reports.style import few, painter

LACKING = NodeReview(
    ("node-1", "node-3"),
    "filtered",
    "NodeResourcesFit",
    ("Insufficient cpu",),
    "cpu: 2 asked for, 1 of 4 left",
    position=Position("web.yaml", 12),
)
BINDING = StoryStep(
    index=1,
    actor="scheduler",
    action="bind",
    summary="binds web-1 to node-2",
    unseen=("node-2 is down; the API still shows it Ready",),
    facts=(Fact("requests of the pod", "cpu 2", Position("web.yaml", 12)),),
    nodes=(NodeReview(("node-2",), "chosen", score=70), LACKING),
)
STORY = Story(
    "DEP-4",
    "Deployment default/web",
    (),
    (BINDING,),
    None,
    True,
    ("it hangs",),
    contradictions=(Contradiction("it hangs", (Fact("complete", "False"),), 1),),
    waiting=(Waiting("web-2", "0/3 nodes are available", (LACKING,)),),
    idle=(Idle("scheduler", "no node is left", held_up=True), Idle("kubelet", "all runs")),
)
PAINT = painter(colour=False)


def told(*, wide: bool) -> str:
    """The story without line breaks."""
    lines = (
        *run_lines(STORY, PAINT, 200, wide=wide),
        *conclusion_lines(STORY, PAINT, 200, wide=wide),
    )
    return "\n".join(line.strip() for line in lines)


def test_the_essential_is_always_told() -> None:
    """What was not seen, and who filtered nodes with what they lack, belongs to every story."""
    text = told(wide=False)
    assert "not seen: node-2 is down; the API still shows it Ready" in text
    assert (
        "node-1, node-3: filtered by NodeResourcesFit: Insufficient cpu "
        "(cpu: 2 asked for, 1 of 4 left) (web.yaml:12)"
    ) in text
    assert "chosen" not in text
    assert "it read" not in text
    assert "In numbers" not in text


def test_every_number_on_demand() -> None:
    """Wide, a story has all that its decisions and its end rest on."""
    lines = told(wide=True).splitlines()
    assert "node-2: chosen, score 70" in lines
    assert "it read: requests of the pod = cpu 2 (web.yaml:12)" in lines
    assert "- complete = False" in lines
    assert any(line.startswith("- web-2 on node-1, node-3: filtered by") for line in lines)
    assert "- kubelet: all runs" in lines
    assert not any("no node is left" in line for line in lines)


def test_long_enumerations_are_cut() -> None:
    """Ten thousand pods are not named one by one; one more than a few is not worth the words."""
    assert few(["a"]) == "a"
    assert few([*"abcdef"]) == "a, b, c, d, e and f"
    assert few([f"p{n}" for n in range(10_000)]) == "p0, p1, p2, p3, p4 and 9,995 more"
