"""What is violated, told so that it needs no script: the step that decides, the end, the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kubelemma.properties.statement import Severity
from kubelemma.reports.advice import together
from kubelemma.reports.notice import IMPLIED
from kubelemma.reports.story import Change, Decisive, Missed, Story, StoryStep
from kubelemma.reports.story_text import run_lines
from kubelemma.reports.style import enumeration, painter, plural

from .chapters import Tale, Telling, Violation
from .markup import Content, Markup, element, joined
from .numbers import numbers
from .pieces import badge, bullets, cell, folded, look_of, table

_WIDTH = 100
_MOST_NAMED = 3


def contents(tales: Iterable[Tale], fail_on: Severity) -> Markup | None:
    """A table of contents, where several stories are told."""
    items = [
        element(
            "li",
            badge(_severity(tale), look_of(tale.told.violations[0].prop, fail_on)),
            " ",
            element("a", headline(tale), href=f"#{tale.anchor}"),
            *_by(tale.told.violations[0].story),
        )
        for tale in tales
    ]
    if len(items) < 2:  # noqa: PLR2004 - one story needs no contents
        return None
    return element(
        "nav",
        element("h2", "Stories"),
        element("ol", *items),
        class_="contents",
        aria_label="Stories",
    )


def _by(story: Story) -> Iterator[Markup]:
    """The step that decides: several stories may break the same promises to the same objects."""
    step = _decided(story, story.decisive)
    if step is not None:
        yield element("span", f" {_deed(step)}", class_="quiet")


def headline(tale: Tale) -> str:
    """Which promises are broken, and for whom."""
    ids = list(dict.fromkeys(v.prop.id for v in tale.told.violations))
    verb = "is" if len(ids) == 1 else "are"
    subjects = list(dict.fromkeys(_subjects((tale.told, *tale.alike))))
    named = subjects if len(subjects) <= _MOST_NAMED else subjects[: _MOST_NAMED - 1]
    rest = len(subjects) - len(named)
    whom = enumeration((*named, plural(rest, "more object")) if rest else named)
    return f"{enumeration(ids)} {verb} violated for {whom}"


def _subjects(tellings: Iterable[Telling]) -> Iterator[str]:
    """Whom it is about; ``all nodes`` says little where something else is named, too."""
    for telling in tellings:
        found = [violation.prop.subject for violation in telling.violations]
        named = [subject for subject in found if " " in subject and "/" in subject]
        yield from named or found


def _severity(tale: Tale) -> str:
    return tale.told.violations[0].prop.severity


def article(tale: Tale, fail_on: Severity) -> Markup:
    """One story, from what decides it to what can be done about it."""
    violations = tale.told.violations
    telling = _telling(violations)
    story = violations[0].story
    expected = all(v.prop.expected == v.prop.finding for v in violations)
    return element(
        "article",
        element("h3", headline(tale), ", as expected" if expected else None),
        *(_promise(violation, tale.anchor, fail_on) for violation in violations),
        _written(violations),
        *_decisive(tale),
        element("h4", f"Where it contradicts {enumeration(v.prop.id for v in telling)}"),
        bullets(dict.fromkeys(line for v in telling for line in v.story.conclusion)),
        *numbers([violation.story for violation in violations]),
        *_concerned(tale),
        *_told(tale),
        *_repeat(story),
        element("h4", "What to do about it"),
        bullets(map(str, together(violation.prop for violation in telling))),
        *folded("Why it matters", _reasons(violations)),
        id=tale.anchor,
        class_="violation",
    )


def _telling(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    """Those that say more than others of the same run."""
    ids = {violation.prop.id for violation in violations}
    return tuple(v for v in violations if IMPLIED.get(v.prop.id) not in ids)


def _promise(found: Violation, anchor: str, fail_on: Severity) -> Markup:
    prop = found.prop
    excuse = f" This does not count: {prop.excuse}." if prop.excused else ""
    return element(
        "p",
        badge(prop.severity, look_of(prop, fail_on)),
        f" {prop.id}: {prop.statement.title}; {found.story.headline()}.{excuse}",
        id=found.anchor if found.anchor != anchor else None,
    )


def _written(violations: Iterable[Violation]) -> Markup | None:
    """Where the objects stand that it is about."""
    positions = dict.fromkeys(v.prop.position for v in violations if v.prop.position is not None)
    if not positions:
        return None
    places = joined((element("code", str(position)) for position in positions), ", ")
    return element("p", "Written in ", places, class_="quiet")


# The step that decides


def _decisive(tale: Tale) -> Iterator[Markup]:
    """The step or steps that decide, each once with the promises that it decides about."""
    violations = tale.told.violations
    found: dict[Decisive, list[str]] = {}
    for violation in violations:
        if violation.story.decisive is not None:
            found.setdefault(violation.story.decisive, []).append(violation.prop.id)
    story = violations[0].story
    for decisive, ids in found.items():
        step = _decided(story, decisive)
        if step is not None:
            about = f" for {enumeration(ids)}" if len(found) > 1 else ""
            own = (v.story for v in violations if v.story.decisive == decisive)
            yield _deciding(story, step, decisive.words, about, _claims(own, step.index))


def _decided(story: Story, decisive: Decisive | None) -> StoryStep | None:
    if decisive is None:
        return None
    return next((step for step in story.steps if step.index == decisive.step), None)


def _claims(stories: Iterable[Story], index: int) -> list[str]:
    """How the state after the step belies what it decides about."""
    found = (claimed for story in stories for claimed in story.contradictions)
    return list(dict.fromkeys(claimed.claim for claimed in found if claimed.step == index))


def _deciding(
    story: Story, step: StoryStep, words: str, about: str, claims: Iterable[str]
) -> Markup:
    count = len(story.steps)
    before = (one for one in story.steps if one.index < step.index)
    whose = (("It", step), *((f"Before that, step {b.index} ({_deed(b)})", b) for b in before))
    return element(
        "section",
        element("h4", f"The step that decides{about}: {step.index} of {count}"),
        element(
            "p",
            element("b", step.actor, class_="environment" if step.environment else "actor"),
            f" {step.summary}",
            f", because {step.why}" if step.why else None,
            ".",
            class_="deed",
        ),
        *(
            element("p", f"⚠ {who} did not see {_missed(story, missed)}.", class_="unseen")
            for who, one in whose
            for missed in one.missed
        ),
        _changes(step.changes),
        element("p", f"{words}.", class_="verdict"),
        *(element("p", f"{claim}.") for claim in claims),
        class_="decisive",
    )


def _missed(story: Story, missed: Missed) -> str:
    """What was not seen, and which step had done it."""
    done = next((one for one in story.steps if one.index == missed.step), None)
    what = f"step {done.index} ({_deed(done)})" if done else "what is so from the start"
    return f"{what}: {missed.words}"


def _deed(step: StoryStep) -> str:
    return f"{step.actor}: {step.summary}"


def _changes(changes: Iterable[Change]) -> Markup | None:
    items = [
        element(
            "li",
            f"{change.object} {change.field} ",
            element("del", change.before or "<none>"),
            " → ",
            element("ins", change.after or "<none>"),
        )
        for change in changes
    ]
    return element("ul", *items, class_="changes") if items else None


# Whom it concerns


def _concerned(tale: Tale) -> Iterator[Markup]:
    """All of whom the same could be told, each with its scenario."""
    if not tale.alike:
        return
    rows = [
        element(
            "tr",
            cell("Whom", violation.prop.subject),
            cell("Property", violation.prop.id),
            cell("Scenario", telling.scenario.name),
            cell("Written in", _place(violation)),
            id=violation.anchor if telling is not tale.told else None,
        )
        for telling in (tale.told, *tale.alike)
        for violation in telling.violations
    ]
    yield element("h4", "Whom it concerns")
    yield element("p", "The same happens to all of them, but for names; it is told of the first.")
    yield table(("Whom", "Property", "Scenario", "Written in"), rows)


def _place(found: Violation) -> Content:
    position = found.prop.position
    return element("code", str(position)) if position is not None else "nowhere"


# What happens


def _told(tale: Tale) -> Iterator[Markup]:
    """The place of the run, and the run as text for whoever has no script, and for paper."""
    story = tale.told.violations[0].story
    yield element("h4", "What happens")
    if not story.steps:
        yield element("p", "Nothing: it is so from the start.")
        return
    told = run_lines(replace(story, allowed=()), painter(colour=False), _WIDTH)
    deciding = story.decisive.step if story.decisive is not None else None
    yield element(
        "div",
        class_="story",
        data_run=tale.number,
        data_anchor=tale.anchor,
        data_decisive=deciding,
    )
    yield element("pre", "\n".join(told), class_="paper")


def _repeat(story: Story) -> Iterator[Markup]:
    if story.repeat:
        yield element("h4", "How to repeat it")
    for command in story.repeat:
        copy = element("button", "Copy", type="button", class_="copy", hidden=True)
        yield element("div", element("pre", element("code", command)), copy, class_="command")


def _reasons(violations: tuple[Violation, ...]) -> Iterator[Content]:
    for prop in (violation.prop for violation in violations):
        named = f"{prop.id}: " if len(violations) > 1 else ""
        for label, text in (
            (named, prop.statement.why),
            ("Conditions: ", prop.statement.conditions),
            ("Source: ", prop.statement.source),
        ):
            if text:
                yield element("p", label, text)
