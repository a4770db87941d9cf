"""The report of a check as a page: its sections, and its runs as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kubelemma.reports.document import Report
from kubelemma.reports.json import trace
from kubelemma.reports.shown import shown
from kubelemma.reports.story import Story
from kubelemma.reports.text import outcome

from .chapters import Chapter, chapters
from .sections import chapter, header, left_out, overview, remarks
from .shell import page

_SCRIPTS = (
    "dom.js",
    "usage.js",
    "pictures.js",
    "objects.js",
    "cluster.js",
    "lanes.js",
    "state.js",
    "reasons.js",
    "steps.js",
    "story.js",
    "main.js",
    "stories.js",
)


def render(report: Report) -> str:
    """The whole page; it ends in a line break."""
    report = shown(report)
    found = chapters(report)
    sections = (
        overview(found, report.fail_on),
        *(chapter(c, report.fail_on) for c in found),
        remarks(report),
        left_out(part for scenario in report.scenarios for part in scenario.not_modelled),
    )
    title = f"kubelemma: {outcome(report)}"
    return page(title, header(report), sections, list(_runs(found)), _SCRIPTS)


def _runs(found: Iterable[Chapter]) -> Iterator[dict[str, Any]]:
    """The distinct runs as the JSON report has them, in the order of their numbers."""
    for run in dict.fromkeys(violation.run for c in found for violation in c.violations):
        yield _run(run.story)


def _run(story: Story) -> dict[str, Any]:
    """What happens, without what the page says in words already."""
    data = trace(story)
    wanted = ("steps", "loopStart", "standstill", "picture")
    return {key: data[key] for key in wanted if key in data}
