"""One run of a scenario, step by step: nothing is searched, everything is plain semantics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, Unpack

from kubelemma import api
from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.manifests import did_you_mean
from kubelemma.model.system import State
from kubelemma.model.visible import visible
from kubelemma.properties.statement import Property
from kubelemma.recording import Recording
from kubelemma.reports.narrate import narrate, narrate_steps
from kubelemma.reports.narrate.cast import opening
from kubelemma.reports.narrate.moment import step_text
from kubelemma.solver.replay import refutes, stands_still, step_of
from kubelemma.solver.result import PropertyResult, Trace, TraceStep, Verdict

from .given import Given, Wanted, ask_about
from .telling import story_text
from .view import ClusterView, look

Arguments: TypeAlias = tuple[tuple[str, object], ...]

SETTLING_STEPS = 1000
"""After so many steps in turn, controllers that have not come to rest are given up."""


@dataclass(frozen=True, slots=True)
class Possible:
    """A step that may be taken. ``text`` tells it as a story would, in a sentence."""

    step: TraceStep
    text: str

    @property
    def action(self) -> str:
        """What it does, such as ``drain`` or ``bind``."""
        return str(self.step.outcome.action)

    def __str__(self) -> str:
        return self.text


class Run:
    """One run of a scenario, which a test drives: ``act`` takes a step, ``cluster`` shows where.

    ::

        run = Run("deploy/web.yaml", nodes="count=3,cpu=4", events="rollout=web")
        run.act("rollout")
        run.settle()
        assert run.cluster.deployment("web").complete

    Args:
        *given: as `kubelemma.testing.check` takes it; it must come to one scenario.
        case: a scenario that was asked for already, instead.
        start: which of the states in which it may begin, if there are several.
        **wanted: as `kubelemma.testing.check` takes it.

    Raises:
        InvalidInput: something is wrong with the input.
        ValueError: there are several scenarios.
    """

    def __init__(
        self,
        *given: Given,
        case: api.Case | None = None,
        start: int = 0,
        **wanted: Unpack[Wanted],
    ) -> None:
        self.case = case or one_case(given, wanted)
        self.taken: list[TraceStep] = []
        self.initial = self.case.scenario.system.starts[start]
        self._known = self.initial
        self._cast = opening(self.case.scenario, self._known)
        self._seen = 0

    # Where the run is

    @property
    def state(self) -> State:
        """What the model holds."""
        return self.taken[-1].state if self.taken else self.initial

    @property
    def cluster(self) -> ClusterView:
        """The cluster now; pods keep their names from step to step."""
        for step in self.taken[self._seen :]:
            self._cast, _ = self._cast.follow(self._known, step.state)
            self._known = step.state
        self._seen = len(self.taken)
        return look(self.case.scenario, self.state, self._cast)

    @property
    def trace(self) -> Trace:
        """The run so far."""
        return Trace(self.initial, tuple(self.taken))

    @property
    def at_rest(self) -> bool:
        """Whether nobody but users and faults can act."""
        return stands_still(self.case.scenario.system, self.state)

    @property
    def story(self) -> tuple[str, ...]:
        """The run so far, a sentence for each step."""
        steps = narrate_steps(self.case.scenario, self.trace)
        return tuple(f"{step.actor}: {step.summary}" for step in steps)

    def possible(self, action: str = "") -> tuple[Possible, ...]:
        """The steps that may be taken now, or those of one action, in a fixed order."""
        tell = partial(step_text, self.case.scenario, self.state)
        return tuple(Possible(step, tell(step)) for step in self.steps(action))

    def steps(self, action: str = "") -> Iterator[TraceStep]:
        """The same, not told."""
        for transition in self.case.scenario.system.successors(self.state):
            if action in {"", transition.outcome.action}:
                yield step_of(transition)

    # Steps

    def act(self, action: str, *, rule: str = "", at: Sequence[int] = (), **words: object) -> None:
        """Take a step: the first of those that this describes.

        Args:
            action: what is done, such as ``rollout``, ``drain``, ``create-pod``.
            rule: the rule of the model that does it.
            at: the positions in the state that the rule is tried on.
            **words: ``node="node-1"`` names the node, ``workload="web"`` the workload that is
                meant, ``deployment="web"`` one that is a Deployment;
                everything else is an argument of the action.

        Raises:
            AssertionError: there is no such step; the message lists what is possible.
        """
        __tracebackhide__ = True
        self.append(find_step(self, action, rule=rule, at=at, **words))

    def append(self, step: TraceStep) -> None:
        """Take a step that is known to be possible."""
        self.taken.append(step)

    def settle(self) -> None:
        """Let controllers act, who waited longest first, until only users and faults can.

        Raises:
            AssertionError: they do not come to rest within 1,000 steps.
        """
        __tracebackhide__ = True
        system = self.case.scenario.system
        tasks = {rule.name: rule.fairness for rule in system.rules}
        since: dict[str, int] = {}
        for number in range(SETTLING_STEPS):
            waiting = [t for t in system.successors(self.state) if not t.rule.environment]
            if not waiting:
                return
            chosen = min(waiting, key=lambda t: since.get(tasks[t.rule.name], -1))
            since[tasks[chosen.rule.name]] = number
            self.append(step_of(chosen))
        raise AssertionError(f"controllers do not come to rest within {SETTLING_STEPS} steps")

    # What it shows

    def assert_keeps(
        self, identifier: str, subject: str = "", *, loop_start: int | None = None
    ) -> None:
        """Fail, with the story, where this run is a counterexample to a property.

        An invariant is asked of the last state, a property of steps of the last step. A goal is
        missed where the run has come to rest outside of it; or where the steps from ``loop_start``
        on (counted from 0) could repeat for ever, as the run is back where it was then.

        Raises:
            AssertionError: it is one.
            ValueError: the property is not asked about this scenario.
        """
        __tracebackhide__ = True
        system = self.case.scenario.system
        standstill = loop_start is None and self.at_rest
        trace = replace(self.trace, loop_start=loop_start, standstill=standstill)
        for prop in self._properties(identifier, subject):
            if refutes(system, prop.formula, trace):
                raise AssertionError(refutation(self.case, prop, trace))

    def _properties(self, identifier: str, subject: str) -> list[Property]:
        found = [
            prop
            for prop in self.case.properties
            if prop.id == identifier and subject in {"", prop.subject}
        ]
        if not found:
            known = sorted({prop.id for prop in self.case.properties})
            of = f" of {subject}" if subject else ""
            raise ValueError(
                f"{identifier}{of} is not asked about here{did_you_mean(identifier, known)}: "
                f"there are {', '.join(known)}"
            )
        return found


def one_case(given: Iterable[Given], wanted: Wanted) -> api.Case:
    """The one scenario that is asked about.

    Raises:
        InvalidInput: something is wrong with the input.
        ValueError: there are several scenarios.
    """
    cases = ask_about(given, wanted).cases
    if len(cases) > 1:
        names = ", ".join(case.scenario.name for case in cases)
        asked = any(case.scenario.question for case in cases)
        happening = "say what may happen (events=), " if asked else ""
        raise ValueError(
            f"one scenario is expected, and there are {len(cases)}: {names}; "
            f"{happening}name some as workloads=, or together="
        )
    return cases[0]


def find_step(
    run: Run, action: str, *, rule: str = "", at: Sequence[int] = (), **words: object
) -> TraceStep:
    """The first step of a run that this describes, as `Run.act` has it.

    Raises:
        AssertionError: there is none; the message lists what is possible.
    """
    __tracebackhide__ = True
    found = (
        step
        for step in run.steps(action)
        if rule in {"", step.rule}
        and tuple(at) in {(), step.positions}
        and _meant(run.case, step, words)
    )
    step = next(found, None)
    if step is None:
        described = ", ".join(f"{name}={value}" for name, value in words.items())
        what = f"{action} ({described})" if described else action
        options = (
            "\n".join(visible(f"  {p.action}: {p.text}") for p in run.possible()) or "  nothing"
        )
        raise AssertionError(f"{visible(what)} is not possible here; possible is:\n{options}")
    return step


def _meant(case: api.Case, step: TraceStep, words: dict[str, object]) -> bool:
    """Whether the step is about these objects, and has these arguments."""
    arguments = {**dict(step.outcome.arguments), **_objects(case, step)}
    return all(arguments.get(name) == value for name, value in words.items())


def _objects(case: api.Case, step: TraceStep) -> dict[str, object]:
    """The node and the workload that a step touches."""
    seen = Snapshot(case.scenario, step.state)
    nodes, workloads = seen.touched_nodes(step.positions), seen.touched_workloads(step.positions)
    found: dict[str, object] = {"node": nodes[0]} if nodes else {}
    for workload in workloads[:1]:
        found["workload"] = workload.name
        if workload.kind == "Deployment":
            found["deployment"] = workload.name
    return found


def refutation(case: api.Case, prop: Property, trace: Trace) -> str:
    """Why a run is a counterexample, told."""
    story = narrate(case.scenario, prop, trace)
    return (
        visible(f"{prop.id} is violated for {prop.subject}: {prop.statement.title}")
        + f"\n\n{story_text(story)}"
    )


def recorded(case: api.Case, trace: Trace) -> Recording:
    """The run with its scenario as plain objects that need no file: a Check, and what it is about.

    What was loaded is named, but not in it.
    """
    found = PropertyResult(case.properties[0], Verdict.VIOLATED, trace=trace)
    made = api.recording(api.not_explored(case), found)
    if made is None:
        raise AssertionError("a trace makes a recording")
    return made
