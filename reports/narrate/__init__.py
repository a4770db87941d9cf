"""From a run to a story: concrete names, sentences, changes, reasons, and where it ends.

Here, and in the modules that this one imports, is what all stories have in common; what there is to
tell of a component is its teller's business (`teller`, `tellers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.scenario import Scenario
from kubelemma.properties.statement import Property
from kubelemma.reports.picture import difference
from kubelemma.reports.story import NodeReview, Story, StoryStep
from kubelemma.solver.result import Trace

from .cast import Cast, opening
from .changes import changes
from .conclusion import Ending, conclusion
from .contradiction import contradictions
from .decisive import decisive
from .picture import Observer, observer
from .reasons import facts, origin, unseen
from .rests import resting
from .scene import Scene, Standstill
from .standstill import idle, waiting
from .summary import arguments, summary
from .teller import Reviews
from .tellers import TELLERS
from .written import Written

__all__ = ["Written", "narrate", "narrate_steps"]

_UNKNOWN = Written()


def narrate(scenario: Scenario, prop: Property, trace: Trace, written: Written = _UNKNOWN) -> Story:
    """The story of a counterexample; ``written`` is what the scenario was made from."""
    run = _run(scenario, written)
    tellings = tuple(run.tell(trace))
    first = opening(scenario, trace.initial)
    last = tellings[-1].cast if tellings else first
    ending = Ending(contradictions(scenario, prop, trace, written))
    if trace.standstill:
        end = Standstill(Snapshot(scenario, trace.states()[-1]), last, written)
        ending = ending._replace(waiting=waiting(end), idle=idle(end))
    return Story(
        property_id=prop.id,
        subject=prop.subject,
        allowed=scenario.setting,
        steps=resting([(telling.scene, telling.step) for telling in tellings]),
        loop_start=trace.loop_start,
        standstill=trace.standstill,
        conclusion=conclusion(scenario, prop, trace, ending),
        picture=run.observe(trace.initial, first),
        contradictions=ending.contradictions,
        waiting=ending.waiting,
        idle=ending.idle,
        decisive=decisive(scenario, prop, trace),
    )


def narrate_steps(
    scenario: Scenario, trace: Trace, written: Written = _UNKNOWN
) -> tuple[StoryStep, ...]:
    """The steps of any run, without what each rests on."""
    return tuple(telling.step for telling in _run(scenario, written).tell(trace))


class _Telling(NamedTuple):
    """A step told, and the cast after it."""

    cast: Cast
    scene: Scene
    step: StoryStep


class _Run(NamedTuple):
    """What it takes to tell the steps of runs of one scenario."""

    scenario: Scenario
    written: Written
    observe: Observer
    reviews: tuple[Reviews, ...]

    def tell(self, trace: Trace) -> Iterator[_Telling]:
        """The steps in order."""
        cast = opening(self.scenario, trace.initial)
        before = Snapshot(self.scenario, trace.initial)
        seen = self.observe(before.state, cast)
        for index, step in enumerate(trace.steps, 1):
            after = Snapshot(self.scenario, step.state)
            cast, moves = cast.follow(before.state, after.state)
            look = self.observe(after.state, cast)
            scene = Scene(before, after, step, moves, self.written)
            told = self._told(index, scene)
            yield _Telling(cast, scene, replace(told, picture=difference(seen, look)))
            before, seen = after, look

    def _told(self, index: int, scene: Scene) -> StoryStep:
        read, reviews = facts(scene), self._reviewed(scene)
        return StoryStep(
            index=index,
            actor=scene.step.actor,
            action=str(scene.action),
            summary=summary(scene),
            arguments=tuple(arguments(scene)),
            why=scene.step.outcome.why,
            environment=scene.step.environment,
            changes=changes(scene),
            unseen=unseen(scene),
            facts=read,
            nodes=reviews,
            position=origin(scene, read, reviews),
        )

    def _reviewed(self, scene: Scene) -> tuple[NodeReview, ...]:
        return tuple(review for look in self.reviews for review in look(scene))


def _run(scenario: Scenario, written: Written) -> _Run:
    reviews = tuple(teller.reviews(scenario, written) for teller in TELLERS)
    return _Run(scenario, written, observer(scenario, written), reviews)
