"""What engines answer: verdicts, traces and statistics. Only data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kubelemma.model.system import Outcome, State
from kubelemma.properties.statement import Property


class Verdict(StrEnum):
    """The three answers; inconclusive is never success."""

    HOLDS = "holds"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One concrete step: positions keep their meaning from step to step (nothing is re-sorted)."""

    rule: str
    actor: str
    environment: bool
    positions: tuple[int, ...]
    outcome: Outcome
    state: State


@dataclass(frozen=True, slots=True)
class Trace:
    """A run from an initial state, replayed on the plain semantics.

    ``loop_start`` is None for a finite run. Else the state after the last step equals the state
    before step ``loop_start`` (counted from 0), and the steps from there repeat for ever.
    ``standstill`` says that nobody but the environment can act after the last step.
    """

    initial: State
    steps: tuple[TraceStep, ...]
    loop_start: int | None = None
    standstill: bool = False

    def states(self) -> tuple[State, ...]:
        """The initial state and the state after each step."""
        return (self.initial, *(step.state for step in self.steps))

    @property
    def end(self) -> State:
        """The last state."""
        return self.steps[-1].state if self.steps else self.initial


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """The verdict on one property, with a counterexample where it is violated.

    It is a shortest one, unless it ends in a loop: then it is short.
    """

    property: Property
    verdict: Verdict
    vacuous: bool = False
    trace: Trace | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reduction:
    """A reduction by its name: what it relies on where it was used, or why it was not."""

    name: str
    used: bool
    why: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was covered. Counts are of canonical states (orbits) unless they say otherwise.

    ``out_degree`` is the greatest number of steps from a state. ``tables`` says how many answers
    of the model are kept, by what was asked: how often a controller's rules met other values, how
    many values a tally took. ``remembered`` says that an earlier run found all this: seconds and
    memory are that run's. ``runs`` and ``seed`` are of an engine that draws runs at random.
    ``reductions`` says what was explored in place of the system, where something was: counts are
    then of that, and ``concrete_states`` is 0; and which loops were ruled out.
    """

    states: int = 0
    concrete_states: int = 0
    transitions: int = 0
    depth: int = 0
    terminal_states: int = 0
    cut_states: int = 0
    model_calls: int = 0
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    exhaustive: bool = False
    actions: tuple[tuple[str, int], ...] = ()
    rules_never_fired: tuple[str, ...] = ()
    stopped_by: str | None = None
    out_degree: int = 0
    tables: tuple[tuple[str, int], ...] = ()
    remembered: bool = False
    runs: int = 0
    seed: int | None = None
    reductions: tuple[Reduction, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """All verdicts on one system.

    ``ends`` if it was shown that no run of controllers is endless; whoever has not shown it may
    find the same.
    """

    engine: str
    properties: tuple[PropertyResult, ...]
    statistics: Statistics = field(default_factory=Statistics)
    ends: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Influenced:
    """A property, what it looks at, and the rules that cannot influence it."""

    id: str
    subject: str
    sees: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """A rule, what it looks at, what it may write, and the parts that its answers depended on.

    Parts are paths, with ``[*]`` for whatever place; None if it was not asked.
    """

    rule: str
    sees: tuple[str, ...]
    writes: tuple[str, ...]
    depended_on: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Influence:
    """All of it, with the number of states in which rules were asked."""

    properties: tuple[Influenced, ...]
    rules: tuple[Used, ...]
    states: int
