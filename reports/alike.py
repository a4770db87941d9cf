"""Stories that differ only in whom they are about, so that they are told once.

Two Deployments that break in the same way have the same story with other names. What a story says
is therefore compared with the names of its objects taken out. What its decisions read in numbers,
such as how much a container requests, is no part of that, and neither is the picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from functools import partial

from .document import PropertyReport
from .story import Story, StoryStep


def likeness(prop: PropertyReport) -> Hashable:
    """Equal for two violations that are to be told once: same promise, same course, same weight."""
    weight = (prop.id, prop.finding, prop.expected, prop.excused, prop.severity)
    return weight if prop.story is None else (*weight, story_likeness(prop.story))


def story_likeness(story: Story) -> Hashable:
    """What a story says, apart from the names of its objects."""
    blank = _blanks(story)
    return (_run(story, blank), tuple(map(blank, story.conclusion)))


def run_likeness(story: Story) -> Hashable:
    """What happens in a story and how it ends, apart from names, and from what that contradicts."""
    blank = _blanks(story)
    waiting = tuple((blank(each.pod), blank(each.message)) for each in story.waiting)
    return (_run(story, blank), waiting)


def _run(story: Story, blank: Callable[[str], str]) -> Hashable:
    steps = tuple(_step(step, blank) for step in story.steps)
    return (steps, story.loop_start, story.standstill)


def _step(step: StoryStep, blank: Callable[[str], str]) -> Hashable:
    told = (step.summary, step.why, *step.unseen)
    return (step.actor, step.action, step.environment, tuple(map(blank, told)))


def _blanks(story: Story) -> Callable[[str], str]:
    """Puts numbers for names, in the order in which these are met, wherever they stand."""
    names = sorted(set(_names(story)), key=lambda name: (-len(name), name))
    if not names:
        return str
    pattern = re.compile("|".join(map(_pattern, names)))
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = names[(found.lastindex or 1) - 1]
        return f"\0{numbers.setdefault(name, len(numbers))}"

    return partial(pattern.sub, number)


def _names(story: Story) -> Iterator[str]:
    """The objects of a story, as ``namespace/name``, and its nodes."""
    subject = story.subject.rpartition(" ")[2]
    picture = story.picture
    if "/" in subject:
        yield subject
    if picture is not None:
        yield from (box.name for box in picture.workloads if box.name)
        yield from (box.name for box in picture.services if box.name)
        yield from (box.name for box in picture.budgets if box.name)
        yield from (box.name for box in picture.nodes if box.name)


def _pattern(name: str) -> str:
    """The name as a whole word, with its namespace or not, or as the beginning of a pod's name."""
    namespace, _, bare = name.rpartition("/")
    before = f"(?:{re.escape(namespace)}/)?" if namespace else ""
    return rf"(?<![\w./-]){before}({re.escape(bare)})(?!\w|[./]\w|-(?!v?\d))"
