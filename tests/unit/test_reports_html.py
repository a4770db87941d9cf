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
from kubelemma.reports import html, json
from kubelemma.reports.document import PropertyReport, Report, ScenarioReport
from kubelemma.reports.html import page, placement
from kubelemma.reports.html.markup import Markup, element
from kubelemma.reports.shown import shown
from kubelemma.reports.story import Story, StoryStep
from kubelemma.solver.result import Statistics, Verdict

Reports: TypeAlias = st.SearchStrategy[Report]

EMPTY = {"meta", "link", "input"}
KNOWN = {
    *("html", "head", "title", "style", "body", "header", "main", "section", "article", "script"),
    *("h1", "h2", "h3", "h4", "p", "div", "span", "a", "ul", "li", "code", "pre", "button"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary", "noscript"),
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
    """Every property has its row, every violation its article, every distinct run its steps."""
    drawn = data.draw(wild_reports)
    text = html.render(drawn)
    read = Page(text)
    properties = [p for s in drawn.scenarios for p in s.properties]
    labels = [e.attributes.get("data-label") for e in read.elements if e.name == "td"]
    assert labels.count("Promise") == len(properties)
    stories = [p for p in properties if p.story]
    assert sum(e.name == "article" for e in read.elements) == len(stories)
    anchors = [e.attributes["id"] for e in read.elements if "id" in e.attributes]
    assert len(anchors) == len(set(anchors))
    links = {(e.attributes.get("href") or "")[1:] for e in read.elements if e.name == "a"}
    assert links <= set(anchors)
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
    """Two properties that one run violates share its steps."""
    other = replace(
        VIOLATED,
        statement=STATEMENTS["STUCK"],
        story=replace(STORY, property_id="STUCK", conclusion=("nobody acts",)),
    )
    text = html.render(report(VIOLATED, other))
    assert text.count('class="story"') == 1
    assert 'What is told for <a href="#web-dep-4">DEP-4 of Deployment web</a>.' in text
    assert "nobody acts" in text


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
    """The overview leads to every scenario."""
    (one,) = report(VIOLATED).scenarios
    text = html.render(Report("1", (one, replace(one, name="api"), replace(one, name="web"))))
    for anchor in ("web", "api", "web-2"):
        assert f'<a href="#{anchor}">' in text
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
