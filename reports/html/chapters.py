"""How a report is laid out on the page: chapters, their violations, and the runs they share."""

from __future__ import annotations

import re
from typing import NamedTuple

from kubelemma.reports.document import PropertyReport, Report, ScenarioReport
from kubelemma.reports.story import Story


class Run(NamedTuple):
    """What happens in a story, shown once however many properties it violates."""

    number: int
    story: Story
    anchor: str
    """Of the violation under which it is shown; its steps are ``anchor/3`` and so on."""


class Violation(NamedTuple):
    """A violated property with a story; ``anchor`` names it in links."""

    prop: PropertyReport
    story: Story
    anchor: str
    run: Run


class Chapter(NamedTuple):
    """A scenario with its violations; ``anchor`` names it in links."""

    scenario: ScenarioReport
    anchor: str
    violations: tuple[Violation, ...]


def chapters(report: Report) -> tuple[Chapter, ...]:
    """All scenarios in the report's order."""
    used: set[str] = set()
    runs: dict[object, Run] = {}
    found = []
    for scenario in report.scenarios:
        anchor = _anchor(used, scenario.name)
        violations = []
        for prop in scenario.properties:
            if prop.story is not None:
                own = _anchor(used, scenario.name, prop.id)
                key = (scenario.name, prop.story.run())
                run = runs.setdefault(key, Run(len(runs), prop.story, own))
                violations.append(Violation(prop, prop.story, own, run))
        found.append(Chapter(scenario, anchor, tuple(violations)))
    return tuple(found)


def _anchor(used: set[str], *parts: str) -> str:
    """A name for links that is not used yet."""
    wanted = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-").lower() or "part"
    number, name = 1, wanted
    while name in used:
        number += 1
        name = f"{wanted}-{number}"
    used.add(name)
    return name
