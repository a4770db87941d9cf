"""From a run to a story: concrete names, sentences, changes, reasons, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from kubelemma.model.scenario import Scenario
from kubelemma.properties.statement import Property
from kubelemma.reports.picture import difference
from kubelemma.reports.story import NodeReview, Story, StoryStep
from kubelemma.solver.result import Trace

from .cast import Cast, Move, opening
from .changes import changes
from .conclusion import Ending, conclusion
from .contradiction import contradictions
from .custom import without_sentence
from .facts import Scene, facts
from .picture import Observer, observer
from .places import place
from .scheduling import Reviewer, reviewer
from .standstill import idle, waiting
from .summary import summary
from .unseen import unseen
from .written import Written

__all__ = ["Written", "narrate", "narrate_steps"]

_UNKNOWN = Written()


def narrate(scenario: Scenario, prop: Property, trace: Trace, written: Written = _UNKNOWN) -> Story:
    """The story of a counterexample; ``written`` is what the scenario was made from."""
    teller = _Teller(scenario, written, observer(scenario, written), reviewer(scenario, written))
    tellings = tuple(teller.tell(trace))
    first = opening(scenario, trace.initial)
    last = tellings[-1].cast if tellings else first
    ending = Ending(contradictions(scenario, prop, trace, written))
    if trace.standstill:
        state = trace.states()[-1]
        stuck = waiting(scenario, state, last, teller.review)
        ending = ending._replace(waiting=stuck, idle=idle(scenario, state, last))
    return Story(
        property_id=prop.id,
        subject=prop.subject,
        allowed=scenario.setting,
        steps=tuple(telling.step for telling in tellings),
        loop_start=trace.loop_start,
        standstill=trace.standstill,
        conclusion=conclusion(scenario, prop, trace, ending),
        picture=teller.observe(trace.initial, first),
        contradictions=ending.contradictions,
        waiting=ending.waiting,
        idle=ending.idle,
    )


def narrate_steps(
    scenario: Scenario, trace: Trace, written: Written = _UNKNOWN
) -> tuple[StoryStep, ...]:
    """The steps of any run."""
    teller = _Teller(scenario, written, observer(scenario, written), reviewer(scenario, written))
    return tuple(telling.step for telling in teller.tell(trace))


class _Telling(NamedTuple):
    """A step told, and the cast after it."""

    cast: Cast
    step: StoryStep


class _Teller(NamedTuple):
    """What it takes to tell the steps of runs of one scenario."""

    scenario: Scenario
    written: Written
    observe: Observer
    review: Reviewer

    def tell(self, trace: Trace) -> Iterator[_Telling]:
        """The steps in order."""
        cast = opening(self.scenario, trace.initial)
        before = trace.initial
        seen = self.observe(before, cast)
        for index, step in enumerate(trace.steps, 1):
            cast, moves = cast.follow(before, step.state)
            look = self.observe(step.state, cast)
            scene = Scene(self.scenario, before, step, self.written)
            told = self._told(index, scene, moves)
            yield _Telling(cast, replace(told, picture=difference(seen, look)))
            before, seen = step.state, look

    def _told(self, index: int, scene: Scene, moves: tuple[Move, ...]) -> StoryStep:
        step, before = scene.step, scene.before
        read, reviews = facts(scene), self._reviews(scene)
        return StoryStep(
            index=index,
            actor=step.actor,
            action=step.outcome.action,
            summary=summary(self.scenario, step, moves),
            arguments=tuple((n, str(v)) for n, v in without_sentence(step.outcome.arguments)),
            why=step.outcome.why,
            environment=step.environment,
            changes=changes(self.scenario, before, step, moves),
            unseen=unseen(self.scenario, before, step),
            facts=read,
            nodes=reviews,
            position=place(scene, read, reviews),
        )

    def _reviews(self, scene: Scene) -> tuple[NodeReview, ...]:
        """What the scheduler made of the nodes, where it binds a pod."""
        if scene.step.outcome.action != "bind" or scene.pod_class is None or scene.node is None:
            return ()
        return self.review(scene.pod_class.index, scene.before, scene.node[0])
