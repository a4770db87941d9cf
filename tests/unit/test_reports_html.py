"""The HTML report without a browser: well formed, complete, and deaf to what its words say."""

from __future__ import annotations

import base64
import hashlib
import json as standard_json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.statement import Severity
from kubelemma.reports import html, json
from kubelemma.reports.document import (
    InputFile,
    Occasion,
    PropertyReport,
    Report,
    ScenarioReport,
)
from kubelemma.reports.html import page, placement
from kubelemma.reports.html.markup import Markup, element
from kubelemma.reports.shown import shown
from kubelemma.reports.story import (
    Change,
    Contradiction,
    Decisive,
    Missed,
    Story,
    StoryStep,
)
from kubelemma.solver.result import Statistics, Verdict

Reports: TypeAlias = st.SearchStrategy[Report]

EMPTY = {"meta", "link", "input"}
KNOWN = {
    *("html", "head", "title", "style", "body", "header", "main", "section", "article", "script"),
    *("h1", "h2", "h3", "h4", "p", "div", "span", "a", "ul", "ol", "li", "code", "pre", "button"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary", "noscript"),
    *("nav", "dl", "dt", "dd", "time", "b", "del", "ins"),
    *EMPTY,
}


class Element(NamedTuple):
    """An element that was opened."""

    name: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """A page, read strictly: every element is known, and closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        assert tag in KNOWN
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Hold an end against its beginning."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remember text by the element that it stands in."""
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


@settings(max_examples=15)
@given(st.data())
def test_no_word_becomes_markup(wild_reports: Reports, data: st.DataObject) -> None:
    """Whatever names say, the page has its own elements only, and asks nobody for anything."""
    read = Page(html.render(data.draw(wild_reports)))
    scripts = [e for e in read.elements if e.name == "script"]
    assert [e.attributes.get("type") for e in scripts] == ["application/json", None]
    for found in read.elements:
        assert not any(name.startswith("on") or name == "src" for name in found.attributes)
        assert re.match(r"#|data:,$", found.attributes.get("href") or "#")


@settings(max_examples=15)
@given(st.data())
def test_the_page_has_every_verdict_and_run(wild_reports: Reports, data: st.DataObject) -> None:
    """Every property has its row, every violation its place, every distinct run its steps."""
    drawn = data.draw(wild_reports)
    text = html.render(drawn)
    read = Page(text)
    properties = [p for s in drawn.scenarios for p in s.properties]
    labels = [e.attributes.get("data-label") for e in read.elements if e.name == "td"]
    assert labels.count("Promise") == len(properties)
    stories = [p for p in properties if p.story]
    assert (sum(e.name == "article" for e in read.elements) > 0) == bool(stories)
    anchors = [e.attributes["id"] for e in read.elements if "id" in e.attributes]
    assert len(anchors) == len(set(anchors))
    links = {(e.attributes.get("href") or "")[1:] for e in read.elements if e.name == "a"}
    assert links <= set(anchors)
    led = [e.attributes["href"] for e in read.elements if e.name == "a"]
    assert len(set(led)) >= len(stories)
    runs = standard_json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    numbers = [e.attributes["data-run"] for e in read.elements if e.attributes.get("data-run")]
    assert [str(number) for number in range(len(runs))] == numbers
    told = [shown(json.trace(p.story)["steps"]) for p in stories if p.story]
    assert all(run["steps"] in told for run in runs)


STEP = StoryStep(1, "user", "rollout", "applies a new template", environment=True)
STORY = Story("DEP-4", "Deployment web", (), (STEP,), None, True, ("it hangs",), ("repeat it",))
VIOLATED = PropertyReport(
    STATEMENTS["DEP-4"], "Deployment web", Verdict.VIOLATED, story=STORY, expected="violated"
)


def report(*properties: PropertyReport) -> Report:
    """A report of one scenario."""
    return Report("1", (ScenarioReport("web", ("3 nodes",), properties, Statistics()),))


def test_the_policy_names_what_the_page_has() -> None:
    """The browser runs this page's own script and style, by their digests, and nothing else."""
    text = html.render(report(VIOLATED))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    for name in ("style", "script"):
        inside = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)[-1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{name}-src &#x27;sha256-{digest}&#x27;" in policy[1]
    assert policy[1].startswith("default-src &#x27;none&#x27;")


def test_a_run_is_told_once() -> None:
    """Two properties that one run violates share its article, and what both say is said once."""
    other = replace(
        VIOLATED,
        statement=STATEMENTS["STUCK"],
        story=replace(STORY, property_id="STUCK", conclusion=("it hangs", "nobody acts")),
    )
    text = html.render(report(VIOLATED, other))
    assert text.count('class="story"') == 1
    assert "DEP-4 and STUCK are violated for Deployment web" in text
    assert text.count("<li>it hangs</li>") == 1
    assert "nobody acts" in text
    assert 'id="web-stuck"' in text


def of_workload(name: str, severity: Severity | None = None) -> ScenarioReport:
    """A scenario in which a Deployment of this name cannot be completed."""
    step = replace(STEP, summary=f"applies a new template to {name}, for {name}-v2-1")
    story = replace(
        STORY,
        subject=f"Deployment shop/{name}",
        steps=(step,),
        conclusion=(f"shop/{name} hangs",),
    )
    prop = replace(VIOLATED, subject=story.subject, story=story, expected=None, regraded=severity)
    return ScenarioReport(name, ("3 nodes",), (prop,), Statistics())


def test_equal_stories_are_told_once() -> None:
    """Stories that differ in names only are one, with all whom they concern, and links to it."""
    text = html.render(Report("1", (of_workload("api"), of_workload("front-end"))))
    read = Page(text)
    assert sum(e.name == "article" for e in read.elements) == 1
    assert "DEP-4 is violated for Deployment shop/api and Deployment shop/front-end" in text
    assert "Whom it concerns" in text
    assert not any(e.name == "nav" for e in read.elements)
    for anchor in ("api-dep-4", "front-end-dep-4"):
        assert f'href="#{anchor}"' in text
        assert f'id="{anchor}"' in text


def test_different_stories_have_contents_with_the_worst_first() -> None:
    """What does not weigh the same is not one, and what counts more comes first."""
    mild, bad = of_workload("api", Severity.LOW), of_workload("web")
    text = html.render(Report("1", (mild, bad)))
    contents = text.partition("<nav")[2].partition("</nav>")[0]
    assert re.findall(r'href="#([^"]*)"', contents) == ["web-dep-4", "api-dep-4"]


def test_contents_tell_stories_about_the_same_apart() -> None:
    """The same promise to the same object may be broken in two ways: each says its step."""
    found = of_workload("web").properties[0]
    assert found.story is not None
    decisive = Decisive(1, "It breaks the promise")
    ways = [
        replace(found, story=replace(found.story, steps=(step,), decisive=decisive))
        for step in (STEP, replace(STEP, actor="fault", summary="node-2 crashes"))
    ]
    text = html.render(
        Report(
            "1",
            tuple(
                ScenarioReport(n, (), (p,), Statistics()) for n, p in zip("ab", ways, strict=True)
            ),
        )
    )
    contents = text.partition("<nav")[2].partition("</nav>")[0]
    assert len(set(re.findall(r"<a [^>]*>([^<]*)</a>", contents))) == 1
    assert re.findall(r'class="quiet">([^<]*)<', contents) == [
        f" {STEP.actor}: {STEP.summary}",
        " fault: node-2 crashes",
    ]


def test_the_step_that_decides_stands_below_the_headline() -> None:
    """With its reason, what it did not see, what it changes, and how it decides."""
    first = replace(STEP, changes=(Change("Deployment web", "spec.template", "v1", "v2"),))
    last = StoryStep(
        2, "scheduler", "bind", "binds web-v2-1", why="it fits", missed=(Missed(1, "it is old"),)
    )
    story = replace(
        STORY,
        steps=(first, last),
        contradictions=(Contradiction("too few", (), 2),),
        decisive=Decisive(2, "It breaks the promise"),
    )
    text = html.render(report(replace(VIOLATED, story=story)))
    box = text.partition('class="decisive"')[2].partition("</section>")[0]
    words = re.sub(r"<[^>]*>", "", box)
    assert "The step that decides: 2 of 2" in words
    assert "scheduler binds web-v2-1, because it fits." in words
    assert "It did not see step 1 (user: applies a new template): it is old." in words
    assert words.index("It breaks the promise.") < words.index("too few.")
    assert text.index("DEP-4 is violated") < text.index('class="decisive"')
    assert text.index('class="decisive"') < text.index("Where it contradicts")
    assert 'data-decisive="2"' in text


def test_what_holds_is_folded() -> None:
    """Properties that hold, and scenarios in which all do, are closed; what is violated is not."""
    holds = PropertyReport(STATEMENTS["DEP-1"], "Deployment web", Verdict.HOLDS)
    text = html.render(report(replace(VIOLATED, expected=None), holds))
    assert "<details><summary>1 property holds</summary>" in text
    assert '<section id="web" class="chapter">' in text
    well = html.render(report(holds))
    assert '<details id="web" class="chapter"><summary><h2>Scenario web' in well


def test_the_header_says_what_was_asked() -> None:
    """When, by which command, of which files; and nothing of it where that is not known."""
    files = (InputFile("deploy/a b.yaml", "0f" * 32), InputFile("<stdin>"))
    occasion = Occasion("2025-11-30T12:00:00Z", ("kubelemma", "check", "deploy/a b.yaml"), files)
    text = html.render(replace(report(VIOLATED), occasion=occasion))
    head = text.partition("<header>")[2].partition("</header>")[0]
    assert '<time datetime="2025-11-30T12:00:00Z">2025-11-30 12:00:00 UTC</time>' in head
    assert "kubelemma check &#x27;deploy/a b.yaml&#x27;" in head
    assert "Inputs (2 files)" in head
    assert "0f" * 32 in head
    assert "not known" in head
    plain = html.render(report(VIOLATED))
    assert "<time" not in plain
    assert plain == html.render(report(VIOLATED))


STYLE = (Path(html.__file__).parent / "assets" / "report.css").read_text("utf-8")
COLOURS = {
    name: shades
    for name, *shades in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\);", STYLE)
}
WORDS = ("text", "quiet", "link", "good", "bad", "unsure", "actor", "environment")


def luminance(colour: str) -> float:
    """The relative luminance of a colour, by WCAG 2."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, by WCAG 2: 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def over(colour: str, ground: str, opacity: float) -> str:
    """What a colour becomes that lets its ground through."""
    pairs = ((int(c[at : at + 2], 16) for c in (colour, ground)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(opacity * a + (1 - opacity) * b):02x}" for a, b in pairs)


@pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_apart(shade: int) -> None:
    """Words have a contrast of 4.5 on whatever they stand, lines that mean something one of 3."""
    found = {name: shades[shade] for name, shades in COLOURS.items()}
    for ground in ("ground", "raised", "mark"):
        for word in WORDS:
            assert contrast(found[word], found[ground]) >= 4.5, (word, ground)
        assert contrast(found["edge"], found[ground]) >= 3, ground
    (opacity,) = map(float, re.findall(r"\.p-terminating, \.gone \{ opacity: ([0-9.]+);", STYLE))
    for version in range(6):
        ground = found[f"v{version}"]
        assert contrast(found["text"], ground) >= 4.5, version
        faded = (over(found[name], found["ground"], opacity) for name in ("text", f"v{version}"))
        assert contrast(*faded) >= 4.5, version


def test_without_a_script_the_story_is_text() -> None:
    """A reader without JavaScript gets the steps as well."""
    read = Page(html.render(report(VIOLATED)))
    assert any("user: applies a new template" in text for text in read.texts["pre"])


def test_a_run_without_steps() -> None:
    """What is broken from the start is said to be so, and has no stepper."""
    nothing = replace(VIOLATED, story=replace(STORY, steps=()))
    text = html.render(report(nothing))
    assert "Nothing: it is so from the start." in text
    assert 'class="story"' not in text


def test_several_scenarios_have_an_overview() -> None:
    """The overview leads to what is violated, or else to the scenario."""
    (one,) = report(VIOLATED).scenarios
    fine = replace(one.properties[0], verdict=Verdict.HOLDS, story=None)
    others = (replace(one, name=name, properties=(fine,)) for name in ("api", "web"))
    text = html.render(Report("1", (one, *others)))
    for anchor in ("web-dep-4", "api", "web-2"):
        assert f'<a href="#{anchor}"><span' in text
        assert f'id="{anchor}"' in text


def test_elements_escape_what_is_no_markup() -> None:
    """Text and attributes are escaped, markup is not, and what is absent leaves nothing."""
    inner = element("b", "<x>")
    assert inner == "<b>&lt;x&gt;</b>"
    outer = element("a", inner, None, "&", href='"', hidden=True, id=None, data_run=0)
    assert outer == '<a href="&quot;" hidden data-run="0"><b>&lt;x&gt;</b>&amp;</a>'
    assert isinstance(outer, Markup)


ASSETS = sorted((Path(html.__file__).parent / "assets").iterdir())


@pytest.mark.parametrize("asset", ASSETS, ids=lambda path: path.name)
def test_assets_cannot_end_their_element(asset: Path) -> None:
    """Neither style nor script has a text that would end it early, nor makes HTML from text."""
    text = asset.read_text("utf-8")
    assert "</" not in text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_all_assets_are_used() -> None:
    """Every asset is part of a page."""
    used = {"report.css", *page._SCRIPTS, *placement._SCRIPTS}
    assert {asset.name for asset in ASSETS} == used
