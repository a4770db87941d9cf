"""The HTML report in a real Chromium: what is shown, and that nothing goes wrong on the way.

Skipped where there is no Chromium or no playwright: ``pip install --group browser`` and the
browser of the distribution are enough.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from browsing import unless_there_is_no_browser

from kubelemma import api
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.question import STDIN
from kubelemma.question import Question as CheckQuestion
from kubelemma.reports.document import PropertyReport, Report, ScenarioReport
from kubelemma.reports.picture import (
    NodeBox,
    Picture,
    PictureChange,
    PodBox,
    SetBox,
    Usage,
    WorkloadBox,
    apply,
    difference,
)
from kubelemma.reports.placement import NodeRow, PlacementReport, Share, WorkloadRow
from kubelemma.reports.placement import Usage as Requested
from kubelemma.reports.story import Change, Fact, Missed, Story, StoryStep
from kubelemma.solver.placement.decision import Decision
from kubelemma.solver.placement.problem import (
    Answer,
    Assignment,
    Cluster,
    Placement,
    Problem,
    Question,
)
from kubelemma.solver.result import Statistics, Verdict

pytestmark = unless_there_is_no_browser
HOSTILE = "</script><img src=x onerror=window.hacked=1>"

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: {requests: {cpu: 500m}}}]}
"""


SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: guard}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
"""


@pytest.fixture(scope="module")
def real() -> Report:
    """A rollout for which a node has no room, as a check reports it."""
    question = CheckQuestion(
        paths=(STDIN,),
        stdin=MANIFEST + SERVICE,
        nodes=("count=1,cpu=1,memory=1Gi",),
        events=("rollout=web",),
        properties=("DEP-4", "STUCK"),
    )
    (case,) = api.ask(question).cases
    return api.report([api.explore(case)], repeat=lambda name: (f"kubelemma replay {name}",))


def story_of(report: Report) -> Story:
    """Its first story."""
    return next(p.story for s in report.scenarios for p in s.properties if p.story)


def long_story(steps: int, name: str = "web") -> Story:
    """A story of so many steps that ends in a loop, in which a pod wanders over five nodes."""
    usage = (Usage("cpu", "1", "4", 0.25),)
    nodes = tuple(NodeBox(f"node-{i}", usage=usage) for i in range(5))
    pods = tuple(
        PodBox(f"a/{name}-v1-{i}", f"a/{name}", "v1", "available", f"node-{i % 5}")
        for i in range(30)
    )
    before = Picture(
        (WorkloadBox(f"a/{name}", 30, "v1"),),
        (SetBox(f"a/{name}-v1", f"a/{name}", "v1", 30),),
        nodes,
        tuple(sorted(pods, key=lambda pod: pod.name)),
    )
    first = before
    told = []
    for index in range(1, steps + 1):
        pods = tuple(
            replace(pod, node=f"node-{index % 5}") if pod.name.endswith("-0") else pod
            for pod in before.pods
        )
        after = replace(before, pods=pods)
        actor = "user" if index == 1 else ("scheduler", "kubelet")[index % 2]
        change = Change(f"Pod {name}-v1-0", "spec.nodeName", "a", f"node-{index % 5}")
        told.append(
            StoryStep(
                index,
                actor,
                "move",
                f"moves {name}-v1-0",
                why=f"{name} may",
                environment=actor == "user",
                changes=(change,),
                unseen=("the status is old",) if index == 2 else (),
                picture=difference(before, after),
            )
        )
        before = after
    return Story(
        "DEP-4", f"Deployment {name}", (), tuple(told), steps - 10, False, (name,), picture=first
    )


def report_of(story: Story) -> Report:
    """A report with this story."""
    prop = PropertyReport(STATEMENTS["DEP-4"], story.subject, Verdict.VIOLATED, story=story)
    return Report("1", (ScenarioReport("long", (story.subject,), (prop,), Statistics()),))


def placed_report(nodes: int, name: str = "web") -> PlacementReport:
    """Two pods, both on the second of so many nodes."""
    workload = f"Deployment shop/{name}"
    placement = Placement((Assignment(0, 1, 2),))
    rows = tuple(
        NodeRow(
            f"node-{n}", "", "", True, (Requested("pods", 2 * (n == 2), 110),), ((0, 2),) * (n == 2)
        )
        for n in range(1, nodes + 1)
    )
    return PlacementReport(
        version="1",
        problem=Problem(Cluster(()), ()),
        decision=Decision(Answer.YES, Question.FINAL, placement, (0,)),
        workloads=(WorkloadRow(workload, Share(workload, 2, 0), 2, 2, ((1, 2),)),),
        nodes=rows,
        setting=(),
    )


def test_every_step_shows_the_cluster_as_it_is(opened: Any, real: Report) -> None:
    """Step by step, the picture has the pods that there are, where they are."""
    page = opened(real)
    story = story_of(real)
    assert story.picture is not None
    picture = story.picture
    page.press("Home")
    assert page.where() == f"Start of {len(story.steps)} steps"
    for number, step in enumerate(story.steps, 1):
        page.press("ArrowRight")
        assert isinstance(step.picture, PictureChange)
        picture = apply(picture, step.picture)
        chips = page.chips()
        assert page.where() == f"Step {number} of {len(story.steps)}"
        assert page.page.locator(".card .deed").inner_text() == f"{step.actor} {step.summary}"
        for node in ("", *(box.name for box in picture.nodes)):
            there = [p.name.partition("/")[2] for p in picture.pods if p.node == node]
            assert chips[node or "Pods without a node"] == there
    assert "nobody acts any more" in page.page.locator(".card").inner_text()
    assert page.chips()["Pods without a node"] == ["web-v2-1"]
    assert page.page.locator(".pod.changed .name").all_inner_texts() == ["web-v2-1"]


def test_it_opens_at_the_step_that_decides(opened: Any, real: Report) -> None:
    """The step after which the promise cannot be kept is told, and shown at once."""
    page = opened(real)
    story = story_of(real)
    assert story.decisive is not None
    assert page.where() == f"Step {story.decisive.step} of {len(story.steps)}"
    assert "This is the step that decides" in page.page.locator(".card").inner_text()
    assert page.page.locator(".row", has_text="★").count() == 1
    assert page.page.url == page.url


STALE = (
    StoryStep(1, "controller", "decide", "decides to write", facts=(Fact("size", "1"),)),
    StoryStep(2, "user", "scale", "scales", environment=True),
    StoryStep(
        3,
        "controller",
        "write",
        "writes what it had decided",
        facts=(Fact("left to write", "1", since=1),),
        follows=1,
        missed=(Missed(2, "size was 1, and is 2 now"),),
    ),
)


def test_arrows_lead_to_what_rests_on_them(opened: Any) -> None:
    """From what was written to the step that read it; another look where it was not seen."""
    page = opened(report_of(replace(long_story(10), steps=STALE, loop_start=None, picture=None)))
    arrows = page.page.locator(".window .arrow")
    titles = [page.page.evaluate("e => e.textContent", a) for a in arrows.element_handles()]
    assert sorted(titles) == [
        "Step 3 goes by an older state: it did not see step 2. size was 1, and is 2 now",
        "Step 3 rests on step 1. left to write: 1",
    ]
    assert page.page.locator(".window .arrow.shown").count() == 0
    page.press("End")
    assert page.page.locator(".window .arrow.shown").count() == 2
    image = page.page.get_by_role("img", name="Step 3 rests on step 1, and did not see step 2.")
    assert image.count() == 1
    assert page.page.locator(".window .stale-sign").count() == 1
    assert "what the step did not see" in page.page.locator(".over-time .legend").inner_text()
    older = "It goes by an older state: size was 1, and is 2 now."
    assert page.page.locator(".card .unseen").inner_text() == older
    page.page.locator(".reasons").get_by_role("button", name="step 2").click()
    assert page.where() == "Step 2 of 3"


def test_lanes_use_the_width(opened: Any, real: Report) -> None:
    """A short story fills its lanes; a long one is scrolled in them."""
    fills = (
        "(e => e.scrollWidth <= e.clientWidth && e.firstChild.offsetWidth > 0.95 * e.clientWidth)"
    )
    page = opened(real, viewport={"width": 1400, "height": 900})
    assert page.page.evaluate(f"{fills}(document.querySelector('.window'))")
    labels = page.page.locator(".deed-label").all_inner_texts()
    assert len(labels) == len(story_of(real).steps)
    long = opened(report_of(long_story(400)))
    assert long.page.evaluate("document.querySelector('.window').scrollWidth") > 400 * 20


def test_mouse_keys_and_slider_lead_to_steps(opened: Any, real: Report) -> None:
    """Each way of moving arrives at the step that it names."""
    page = opened(real)
    last = len(story_of(real).steps)
    page.press("End")
    assert page.where() == f"Step {last} of {last}"
    page.press("ArrowRight", "ArrowLeft")
    assert page.where() == f"Step {last - 1} of {last}"
    page.press("Home")
    assert page.where().startswith("Start")
    page.page.get_by_role("button", name="One step on").click()
    assert page.where() == f"Step 1 of {last}"
    page.page.locator(".row", has_text="creates ReplicaSet").click()
    assert page.where() == f"Step 2 of {last}"
    window = page.page.locator(".window")
    width = window.bounding_box()["width"]
    window.click(position={"x": width * 2.5 / last, "y": 40})
    assert page.where() == f"Step 3 of {last}"
    page.press("*")
    assert page.where() == f"Step 1 of {last}"
    page.page.get_by_role("button", name="To the end").click()
    page.page.get_by_role("button", name="To the step that decides").click()
    assert page.where() == f"Step 1 of {last}"
    page.page.locator("input[type=range]").fill("1")
    assert page.where() == f"Step 1 of {last}"
    page.page.locator("h1").click()
    page.page.keyboard.press("ArrowRight")
    assert page.where() == f"Step 2 of {last}"


def test_the_state_hides_what_is_unchanged(opened: Any, real: Report) -> None:
    """The state has what a step changed, and all of it on demand."""
    page = opened(real)
    page.press("End")
    lines = page.page.locator(".state li")
    assert lines.all_inner_texts() == [
        "PodDisruptionBudget guard expectedPods 2 → 3",
        "Pod web-v2-1 is new: phase pending, node <none>",
    ]
    page.page.locator(".state button").click()
    whole = lines.all_inner_texts()
    assert len(whole) == 9
    assert any(line.startswith("Node node-1 status up, Ready, cpu 1 of 1") for line in whole)
    page.press("ArrowLeft")
    assert lines.count() == 8


def test_links_lead_to_steps(opened: Any, real: Report) -> None:
    """The address follows the step, and leads back to it."""
    page = opened(real)
    page.press("Home", "ArrowRight", "ArrowRight")
    assert page.page.url == f"{page.url}#default-web-dep-4/2"
    page.page.goto(f"{page.url}#default-web-dep-4/3")
    assert page.where().startswith("Step 3 of")
    for nonsense in ("#default-web-dep-4/x", "#%", "#nowhere/1", "#default-web-dep-4/999999"):
        page.page.goto(page.url + nonsense)
    last = len(story_of(real).steps)
    assert page.where() == f"Step {last} of {last}"


def test_the_command_can_be_copied(opened: Any, real: Report) -> None:
    """The button puts the command that repeats the story onto the clipboard."""
    page = opened(real, permissions=["clipboard-read", "clipboard-write"])
    page.page.locator("button.copy").first.click()
    page.page.get_by_role("button", name="Copied").wait_for()
    copied = page.page.evaluate("navigator.clipboard.readText()")
    assert copied == "kubelemma replay default-web-DEP-4"


def test_filters(opened: Any) -> None:
    """Only the steps of the chosen actor and object are listed and stepped through."""
    page = opened(report_of(long_story(40)))
    page.page.get_by_role("combobox", name="Actor").select_option("kubelet")
    assert "19 of 40 steps" in page.page.locator(".filters").inner_text()
    page.press("ArrowRight")
    assert page.where() == "Step 3 of 40"
    page.press("ArrowRight")
    assert page.where() == "Step 5 of 40"
    page.page.get_by_role("combobox", name="Actor").select_option("user")
    page.page.get_by_role("combobox", name="Object").select_option("Pod web-v1-0")
    assert "1 of 40 steps" in page.page.locator(".filters").inner_text()


def test_who_receives_traffic(opened: Any, real: Report) -> None:
    """The Service and the budget stand above the nodes, and the pods that serve are marked."""
    page = opened(real)
    shown = page.page.locator(".onlookers").inner_text()
    assert "Service front: 2 ready pods receive its traffic" in shown
    assert "PodDisruptionBudget guard: 2 healthy, 1 desired, 1 disruption allowed" in shown
    assert "Services follow from the pods" in shown
    page.press("End")
    serving = page.page.locator(".pod", has=page.page.locator(".serves"))
    assert serving.locator(".name").all_inner_texts() == ["web-v1-1", "web-v1-2"]


def test_what_a_step_rests_on(opened: Any, real: Report) -> None:
    """Each step has what its decision read, with the lines that say so."""
    page = opened(real)
    reasons = page.page.locator(".reasons")
    page.press("Home")
    assert "What was assumed" in reasons.inner_text()
    page.press("ArrowRight")
    assert "users and faults act as they please" in reasons.inner_text()
    page.press("ArrowRight")
    assert "maxSurge" in reasons.inner_text()
    assert "1 (25% of 2, rounded up; by default) <stdin>:5" in reasons.inner_text()
    assert page.page.get_by_text("Why nobody acts any more").first.is_visible()


def test_paper_has_the_story_as_text(opened: Any, real: Report) -> None:
    """What cannot be pressed on paper is not there, and the story stands in its place."""
    page = opened(real)
    paper = page.page.locator(".paper").first
    assert not paper.is_visible()
    page.page.emulate_media(media="print")
    assert paper.is_visible()
    assert "creates web-v2-1" in paper.inner_text()
    assert not page.page.locator(".story").first.is_visible()


def test_what_was_not_seen_is_told(opened: Any) -> None:
    """A step that rests on an old view says so, and no other does."""
    page = opened(report_of(long_story(15)))
    page.press("ArrowRight")
    assert page.page.locator(".unseen").count() == 0
    page.press("ArrowRight")
    assert page.page.locator(".unseen").inner_text() == "It did not see: the status is old."


def test_a_loop_goes_on_for_ever(opened: Any) -> None:
    """After the last step comes the first of the loop, which is marked."""
    page = opened(report_of(long_story(40)))
    page.press("End")
    assert "↻ and again from step 31, for ever" in page.page.locator(".end").inner_text()
    page.press("ArrowRight")
    assert page.where() == "Step 31 of 40"
    assert "again and again" in page.page.locator(".card").inner_text()
    assert page.page.locator(".row.loop").count() > 5
    assert page.page.locator("rect.loop").count() == 1


def test_long_stories_stay_small(opened: Any) -> None:
    """A thousand steps are a thousand rows to a reader, and a few dozen elements to the browser."""
    page = opened(report_of(long_story(1000)))
    count = "document.querySelectorAll('*').length"
    assert page.page.evaluate(count) < 800
    for keys in (["PageDown"] * 30, ["End"], ["ArrowLeft"] * 20, ["Home"]):
        page.press(*keys)
        assert page.page.evaluate(count) < 800
    page.press("End")
    assert page.where() == "Step 1000 of 1000"
    row = page.page.locator(".row[aria-selected=true]")
    assert row.get_attribute("aria-posinset") == "1001"
    assert row.get_attribute("aria-setsize") == "1001"
    assert page.chips()["node-0"][0] == "web-v1-0"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_fits_the_screen(opened: Any, real: Report, scheme: str, width: int) -> None:
    """No page is wider than its screen, not even with names as long as they may be."""
    for report in (real, report_of(long_story(30, "n" * 63))):
        options = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme}
        page = opened(report, **options)
        page.press("ArrowRight", "ArrowRight")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width


def test_light_and_dark(opened: Any, real: Report) -> None:
    """The page follows the system, or else the button."""
    page = opened(real, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.page.evaluate(ground)
    page.page.locator("#theme").click()
    light = page.page.evaluate(ground)
    assert page.page.locator("#theme").inner_text() == "Theme: light"
    assert light == "rgb(255, 255, 255)" != dark
    page.page.locator("#theme").click()
    assert page.page.evaluate(ground) == dark


def test_names_are_only_text(opened: Any) -> None:
    """A name that looks like markup is shown, not obeyed."""
    page = opened(report_of(long_story(5, HOSTILE)))
    page.press("ArrowRight", "ArrowRight")
    page.page.locator(".state button").click()
    assert page.page.evaluate("window.hacked") is None
    assert page.page.locator("img").count() == 0
    assert HOSTILE in page.page.locator(".card").inner_text()


def test_without_pictures(opened: Any, real: Report) -> None:
    """A result of before there were pictures still has its steps."""
    story = story_of(real)
    bare = tuple(replace(step, picture=None) for step in story.steps)
    page = opened(report_of(replace(story, steps=bare, picture=None)))
    page.press("End")
    assert page.page.locator(".cluster").count() == 0
    assert "creates web-v2-1" in page.page.locator(".card").inner_text()


def test_a_placement_is_drawn(opened: Any) -> None:
    """Nodes are drawn a page at a time, with what is new on them; a search finds them."""
    page = opened(placed_report(150))
    assert page.page.locator(".node").count() == 60
    assert page.page.locator(".node h5").first.inner_text() == "node-2"
    page.page.get_by_role("combobox").select_option("by name")
    assert page.page.locator(".node h5").first.inner_text() == "node-1"
    page.page.get_by_role("button", name="Show 60 more of 90").click()
    assert page.page.locator(".node").count() == 120
    page.page.get_by_role("searchbox").fill("WEB")
    assert page.page.locator(".filters output").inner_text() == "1 of 150 nodes"
    assert page.page.locator(".node .pod .name").all_inner_texts() == ["shop/web"]
    assert page.page.locator(".node .pod b").inner_text().startswith("2 ")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_placement_fits_the_screen(opened: Any, width: int) -> None:
    """No page is wider than its screen."""
    page = opened(placed_report(20, "n" * 63), viewport={"width": width, "height": 740})
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
