"""A story as text: numbered steps with actor, reason and changes; the loop marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .story import Change, Story, StoryStep
from .style import Paint, Role, bullets, wrap

STANDSTILL = "    ■  From here on nobody acts any more."
"""What is said where only users and faults could still act."""

_MARGIN = " " * 7
_BAR = "     │ "
_NONE = "<none>"


def run_lines(story: Story, paint: Paint, width: int) -> Iterator[str]:
    """What may happen, and what does; no line longer than ``width`` where words allow."""
    if story.allowed:
        yield paint("What may happen", Role.HEADING)
        yield from bullets(story.allowed, width)
        yield ""
    yield paint("What happens", Role.HEADING)
    if not story.steps:
        yield "  Nothing: it is so from the start."
    yield from step_lines(story.steps, story.loop_start, paint, width)
    if story.standstill:
        yield paint(STANDSTILL, Role.UNSURE)


def conclusion_lines(story: Story, paint: Paint, width: int) -> Iterator[str]:
    """What the run shows, and how it is repeated."""
    yield paint(f"Where it contradicts {story.property_id}", Role.HEADING)
    yield from bullets(story.conclusion, width)
    if story.repeat:
        yield ""
        yield paint("How to repeat it", Role.HEADING)
        yield from (f"  {command}" for command in story.repeat)


def step_lines(
    steps: Sequence[StoryStep], loop_start: int | None, paint: Paint, width: int
) -> Iterator[str]:
    """The steps, with a bar along those that repeat for ever."""
    loop = len(steps) if loop_start is None else loop_start
    for position, step in enumerate(steps):
        if position == loop:
            yield paint("     ┌ from here on, for ever:", Role.UNSURE)
        yield from _step(step, paint, width, _BAR if position >= loop else _MARGIN)
    if loop_start is not None:
        yield paint(f"     └ and again from step {steps[loop].index}", Role.UNSURE)


def _step(step: StoryStep, paint: Paint, width: int, margin: str) -> Iterator[str]:
    role = Role.ENVIRONMENT if step.environment else Role.ACTOR
    number = f"{step.index:>4} {margin[5:]}"
    first, *more = wrap(f"{step.actor}: {step.summary}", width, number, margin)
    yield number + _paint_actor(first[len(number) :], step.actor, paint, role)
    yield from more
    if step.why:
        yield from _painted(f"because {step.why}", paint, Role.QUIET, width, f"{margin}  ")
    yield from _changes(step.changes, paint, width, margin + "    ")


def _paint_actor(line: str, actor: str, paint: Paint, role: Role) -> str:
    """Colour the actor where the whole name stands on the first line, which is nearly always."""
    return paint(actor, role) + line[len(actor) :] if line.startswith(actor) else line


def _changes(changes: Iterable[Change], paint: Paint, width: int, margin: str) -> Iterator[str]:
    """A table of what changed; an object's name is not repeated from line to line."""
    rows = tuple(changes)
    objects = max((len(c.object) for c in rows), default=0)
    fields = max((len(c.field) for c in rows), default=0)
    previous = ""
    for change in rows:
        name = "" if change.object == previous else change.object
        previous = change.object
        start = f"{margin}{name:{objects}}  {change.field:{fields}}  "
        before, after = change.before or _NONE, change.after or _NONE
        old, new = paint(before, Role.OLD), paint(after, Role.NEW)
        if len(start) + len(before) + len(after) + 3 <= width:
            yield f"{start}{old} → {new}"
        else:
            yield start.rstrip()
            yield from _painted(before, paint, Role.OLD, width, f"{margin}    ")
            yield from _painted(after, paint, Role.NEW, width, f"{margin}  → ")


def _painted(text: str, paint: Paint, role: Role, width: int, margin: str) -> Iterator[str]:
    """Wrapped text, coloured behind its margin."""
    for line in wrap(text, width, margin, margin.replace("→", " ")):
        yield line[: len(margin)] + paint(line[len(margin) :], role)
