"""The report of a check as a page: its sections, and its runs as data."""

from __future__ import annotations

from typing import Any

from kubelemma.reports.document import Report
from kubelemma.reports.json import trace
from kubelemma.reports.said import outcome
from kubelemma.reports.shown import shown
from kubelemma.reports.story import Story

from .chapters import book
from .sections import chapter, header, left_out, overview, remarks
from .shell import page
from .tales import article, contents

_SCRIPTS = (
    "dom.js",
    "usage.js",
    "pictures.js",
    "objects.js",
    "cluster.js",
    "links.js",
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
    found = book(report)
    sections = (
        contents(found.tales, report.fail_on),
        *(article(tale, report.fail_on) for tale in found.tales),
        overview(report, found.chapters),
        *(chapter(c, report.fail_on) for c in found.chapters),
        remarks(report),
        left_out(part for scenario in report.scenarios for part in scenario.not_modelled),
    )
    title = f"kubelemma: {outcome(report)}"
    runs = [_run(tale.told.violations[0].story) for tale in found.tales]
    return page(title, header(report), sections, runs, _SCRIPTS)


def _run(story: Story) -> dict[str, Any]:
    """What happens, without what the page says in words already."""
    data = trace(story)
    wanted = ("steps", "loopStart", "standstill", "picture")
    return {key: data[key] for key in wanted if key in data}
