"""From a run to a story: concrete names, sentences, changes, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.properties.statement import Property
from kubelemma.reports.picture import difference
from kubelemma.reports.story import Story, StoryStep
from kubelemma.solver.result import Trace, TraceStep

from .cast import Cast, Move, opening
from .changes import changes
from .conclusion import conclusion
from .picture import observer
from .summary import summary
from .unseen import unseen

__all__ = ["narrate", "narrate_steps"]


def narrate(scenario: Scenario, prop: Property, trace: Trace) -> Story:
    """The story of a counterexample."""
    scenes = tuple(_scenes(scenario, trace))
    first = opening(scenario, trace.initial)
    last = scenes[-1].cast if scenes else first
    return Story(
        property_id=prop.id,
        subject=prop.subject,
        allowed=scenario.setting,
        steps=tuple(scene.story_step for scene in scenes),
        loop_start=trace.loop_start,
        standstill=trace.standstill,
        conclusion=conclusion(scenario, prop, trace, last),
        picture=observer(scenario)(trace.initial, first),
    )


def narrate_steps(scenario: Scenario, trace: Trace) -> tuple[StoryStep, ...]:
    """The steps of any run."""
    return tuple(scene.story_step for scene in _scenes(scenario, trace))


class _Scene(NamedTuple):
    """A step told, and the cast after it."""

    cast: Cast
    story_step: StoryStep


def _scenes(scenario: Scenario, trace: Trace) -> Iterator[_Scene]:
    observe = observer(scenario)
    cast = opening(scenario, trace.initial)
    before = trace.initial
    seen = observe(before, cast)
    for index, step in enumerate(trace.steps, 1):
        cast, moves = cast.follow(before, step.state)
        look = observe(step.state, cast)
        told = _told(scenario, index, before, step, moves)
        yield _Scene(cast, replace(told, picture=difference(seen, look)))
        before, seen = step.state, look


def _told(
    scenario: Scenario, index: int, before: State, step: TraceStep, moves: tuple[Move, ...]
) -> StoryStep:
    return StoryStep(
        index=index,
        actor=step.actor,
        action=step.outcome.action,
        summary=summary(scenario, step, moves),
        arguments=tuple((name, str(value)) for name, value in step.outcome.arguments),
        why=step.outcome.why,
        environment=step.environment,
        changes=changes(scenario, before, step, moves),
        unseen=unseen(scenario, before, step),
    )
