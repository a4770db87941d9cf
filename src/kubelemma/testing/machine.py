"""A state machine of Hypothesis over a scenario, for users to subclass.

::

    from kubelemma.testing import ControlPlane, invariant, rule

    class Web(ControlPlane, given=["deploy/web.yaml"], events="rollout=web"):
        @rule()
        def drain_one(self):
            if self.cluster.node("node-1").ready:
                self.act("drain", node="node-1")

        @invariant()
        def somebody_serves(self):
            assert self.cluster.deployment("web").ready

    TestWeb = Web.TestCase
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from types import new_class
from typing import Any, ClassVar, Self, TypeVar, Unpack, cast

from hypothesis import Phase, note, settings, stateful, target
from hypothesis.control import current_build_context
from hypothesis.errors import HypothesisException

from kubelemma import api
from kubelemma.model.system import Transition
from kubelemma.properties.statement import Property
from kubelemma.solver.replay import counterexample, step_of
from kubelemma.solver.result import Trace, TraceStep
from kubelemma.solver.stateful.machine import SystemMachine
from kubelemma.solver.stateful.places import Way
from kubelemma.solver.stateful.walk import Story, Walk

from .given import Given, Wanted
from .marks import PROGRAM, PROGRAM_TITLE, SERVED
from .program import Call, program_of_machine, program_of_run
from .run import Run, find_step, one_case, refutation
from .view import ClusterView

_PHASES = tuple(phase for phase in Phase if phase is not Phase.explain)
"""Hypothesis' explanations name lines of kubelemma, which explain nothing to its users."""

_STEPWISE = "kubelemma_stepwise"
"""The attribute of methods that are asked in every step."""

MachineT = TypeVar("MachineT", bound="ControlPlane")
Function = TypeVar("Function", bound=Callable[..., Any])


class Refuted(AssertionError):
    """A run is a counterexample to a property; the message tells how, ``trace`` is the run."""

    def __init__(self, case: api.Case, violated: Property, trace: Trace) -> None:
        super().__init__(refutation(case, violated, trace))
        self.property = violated
        self.trace = trace


class ControlPlane(SystemMachine):
    """A run of a scenario in which Hypothesis chooses who acts. Subclass it with a scenario.

    Class arguments: ``given`` has the paths and objects, everything else is as
    `kubelemma.testing.check` takes it. The properties are watched in each step, but for those that
    the scenario expects to be violated; an empty list watches none.

    Between the rules of the subclass, users and faults may do what the scenario allows, and
    controllers act. ``act`` takes a step of one's own choice, ``cluster`` shows where the run is.
    """

    case: ClassVar[api.Case]
    stepwise: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(
        cls, *, given: Sequence[Given] | Given = (), **wanted: Unpack[Wanted]
    ) -> None:
        """Read the scenario.

        Raises:
            InvalidInput: something is wrong with it.
            ValueError: there are several scenarios.
        """
        cls.stepwise = tuple(name for name in dir(cls) if _is_stepwise(getattr(cls, name, None)))
        several = given if isinstance(given, list | tuple) else (given,)
        if not several:
            super().__init_subclass__()
            return
        watched = wanted.get("properties")
        cls.case = one_case(several, wanted)
        super().__init_subclass__(
            system=cls.case.scenario.system,
            properties=() if watched is not None and not watched else _watched(cls.case),
        )
        cls.TestCase.settings = settings(cls.TestCase.settings, phases=_PHASES)

    def __init__(self) -> None:
        if not hasattr(type(self), "case"):
            name = type(self).__name__
            raise TypeError(f'{name} has no scenario: write class {name}(..., given=["web.yaml"])')
        super().__init__()
        self.run = Run(case=self.case)
        self.log: list[TraceStep | Call] = []
        self._inside = 0
        self._wanted: TraceStep | None = None

    @classmethod
    def on(cls, *given: Given, load: Sequence[str] = (), start: int = 0) -> Self:
        """A machine of this class on another scenario, at a start; it watches no properties."""
        other = new_class(cls.__name__, (cls,), {"given": given, "load": load, "properties": ()})
        machine = cast("type[Self]", other)()
        machine.walk = Walk(machine.places, machine.places.starts[start])
        machine.begun()
        return machine

    # Where the run is

    @property
    def cluster(self) -> ClusterView:
        """The cluster now; pods keep their names from step to step."""
        return self.run.cluster

    # Steps

    def act(self, action: str, *, rule: str = "", at: Sequence[int] = (), **words: object) -> None:
        """Take a step: the first of those that this describes, see `Run.act`.

        Raises:
            AssertionError: there is no such step; the message lists what is possible.
            Refuted: it completes a violation.
        """
        __tracebackhide__ = True
        step = find_step(self.run, action, rule=rule, at=at, **words)
        self._wanted = step
        self.take(self._way(step))

    def possible(self, action: str = "") -> bool:
        """Whether any step may be taken now, or one of this action."""
        return next(self.run.steps(action), None) is not None

    def begun(self) -> None:
        """Begin with a cluster in the start that was drawn."""
        self.run = Run(case=self.case, start=self.places.starts.index(self.walk.place))

    def stepped(self, way: Way) -> None:
        """Follow the step with a cluster whose nodes keep their places."""
        wanted, self._wanted = self._wanted, None
        step = wanted or self._concrete(way)
        self.run.append(step)
        if not self._inside:
            self.log.append(step)
            for name in self.stepwise:
                getattr(self, name)()

    def _order(self) -> list[int]:
        """The position in the run of what is at each position of the machine's state."""
        numbering, system = self.places.tables.numbering, self.case.scenario.system
        order = list(range(len(self.run.state)))
        for family in system.families:
            where, numbers = system.positions[family.name], numbering.domains[family.name]
            members = sorted(where, key=lambda p: numbers[self.run.state[p]])
            order[where.start : where.stop] = members
        return order

    def _concrete(self, way: Way) -> TraceStep:
        """The way as a step of the run."""
        order = self._order()
        positions = tuple(order[position] for position in way.where)
        rule, outcome = way.move.rule, way.move.outcome
        after = list(self.run.state)
        values = tuple(after[position] for position in positions)
        written = self.case.scenario.system.written(values, rule, outcome)
        for position, value in zip(positions, written, strict=True):
            after[position] = value
        return step_of(Transition(rule, positions, outcome, tuple(after)))

    def _way(self, step: TraceStep) -> Way:
        """The way that a step of the run is, up to the order of equal members."""
        order, state = self._order(), self.run.state
        values = [state[position] for position in step.positions]
        return next(
            way
            for way in self.walk.place.ways[step.rule]
            if way.move.outcome == step.outcome
            and [state[order[position]] for position in way.where] == values
        )

    # What is promising

    def score(self) -> float | None:
        """How promising the run was: Hypothesis looks for runs that are worth more.

        Asked once at the end of each run, and given to `hypothesis.target`. What matters on the way
        is for an invariant to note down. None, as it is unless overridden, says nothing.
        """
        return None

    # What is wrong

    def found(self, stories: tuple[Story, ...]) -> None:
        """Something is violated: fail with the story, confirmed in plain semantics.

        Raises:
            Refuted: always.
        """
        __tracebackhide__ = True
        story = stories[0]
        prop = self.places.properties[story.number]
        steps = story.steps(self.places)
        start = self.places.state(story.places[0])
        system = self.case.scenario.system
        trace = counterexample(system, prop, steps, story.loop_start, start)
        raise Refuted(self.case, prop, trace)

    def teardown(self) -> None:
        """Let controllers come to rest, unless the run has failed; then give it as a program."""
        error = sys.exc_info()[1]
        if error is None:
            self._end()
        elif isinstance(error, Exception) and not isinstance(error, HypothesisException):
            self._give_program(error)

    def _end(self) -> None:
        if self.places.properties:
            try:
                super().teardown()
            except Refuted as refuted:
                self._give_program(refuted)
                raise
        score = self.score()
        if score is not None:
            target(score, label=f"score of {type(self).__name__}")

    def _give_program(self, error: Exception) -> None:
        """Print it: by the plugin of pytest where there is one, which indents nothing."""
        if not current_build_context().is_final:
            return
        if isinstance(error, Refuted):
            text = program_of_run(self.case, error.property, error.trace)
        else:
            text = program_of_machine(self, error)
        if SERVED:
            vars(error)[PROGRAM] = text
        else:
            note(f"{PROGRAM_TITLE}:\n\n{text}")

    @contextmanager
    def _calling(self, name: str, arguments: dict[str, Any]) -> Iterator[None]:
        """A rule of the subclass at work: it is in the log, its steps are not."""
        if not self._inside:
            self.log.append(Call(name, arguments))
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1


def _watched(case: api.Case) -> tuple[Property, ...]:
    """The properties but for those that are expected to be violated."""
    expect = case.check.spec.expect
    return tuple(prop for prop in case.properties if expect.get(prop.id) != "violated")


def _is_stepwise(method: Any) -> bool:
    """Whether it is an invariant of ours, and not one that something was put upon."""
    return method is not None and getattr(method, _STEPWISE, None) is method


def rule(**arguments: Any) -> Callable[[Function], Function]:
    """The same as Hypothesis' ``rule``; what it decorates is a line of the printed program."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def called(machine: ControlPlane, **drawn: Any) -> Any:
            __tracebackhide__ = True
            with machine._calling(function.__name__, drawn):  # noqa: SLF001 - of this module
                return function(machine, **drawn)

        make: Callable[..., Any] = stateful.rule
        return cast("Function", make(**arguments)(called))

    return decorate


def invariant() -> Callable[[Function], Function]:
    """The same as Hypothesis' ``invariant``, and checked in every step between the rules too.

    While a rule of the subclass is at work it is not, as the rule may have done but half of it;
    nor where Hypothesis' ``precondition`` is put upon it.
    """

    def decorate(function: Function) -> Function:
        make: Callable[..., Any] = stateful.invariant
        decorated = make()(function)
        setattr(decorated, _STEPWISE, decorated)
        return cast("Function", decorated)

    return decorate
