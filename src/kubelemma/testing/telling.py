"""A finding in the words of a failing test."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.properties.statement import Severity
from kubelemma.reports.advice import advice
from kubelemma.reports.document import PropertyReport, ScenarioReport
from kubelemma.reports.notice import notice
from kubelemma.reports.shown import shown
from kubelemma.reports.story import Story
from kubelemma.reports.story_text import conclusion_lines, run_lines
from kubelemma.reports.style import bullets, laid_out, painter, wrap

WIDTH = 100


def told(scenario: ScenarioReport, prop: PropertyReport, fail_on: Severity) -> str:
    """What was found about a property, and the story of a violation, as text without an end."""
    return laid_out(_lines(shown(scenario), shown(prop), fail_on)).rstrip("\n")


def headline(scenario: ScenarioReport, prop: PropertyReport, fail_on: Severity) -> str:
    """What was found about a property, in a sentence."""
    scenario, prop = shown(scenario), shown(prop)
    found = notice(scenario, prop, fail_on)
    if found is not None:
        return found.sentence()
    how = f" ({prop.message})" if prop.message else ""
    return f"{prop.id} {prop.finding} for {prop.subject} in {scenario.name}{how}"


def _lines(scenario: ScenarioReport, prop: PropertyReport, fail_on: Severity) -> Iterator[str]:
    yield from wrap(headline(scenario, prop, fail_on), WIDTH)
    if prop.story is None:
        yield ""
        yield "What was assumed"
        yield from bullets(scenario.setting, WIDTH)
        return
    yield ""
    yield from _story(prop.story)
    yield ""
    yield "What to do about it"
    yield from bullets(map(str, advice(prop)), WIDTH)


def story_text(story: Story) -> str:
    """A story as text without an end: what happens, and where it contradicts its property."""
    return laid_out(_story(shown(story))).rstrip("\n")


def _story(story: Story) -> Iterator[str]:
    paint = painter(colour=False)
    yield from run_lines(story, paint, WIDTH)
    yield ""
    yield from conclusion_lines(story, paint, WIDTH)
