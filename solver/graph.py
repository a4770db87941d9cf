"""The reachable states of a small system as a graph, for people and for other tools.

It follows `System.successors` itself, without tables, and holds canonical states: one for all that
differ by the order within families. Of equal members of a family one is tried, so states and steps
are as many as engines count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import networkx as nx

from kubelemma.model.system import State, System, Transition
from kubelemma.properties.formula import (
    Always,
    Converges,
    EachStep,
    LeadsTo,
    NeverStuck,
    check_formula,
)
from kubelemma.properties.statement import Property

from .replay import is_outside, refutes, step_of
from .result import Trace, TraceStep

Describe: TypeAlias = Callable[[State], str]
"""Gives the text of a state."""

Tell: TypeAlias = Callable[[State, TraceStep], str]
"""Gives the text of a step, from the state before it."""

LIMIT = "limit of states"
"""What a state is cut by if steps to states beyond the limit are left out."""


def plain_state(state: State) -> str:
    """A state as it is, a line for each cell and member."""
    return "\n".join(map(str, state))


def plain_step(_before: State, step: TraceStep) -> str:
    """A step by its action and arguments."""
    arguments = ", ".join(f"{name}={value}" for name, value in step.outcome.arguments)
    return f"{step.outcome.action} {arguments}".rstrip()


def state_graph(
    system: System,
    properties: Sequence[Property] = (),
    *,
    max_states: int = 1000,
    describe: Describe = plain_state,
    tell: Tell = plain_step,
) -> nx.MultiDiGraph[int]:
    """The states that are reachable, at most ``max_states``, in breadth-first order from 0.

    All attributes are strings, integers and booleans; lists are joined by ``, ``.

    States have ``level`` (from 1), ``text``, ``terminal`` (no step leaves it), ``standstill`` (only
    the environment's do), ``reached`` (names of properties of runs whose goal holds in it),
    ``violates`` (names of properties that are false in it; a goal missed at a standstill is one)
    and ``cut_by`` (the bounds that it is outside of, or `LIMIT`; else empty): of a state that is
    cut not all steps are there. A loop that never reaches a goal is not marked, nor is what a
    premise does not lead to: no single state or step is to blame.

    Steps have ``rule``, ``actor``, ``action``, ``arguments``, ``why``, ``environment``, ``text``
    and ``violates``.

    The graph has ``states``, ``steps``, ``goals`` (names of all properties of runs),
    ``cut_states``, and ``complete`` (nothing was cut).

    Raises:
        ValueError: ``max_states`` is less than 1.
        ModelError: the system contradicts its own declarations, or a property looks at what it
            does not declare.
    """
    if max_states < 1:
        raise ValueError(f"a graph of at most {max_states} states has not even the initial one")
    for prop in properties:
        check_formula(system, prop.formula, f'property "{prop.id}"')
    builder = _Builder(system, dict(zip(names(properties), properties, strict=True)), max_states)
    builder.build(describe, tell)
    return builder.graph


def names(properties: Sequence[Property]) -> tuple[str, ...]:
    """What properties are called in a graph: by their identifier, and subject where that is due."""
    ids = [prop.id for prop in properties]
    return tuple(
        prop.id if ids.count(prop.id) == 1 else f"{prop.id} of {prop.subject}"
        for prop in properties
    )


class _Builder:
    """A graph in the making: ``numbers`` knows the states, in the order in which they are left."""

    def __init__(self, system: System, properties: dict[str, Property], max_states: int) -> None:
        self.graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        self._system = system
        self._properties = properties
        self._max_states = max_states
        self._numbers: dict[State, int] = {}

    def build(self, describe: Describe, tell: Tell) -> None:
        """Follow all steps from the initial states on."""
        graph = self.graph
        waiting = [self._system.canonical(s) for s in self._system.starts[: self._max_states]]
        for state in waiting:
            self._add(state, 1, describe)
        for number, state in enumerate(waiting):
            node = graph.nodes[number]
            for transition in self._steps(number, state):
                after = self._system.canonical(transition.state)
                if after not in self._numbers:
                    if len(waiting) == self._max_states:
                        node["cut_by"] = LIMIT
                        continue
                    self._add(after, node["level"] + 1, describe)
                    waiting.append(after)
                step = step_of(transition)
                self._link(number, self._numbers[after], state, step, tell(state, step))
        self._sum_up()

    def _sum_up(self) -> None:
        cut = sum(1 for _, by in self.graph.nodes(data="cut_by") if by)
        runs = (
            name
            for name, prop in self._properties.items()
            if isinstance(prop.formula, NeverStuck | Converges | LeadsTo)
        )
        self.graph.graph.update(
            states=len(self.graph),
            steps=self.graph.size(),
            goals=", ".join(runs),
            cut_states=cut,
            complete=not cut,
        )

    def _add(self, state: State, level: int, describe: Describe) -> None:
        number = self._numbers[state] = len(self._numbers)
        outside = (
            bound.name
            for bound in self._system.bounds
            if not all(bound.within(*seen) for seen in self._system.look(bound.view, state))
        )
        self.graph.add_node(
            number,
            level=level,
            text=describe(state),
            terminal=False,
            standstill=False,
            reached="",
            violates="",
            cut_by=", ".join(outside),
        )

    def _steps(self, number: int, state: State) -> Iterator[Transition]:
        """The steps to follow from a state; notes what can be said of the state by then."""
        node = self.graph.nodes[number]
        steps = () if node["cut_by"] else tuple(distinct_steps(self._system, state))
        if not node["cut_by"]:
            node["terminal"] = not steps
            node["standstill"] = all(step.rule.environment for step in steps)
        reached, violated = self._judged(state, stuck=node["standstill"])
        node.update(reached=", ".join(reached), violates=", ".join(violated))
        return iter(steps)

    def _judged(self, state: State, *, stuck: bool) -> tuple[list[str], list[str]]:
        """The names of the goals that hold in a state, and of the properties that are false."""
        reached, violated = [], []
        for name, prop in self._properties.items():
            match prop.formula:
                case Always():
                    if refutes(self._system, prop.formula, Trace(state, ())):
                        violated.append(name)
                case NeverStuck() | Converges():
                    if not is_outside(self._system, prop.formula, state):
                        reached.append(name)
                    elif stuck:
                        violated.append(name)
                case LeadsTo():
                    if prop.formula.met_in(self._system, state):
                        reached.append(name)
                case EachStep():
                    pass  # said of steps
        return reached, violated

    def _link(self, source: int, target: int, before: State, step: TraceStep, text: str) -> None:
        violated = (
            name
            for name, prop in self._properties.items()
            if isinstance(prop.formula, EachStep)
            and refutes(self._system, prop.formula, Trace(before, (step,)))
        )
        self.graph.add_edge(
            source,
            target,
            rule=step.rule,
            actor=step.actor,
            action=str(step.outcome.action),
            arguments=", ".join(f"{name}={value}" for name, value in step.outcome.arguments),
            why=step.outcome.why,
            environment=step.environment,
            text=text,
            violates=", ".join(violated),
        )


def distinct_steps(system: System, state: State) -> Iterator[Transition]:
    """The steps from a canonical state; of equal members of a family only the first is tried."""
    repeated = {
        p
        for family in system.families
        for p in system.positions[family.name][1:]
        if state[p] == state[p - 1]
    }
    return (step for step in system.successors(state) if repeated.isdisjoint(step.positions))
