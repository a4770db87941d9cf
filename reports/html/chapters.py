"""How a report is laid out on the page: the tales of what is violated, and the scenarios."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from kubelemma.reports.alike import likeness
from kubelemma.reports.document import (
    SEVERITIES,
    PropertyReport,
    Report,
    Result,
    ScenarioReport,
)
from kubelemma.reports.story import Story


class Violation(NamedTuple):
    """A violated property with a story; ``anchor`` names it in links."""

    prop: PropertyReport
    story: Story
    anchor: str


class Telling(NamedTuple):
    """One run of one scenario, and all promises that it breaks."""

    scenario: ScenarioReport
    violations: tuple[Violation, ...]

    @property
    def likeness(self) -> Hashable:
        """Equal for those that differ only in whom they are about."""
        return tuple(likeness(violation.prop) for violation in self.violations)


class Tale(NamedTuple):
    """What is told once, however many properties and objects it concerns.

    ``anchor`` names it in links, its steps are ``anchor/3`` and so on; it is that of its first
    violation. ``alike`` are the others of which the same could be told.
    """

    number: int
    anchor: str
    told: Telling
    alike: tuple[Telling, ...]


class Chapter(NamedTuple):
    """A scenario; ``anchor`` names it in links, ``links`` has where each violation is told."""

    scenario: ScenarioReport
    anchor: str
    links: dict[int, str]
    """By the number of the property within the scenario."""


class Book(NamedTuple):
    """All that is on the page."""

    tales: tuple[Tale, ...]
    chapters: tuple[Chapter, ...]


def book(report: Report) -> Book:
    """Tales of what counts come first, the worst before others; scenarios as in the report."""
    used: set[str] = set()
    anchors = [_anchor(used, scenario.name) for scenario in report.scenarios]
    groups: dict[Hashable, list[Telling]] = {}
    links: list[dict[int, str]] = []
    for scenario in report.scenarios:
        found = dict(_violations(scenario, used))
        for telling in _tellings(scenario, found.values()):
            groups.setdefault(telling.likeness, []).append(telling)
        links.append({number: violation.anchor for number, violation in found.items()})
    return Book(
        tuple(_tales(groups, report)),
        tuple(map(Chapter, report.scenarios, anchors, links)),
    )


def _violations(scenario: ScenarioReport, used: set[str]) -> Iterator[tuple[int, Violation]]:
    for number, prop in enumerate(scenario.properties):
        if prop.story is not None:
            anchor = _anchor(used, scenario.name, prop.id)
            yield number, Violation(prop, prop.story, anchor)


def _tellings(scenario: ScenarioReport, found: Iterable[Violation]) -> Iterator[Telling]:
    """Promises that one run breaks belong together."""
    runs: dict[Hashable, list[Violation]] = {}
    for violation in found:
        runs.setdefault(violation.story.run(), []).append(violation)
    for violations in runs.values():
        yield Telling(scenario, tuple(violations))


def _tales(groups: dict[Hashable, list[Telling]], report: Report) -> Iterator[Tale]:
    def weight(group: list[Telling]) -> tuple[bool, int]:
        properties = [violation.prop for violation in group[0].violations]
        fails = any(prop.result(report.fail_on) is Result.FAILED for prop in properties)
        return fails, max(SEVERITIES.index(prop.severity) for prop in properties)

    ordered = sorted(groups.values(), key=weight, reverse=True)
    for number, (first, *others) in enumerate(ordered):
        yield Tale(number, first.violations[0].anchor, first, tuple(others))


def _anchor(used: set[str], *parts: str) -> str:
    """A name for links that is not used yet."""
    wanted = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-").lower() or "part"
    number, name = 1, wanted
    while name in used:
        number += 1
        name = f"{wanted}-{number}"
    used.add(name)
    return name
