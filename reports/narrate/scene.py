"""What tellers are shown: a step, the end of a run, and a state that belies a promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.cluster.state import NodeState
from kubelemma.model.cluster.world import PodClass, Workload, World
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import Action
from kubelemma.properties.statement import Property
from kubelemma.reports.story import Fact
from kubelemma.solver.result import TraceStep

from .cast import Cast, Move
from .written import Written

Seen: TypeAlias = Snapshot[Scenario]
"""A state of a scenario."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A step between two states, and the pods that it touched."""

    before: Seen
    after: Seen
    step: TraceStep
    moves: tuple[Move, ...]
    written: Written

    @property
    def scenario(self) -> Scenario:
        """The scenario that the step is part of."""
        return self.before.scenario

    @property
    def world(self) -> World:
        """What does not change."""
        return self.before.world

    @property
    def action(self) -> Action:
        """What was done."""
        return self.step.outcome.action

    def argument(self, name: str, otherwise: int = -1) -> int:
        """A number among the step's arguments."""
        return int(str(dict(self.step.outcome.arguments).get(name, otherwise)))

    @property
    def pod_class(self) -> PodClass | None:
        """The class of the pods that the step is about."""
        index = self.argument("class")
        return self.world.classes[index] if index >= 0 else None

    @property
    def workload(self) -> Workload | None:
        """The workload that the step is about."""
        if self.pod_class is not None:
            return self.world.workloads[self.pod_class.workload]
        return next(iter(self.before.touched_workloads(self.step.positions)), None)

    @property
    def rewritten(self) -> tuple[Workload, ...]:
        """The workloads whose objects it may have written, or one of whose pods it is about."""
        at, about = self.step.positions, self.argument("class")
        workloads = self.world.workloads
        return tuple(
            w
            for w in workloads
            if (w.templates and self.before.touched(at, w.cell)) or about in w.classes
        )

    @property
    def template(self) -> int:
        """The template of the owner or the pods that the step is about, -1 for none."""
        return self.pod_class.template if self.pod_class is not None else self.argument("template")

    @property
    def node(self) -> tuple[str, NodeState] | None:
        """The node that the step is about, as it was before, by name."""
        name = next(iter(self.node_names), None)
        return None if name is None else (name, self.before.nodes()[name])

    @property
    def node_names(self) -> tuple[str, ...]:
        """The nodes that the step was tried on."""
        return self.before.touched_nodes(self.step.positions)


@dataclass(frozen=True, slots=True)
class Standstill:
    """The end of a run in which nobody can act any more, with the names of its pods."""

    seen: Seen
    last: Cast
    written: Written

    @property
    def world(self) -> World:
        """What does not change."""
        return self.seen.world

    def acts(self, actor: str) -> bool:
        """Whether somebody has anything to do in the scenario at all."""
        return any(rule.actor == actor for rule in self.seen.scenario.system.rules)


@dataclass(frozen=True, slots=True)
class Belied:
    """The state in which a property is belied, the one before it, and after how many steps."""

    prop: Property
    before: Seen
    seen: Seen
    step: int
    written: Written

    @property
    def world(self) -> World:
        """What does not change."""
        return self.seen.world

    @property
    def workload(self) -> Workload | None:
        """The workload that the property is about."""
        return next((w for w in self.world.workloads if w.cell == self.prop.subject), None)


class Claim(NamedTuple):
    """A promise with its values in one sentence, and what they are."""

    sentence: str
    terms: tuple[Fact, ...]


class _OfSomebody(Protocol):
    @property
    def workload(self) -> Workload | None: ...


SomebodyT = TypeVar("SomebodyT", bound=_OfSomebody)
ToldT = TypeVar("ToldT")


def about_workload(
    tell: Callable[[SomebodyT, Workload], Iterator[ToldT]],
) -> Callable[[SomebodyT], Iterator[ToldT]]:
    """Tell of the workload that something is about; nothing where it is about none."""

    @wraps(tell)
    def told(shown: SomebodyT) -> Iterator[ToldT]:
        if shown.workload is not None:
            yield from tell(shown, shown.workload)

    return told
