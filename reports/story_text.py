"""A story as text: numbered steps with actor, reason and changes; the loop marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .story import Change, Fact, NodeReview, Story, StoryStep
from .style import Paint, Role, bullets, few, wrap

STANDSTILL = "    ■  From here on nobody acts any more."
"""What is said where only users and faults could still act."""

_MARGIN = " " * 7
_BAR = "     │ "
_NONE = "<none>"


def run_lines(story: Story, paint: Paint, width: int, *, wide: bool = False) -> Iterator[str]:
    """What may happen, and what does; no line longer than ``width`` where words allow.

    With ``wide``, each step also has what its decision rests on.
    """
    if story.allowed:
        yield paint("What may happen", Role.HEADING)
        yield from bullets(story.allowed, width)
        yield ""
    yield paint("What happens", Role.HEADING)
    if not story.steps:
        yield "  Nothing: it is so from the start."
    yield from step_lines(story.steps, story.loop_start, paint, width, wide=wide)
    if story.standstill:
        yield paint(STANDSTILL, Role.UNSURE)


def conclusion_lines(
    story: Story, paint: Paint, width: int, *, wide: bool = False
) -> Iterator[str]:
    """What the run shows, and how it is repeated; with ``wide``, with every number behind it."""
    yield paint(f"Where it contradicts {story.property_id}", Role.HEADING)
    yield from bullets(story.conclusion, width)
    if wide:
        yield from _numbers(story, paint, width)
    if story.repeat:
        yield ""
        yield paint("How to repeat it", Role.HEADING)
        yield from (f"  {command}" for command in story.repeat)


def _numbers(story: Story, paint: Paint, width: int) -> Iterator[str]:
    """The property's terms, what the scheduler makes of nodes, and why each component rests."""
    terms = [_fact(term) for found in story.contradictions for term in found.terms]
    waiting = [f"{w.pod} on {_reviewed(review)}" for w in story.waiting for review in w.nodes]
    if terms or waiting:
        yield paint("In numbers", Role.HEADING)
        yield from bullets((*terms, *waiting), width)
    idle = [f"{one.actor}: {one.reason}" for one in story.idle if not one.held_up]
    if idle:
        yield paint("Why nobody else acts", Role.HEADING)
        yield from bullets(idle, width)


def step_lines(
    steps: Sequence[StoryStep],
    loop_start: int | None,
    paint: Paint,
    width: int,
    *,
    wide: bool = False,
) -> Iterator[str]:
    """The steps, with a bar along those that repeat for ever."""
    loop = len(steps) if loop_start is None else loop_start
    for position, step in enumerate(steps):
        if position == loop:
            yield paint("     ┌ from here on, for ever:", Role.UNSURE)
        yield from _step(step, paint, width, _BAR if position >= loop else _MARGIN, wide=wide)
    if loop_start is not None:
        yield paint(f"     └ and again from step {steps[loop].index}", Role.UNSURE)


def _step(step: StoryStep, paint: Paint, width: int, margin: str, *, wide: bool) -> Iterator[str]:
    role = Role.ENVIRONMENT if step.environment else Role.ACTOR
    number = f"{step.index:>4} {margin[5:]}"
    first, *more = wrap(f"{step.actor}: {step.summary}", width, number, margin)
    yield number + _paint_actor(first[len(number) :], step.actor, paint, role)
    yield from more
    if step.why:
        yield from _painted(f"because {step.why}", paint, Role.QUIET, width, f"{margin}  ")
    for text in step.unseen:
        yield from _painted(f"not seen: {text}", paint, Role.UNSURE, width, f"{margin}  ")
    for review in step.nodes:
        if wide or review.judgement == "filtered":
            yield from _painted(_reviewed(review), paint, Role.QUIET, width, f"{margin}  ")
    if wide and step.facts:
        read = "; ".join(map(_fact, step.facts))
        yield from _painted(f"it read: {read}", paint, Role.QUIET, width, f"{margin}  ")
    yield from _changes(step.changes, paint, width, margin + "    ")


def _reviewed(review: NodeReview) -> str:
    where = f" ({review.position})" if review.position else ""
    return f"{', '.join(review.nodes)}: {review.words}{where}"


def _fact(fact: Fact) -> str:
    where = f" ({fact.position})" if fact.position else ""
    return f"{fact.name} = {fact.value}{where}"


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


def starting_line(story: Story, width: int) -> Iterator[str]:
    """Where pods are before the first step, where the story has a picture of that."""
    if story.picture is None:
        return
    there: dict[str, list[str]] = {}
    for pod in story.picture.pods:
        there.setdefault(pod.node, []).append(pod.name.rpartition("/")[2])
    nodes = (f"{name or 'no node'}: {few(pods)}" for name, pods in sorted(there.items()))
    yield from wrap(f"At the start, by node: {'; '.join(nodes) or 'no pods'}.", width, "  ")
    yield ""
