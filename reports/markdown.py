"""The report as Markdown, for a comment on a pull request or the summary of a CI step.

Whoever reads a comment wants to know what is wrong and how; all else is folded away. A comment on
GitHub holds 65,536 characters: what properties rest on gives way first, then steps from the middle
of long stories.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.properties.statement import Severity

from .document import PropertyReport, Report, Result, ScenarioReport
from .grouping import Found, Group, Word, columns, failures, row_title, rows, spoken, whom, word
from .left_out import by_reason, places
from .said import outcome, remarks
from .shown import shown
from .story import Change, Story, StoryStep
from .style import enumeration, plural
from .text import coverage, excuses, left_out_of

MARKER = "<!-- kubelemma report -->"
"""The first line, by which a bot finds its earlier comment again."""
LONGEST = 65_000
"""Characters of a report."""

_STEPS_SHOWN = (60, 20, 6, 0)
_WITHOUT_BASIS = "*All properties, and what they rest on, are in the text and HTML reports.*"
_CUT = "\n\n*The report is longer than a comment may be; what follows is left out.*\n"
_SPECIAL = re.compile(r"[\\`*_\[\]<>#|~&]")
_LIST = re.compile(r"^(\d*)([-+=.)])")
_SIGNS = {Result.PASSED: "✅", Result.FAILED: "❌", Result.INCONCLUSIVE: "⚠️"}
_FOLDED = frozenset({"does not count", "assumed", "not modelled"})
"""What of the remarks stands in a fold of its own, with more of it."""
_WORDS = {
    "holds": "holds",
    "vacuous": "vacuous",
    "violated": "**violated**",
    "inconclusive": "**inconclusive**",
}


def render(report: Report) -> str:
    """The report as Markdown of at most `LONGEST` characters that ends in a line break."""
    report = shown(report)
    rooms = [(60, True), *((shown, False) for shown in _STEPS_SHOWN)]
    texts = (_rendered(report, steps, basis=basis) for steps, basis in rooms)
    text = next((text for text in texts if len(text) <= LONGEST), None)
    if text is not None:
        return text
    shortest = _rendered(report, _STEPS_SHOWN[-1], basis=False)
    lines = shortest[: LONGEST - len(_CUT)].rpartition("\n\n")[0]
    return lines + _unclosed(lines) + _CUT


def _unclosed(text: str) -> str:
    """The ends of the folds that a cut has left open."""
    return "\n\n</details>" * (text.count("<details>") - text.count("</details>"))


def _rendered(report: Report, steps: int, *, basis: bool) -> str:
    blocks = [MARKER, f"### {_SIGNS[report.result]} kubelemma: {escape(outcome(report))}"]
    blocks.append(_overview(report))
    for group in failures(report):
        blocks += _failure(group, steps)
    said = [(label, text) for label, text in remarks(report) if label not in _FOLDED]
    if said:
        blocks.append(itemised(f"**{label}:** {escape(text)}" for label, text in said))
    for scenario in report.scenarios:
        excused = [*map(escape, excuses(scenario))]
        if excused:
            heading = f"What does not count in {scenario.name} ({len(excused)})"
            blocks += folded(heading, [itemised(excused)])
    if basis:
        whole = [text for scenario in report.scenarios for text in _basis(scenario, report)]
        blocks += folded("All properties, and what they rest on", whole)
    for heading, parts in left_out_of(report):
        if by_reason(parts):
            blocks += folded(heading, [_left_out(parts)])
    blocks += [] if basis else [_WITHOUT_BASIS]
    blocks.append(f"kubelemma {escape(report.version)}")
    return "\n\n".join(blocks) + "\n"


def _overview(report: Report) -> str:
    """A row for each workload, with a column for each question."""
    found = rows(report)
    asked = columns(found)
    headers = (row_title(found).capitalize(), *(escape(spoken(name)) for name in asked))
    table = (
        (
            escape(row.about),
            *(_word(word(row.scenarios.get(name), report.fail_on)) for name in asked),
        )
        for row in found
    )
    return grid(headers, table)


def _word(found: Word) -> str:
    sign = _SIGNS[found.result] if found.result is not None else ""
    return f"{sign} {escape(found.text)}".strip()


def _failure(group: Group, steps: int) -> Iterator[str]:
    """How it happens, once for all whom it concerns."""
    yield f"#### {_SIGNS[Result.FAILED]} {escape(f'{enumeration(group.ids)}: {whom(group)}')}"
    yield itemised(_promise(found) for found in group.first)
    story = group.story
    if story is None:
        yield escape(group.first[0].prop.message)
    else:
        ids = enumeration(each.prop.id for each in group.first)
        told = [each.prop.story for each in group.first if each.prop.story is not None]
        claims = dict.fromkeys(line for each in told for line in each.conclusion)
        blocks = [
            *_steps(story, steps),
            f"**Where it contradicts {escape(ids)}**",
            itemised(map(escape, claims)),
            *_repeat(story),
        ]
        yield from folded(f"How it happens: {story.headline()}", blocks)
    if len(group.workloads) > 1:
        whole = [itemised(map(escape, group.workloads))]
        yield from folded(f"Whom it concerns ({len(group.workloads)})", whole)
    yield "**What to do about it**"
    yield itemised(escape(str(one)) for one in group.advice)


def _promise(found: Found) -> str:
    prop = found.prop
    where = f", {code(str(prop.position))}" if prop.position is not None else ""
    missed = f", expected {prop.expected}" if prop.expected not in {None, prop.finding} else ""
    subject = f"{escape(prop.subject)}{where}"
    title = escape(prop.statement.title)
    return f"{escape(prop.id)} ({prop.severity}{missed}): {title} ({subject})"


def _table(properties: Iterable[PropertyReport], fail_on: Severity) -> str:
    headers = ("", "Property", "Subject", "Verdict", "Severity", "Promise")
    return grid(headers, (_row(prop, fail_on) for prop in properties))


def _row(prop: PropertyReport, fail_on: Severity) -> tuple[str, ...]:
    missed = prop.expected not in {None, prop.finding}
    verdict = _WORDS[prop.finding] + (f", expected {prop.expected}" if missed else "")
    verdict += f", {prop.excused}" if prop.excused else ""
    return (
        _SIGNS[prop.result(fail_on)],
        escape(prop.id),
        escape(prop.subject),
        verdict,
        prop.severity,
        escape(prop.statement.title),
    )


def grid(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown."""
    lines = (headers, ("---",) * len(headers), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def folded(title: str, blocks: Iterable[str]) -> Iterator[str]:
    """Blocks that are shown on demand."""
    yield f"<details>\n<summary>{html.escape(title)}</summary>"
    yield from blocks
    yield "</details>"


def _steps(story: Story, limit: int) -> Iterator[str]:
    """The first and the last steps, ``limit`` in all."""
    steps = story.steps
    if not steps:
        yield "Nothing happens: it is so from the start."
        return
    head = len(steps) if len(steps) <= limit else limit - limit // 2
    tail = max(len(steps) - limit // 2, head)
    yield from _listed(steps[:head], story.loop_start)
    if tail > head:
        yield f"*{plural(tail - head, 'step')} left out; the text and HTML reports have all.*"
    yield from _listed(steps[tail:], story.loop_start)
    if story.loop_start is not None:
        yield f"*And again from step {steps[story.loop_start].index}, for ever.*"
    elif story.standstill:
        yield "*From here on nobody acts any more.*"


def _listed(steps: Sequence[StoryStep], loop_start: int | None) -> Iterator[str]:
    if steps:
        yield "\n".join(line for step in steps for line in _step(step, loop_start))


def _step(step: StoryStep, loop_start: int | None) -> Iterator[str]:
    loop = "↻ " if loop_start is not None and step.index > loop_start else ""
    number = f"{step.index}. "
    margin = " " * len(number)
    yield f"{number}{loop}**{escape(step.actor)}** {escape(step.summary)}"
    if step.why:
        yield f"{margin}<br>because {escape(step.why)}"
    for text in step.unseen:
        yield f"{margin}<br>not seen: {escape(text)}"
    for review in step.nodes:
        if review.judgement == "filtered":
            yield f"{margin}<br>{escape(', '.join(review.nodes))}: {escape(review.words)}"
    yield from (f"{margin}- {_change(change)}" for change in step.changes)


def _change(change: Change) -> str:
    before, after = (code(value or "<none>") for value in (change.before, change.after))
    return f"{escape(change.object)} {escape(change.field)}: {before} → {after}"


def _repeat(story: Story) -> Iterator[str]:
    if story.repeat:
        fence = "`" * max(3, 1 + _longest_run("".join(story.repeat)))
        yield "**How to repeat it**"
        yield "\n".join([f"{fence}sh", *story.repeat, fence])


def _basis(scenario: ScenarioReport, report: Report) -> Iterator[str]:
    yield f"#### {escape(scenario.name)}"
    yield _table(scenario.properties, report.fail_on)
    yield "**What was assumed**"
    yield itemised(map(escape, scenario.setting))
    yield "**What was explored**"
    yield itemised(map(escape, coverage(scenario.statistics)))


def _left_out(parts: Iterable[NotModelled]) -> str:
    """What is not modelled, by what follows from it."""
    return "\n".join(
        line
        for reason, alike in by_reason(parts).items()
        for line in (f"- {escape(reason)}", *(f"  - {escape(place)}" for place in places(alike)))
    )


def itemised(items: Iterable[str]) -> str:
    """A list; its items are Markdown."""
    return "\n".join(f"- {item}" for item in items)


def escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    flat = _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
    return _LIST.sub(r"\1\\\2", flat)


def code(text: str) -> str:
    """Text as code, whatever backticks it has."""
    flat = " ".join(text.split())
    fence = "`" * (1 + _longest_run(flat))
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def _longest_run(text: str) -> int:
    """The length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
