"""One run by itself as text: a replayed counterexample, or a random run."""

from __future__ import annotations

from .shown import shown
from .story import Story, StoryStep
from .story_text import STANDSTILL, conclusion_lines, run_lines, step_lines
from .style import Role, laid_out, painter


def story(title: str, told: Story, *, colour: bool = False, width: int = 100) -> str:
    """A story under a title, in neither of which anything stays invisible."""
    paint = painter(colour=colour)
    title, told = shown((title, told))
    lines = [paint(title, Role.BAD), "", *run_lines(told, paint, width), ""]
    lines += conclusion_lines(told, paint, width)
    return laid_out(lines)


def run(
    title: str,
    steps: tuple[StoryStep, ...],
    *,
    standstill: bool = False,
    colour: bool = False,
    width: int = 100,
) -> str:
    """The steps of a run under a title."""
    paint = painter(colour=colour)
    title, steps = shown((title, steps))
    lines = [paint(title, Role.HEADING), *step_lines(steps, None, paint, width)]
    if standstill:
        lines.append(paint(STANDSTILL, Role.UNSURE))
    return laid_out(lines)
