"""The search: runs are drawn until no more of them violate anything new.

It goes in rounds, each for all properties that are still to be decided. A round is a series of
tests of Hypothesis: in the first the failing runs on file are taken again, in the others new ones
are drawn, half of them from the start, half from beginnings that showed something new. With the
first run that violates one of the properties, the test becomes one of that property alone, and
Hypothesis shrinks the run. A round that finds nothing is the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from random import Random
from typing import NoReturn

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.control import current_build_context
from hypothesis.database import choices_to_bytes
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from kubelemma.model.system import System
from kubelemma.properties.statement import Property
from kubelemma.solver.events import Listener, Progress, Violation
from kubelemma.solver.limits import (
    ALL_VIOLATED,
    INTERRUPTED,
    MAX_RUNS,
    MAX_STATES,
    TIME_LIMIT,
    Limits,
    Watch,
)

from .beginnings import Beginnings
from .examples import examples_of
from .machine import PropertyViolated, SystemMachine
from .places import Places, Way
from .sampling import Sampling
from .shorten import shorter_stories
from .walk import Story, Walk

STEPS_AT_A_TIME = 10
"""What a `SystemMachine.proceed` takes, about."""

RUNS_AT_A_TIME = 20
"""How many runs a test draws before what they met is made use of."""

SEARCH_SHARE = 0.75
"""Where the time is limited and stories are long, what is left of it makes them shorter."""


class Halt(KeyboardInterrupt):
    """Leave Hypothesis at once, which takes any other exception for the outcome of a run."""


class Drawing:
    """One search. After it, the public attributes hold what was found, which may be a part.

    ``stories`` has the shortest violation of each property by its number. ``runs`` counts all runs,
    those that Hypothesis tried while shrinking included, ``deepest`` is the longest.
    """

    def __init__(
        self,
        system: System,
        properties: Sequence[Property],
        limits: Limits,
        listener: Listener,
        *,
        watch: Watch,
        sampling: Sampling,
    ) -> None:
        about = [(prop.id, prop.subject) for prop in properties]
        self.places = Places(system, properties)
        self.stories: dict[int, Story] = {}
        self._raw: set[int] = set()
        self.runs = self.deepest = 0
        self.stopped_by: str | None = None
        self.sampling = sampling
        self._open = list(range(len(properties)))
        self._examples = examples_of(sampling.name, about, sampling.examples)
        self._machine = _machine_of(self)
        self._beginnings = Beginnings(self.places, sampling.steps)
        self._random = Random(sampling.seed)  # noqa: S311 - to try this and that, not a secret
        self._before: Sequence[bool | int | float | str | bytes] | None = None
        self._tests = 0
        self._failing: int | None = None
        self._shrinking_runs = 0
        self._halt: Halt | None = None
        self._max_states = limits.max_states
        self._search_seconds = SEARCH_SHARE * (limits.time_limit_seconds or inf)
        self._listener = listener
        self._watch = watch

    def run(self) -> None:
        """Search until a round finds nothing, to a limit, or until all is violated."""
        try:
            while self._open and self._round():
                pass
            self.stopped_by = MAX_RUNS if self._open or not self.places.properties else ALL_VIOLATED
        except Halt as halt:
            self.stopped_by = str(halt)
            if self.stopped_by == TIME_LIMIT:
                self._shorten_the_rest()
        except KeyboardInterrupt:
            self.stopped_by = INTERRUPTED

    def _shorten_the_rest(self) -> None:
        """Use what was spared of the time."""
        self._search_seconds = inf
        try:
            for number in sorted(self._raw):
                self._shorten(number)
        except KeyboardInterrupt:
            return

    def _shorten(self, number: int) -> None:
        for story in shorter_stories(self.places, self.stories[number], pause=self._pause):
            self.stories[number] = story
            self._pause()
        self._raw.discard(number)

    def _round(self) -> bool:
        """Look for one more violation; gives whether there is one, which is shrunk then."""
        failing = self._test(self._runs(1), again=True)
        last = self.runs + self.sampling.runs
        while failing is None and self.runs < last:
            failing = self._test(self._runs(min(RUNS_AT_A_TIME, last - self.runs)), again=False)
        if failing is None:
            return False
        self._open.remove(failing)
        self._shorten(failing)
        return True

    def _runs(self, most: int) -> tuple[bytes, ...]:
        """How so many runs begin, for Hypothesis to go on from at random."""
        if self._before is None:
            return (b"",)
        chosen = self._beginnings.choose(most // 2, self._open, self._random)
        first = (b"",) * (most - len(chosen))
        return tuple(choices_to_bytes((*self._before, each)) for each in (*first, *chosen))

    def _test(self, runs: Sequence[bytes], *, again: bool) -> int | None:
        """Draw some runs; gives what one of them violates, which ends the test and is shrunk."""
        self._failing, self._shrinking_runs, self._halt = None, 0, None
        self._examples.begin(tuple(self._open), runs, again=again)
        number, self._tests = self._tests, self._tests + 1
        try:
            run_state_machine_as_test(
                seed(_seed_of(self.sampling.seed, number))(self._machine), settings=self._settings()
            )
        except (PropertyViolated, Halt):
            pass  # `_failing` and `_halt` tell of it
        except Flaky:
            # A run that is left in the middle looks like one that behaves differently.
            if self._halt is None:
                raise
        if self._halt is not None and self._halt.args:
            raise self._halt
        return self._failing

    def _settings(self) -> settings:
        return settings(
            max_examples=RUNS_AT_A_TIME,
            stateful_step_count=max(1, self.sampling.steps // STEPS_AT_A_TIME),
            phases=(Phase.reuse, Phase.shrink),
            database=self._examples,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            suppress_health_check=tuple(HealthCheck),
            verbosity=Verbosity.quiet,
        )

    # What the machine tells

    def begun(self) -> None:
        """A run begins."""
        self.runs += 1
        if self._failing is not None:
            self._shrinking_runs += 1
            if self._shrinking_runs > self.sampling.shrinks:
                self._leave(Halt())
        self._pause()

    def beginnings(self) -> SearchStrategy[bytes]:
        """What a run may begin with; it is about to draw that, as its choices until now say."""
        if self._before is None:
            self._before = current_build_context().data.choices
        return st.binary()

    def stepped(self, walk: Walk) -> None:
        """A run has taken a step."""
        self.deepest = max(self.deepest, len(walk.ways))
        self._beginnings.passed(walk)
        if self._max_states is not None and len(self.places) >= self._max_states:
            self._leave(Halt(MAX_STATES))
        self._pause()

    def found(self, stories: Sequence[Story]) -> None:
        """A run violates something; it fails where that is what the round is about.

        Raises:
            PropertyViolated: it is.
        """
        for story in stories:
            known = self.stories.get(story.number)
            if known is None:
                self._tell(story)
            if known is None or len(story.ways) < len(known.ways):
                self.stories[story.number] = story
                self._raw.add(story.number)
        for story in stories:
            if self._failing is None and story.number in self._open:
                self._failing = self._examples.failing = story.number
            if story.number == self._failing:
                raise PropertyViolated(self.places.properties[story.number], story)

    def _tell(self, story: Story) -> None:
        prop = self.places.properties[story.number]
        steps = len(story.ways) if story.loop_start is None else story.loop_start
        self._listener(Violation(prop.id, prop.subject, steps + 1))

    def _pause(self) -> None:
        """Stop if there is a reason to, and report progress from time to time."""
        if not self._watch.due():
            return
        reason = self._watch.measure()
        if self._watch.report_due():
            self._listener(self.progress())
        if reason is None and self._raw and self._watch.seconds > self._search_seconds:
            reason = TIME_LIMIT
        if reason:
            self._leave(Halt(reason))

    def _leave(self, halt: Halt) -> NoReturn:
        self._halt = halt
        raise halt

    def progress(self) -> Progress:
        """How far the search has come."""
        return Progress(
            states=len(self.places),
            transitions=self.places.fired.total(),
            depth=self.deepest + 1,
            frontier=0,
            seconds=self._watch.seconds,
            memory_bytes=self._watch.memory_bytes,
            entries=self.places.tables.entries(),
        )


def _seed_of(first: int, number: int) -> int:
    """A seed for each test; that of the first is the one that was given."""
    return first + number * 1_000_003


def _machine_of(drawing: Drawing) -> type[SystemMachine]:
    """The machine that tells a search of what it does."""

    class Run(SystemMachine, places=drawing.places):
        max_steps = drawing.sampling.steps

        def __init__(self) -> None:
            super().__init__()
            drawing.begun()

        def found(self, stories: tuple[Story, ...]) -> None:
            drawing.found(stories)

        def beginnings(self) -> SearchStrategy[bytes]:
            return drawing.beginnings()

        def stepped(self, way: Way) -> None:  # noqa: ARG002 - the walk has it
            drawing.stepped(self.walk)

    return Run
