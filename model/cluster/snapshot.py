"""A state in Kubernetes' terms: its owners of pods, queues, syncs, nodes and pods.

Whoever tells, draws or judges a state reads it here, and need not know where in it things are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from kubelemma.model.system import State, System

from .state import Counts, DeploymentState, Marks, NodeState, OwnerState, Queue, SetState, Sync
from .world import NODES, Workload, World

NOWHERE = ""
"""The node of a pod that has none."""
PENDING = -1
"""The phase of a pod that has no node."""


class Place(NamedTuple):
    """Where pods of one class may be: on a node (by name, `NOWHERE` for none), in a phase.

    ``marks`` says what somebody has in mind for them, as in `Marks`.
    """

    pod_class: int
    node: str
    phase: int
    marks: int = 0


class Setup(Protocol):
    """What a state is a state of; ``node_names`` are by position within the family of nodes."""

    @property
    def world(self) -> World:
        """What does not change."""

    @property
    def system(self) -> System:
        """What changes, and how."""

    @property
    def node_names(self) -> tuple[str, ...]:
        """What the nodes are called."""


SetupT_co = TypeVar("SetupT_co", bound=Setup, covariant=True)


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[SetupT_co]):
    """One state of a scenario."""

    scenario: SetupT_co
    state: State

    @property
    def world(self) -> World:
        """What does not change."""
        return self.scenario.world

    # What the model itself holds, by name

    def value(self, cell: str) -> Any:
        """What a cell holds."""
        return self.state[self.scenario.system.positions[cell].start]

    def summed(self, name: str) -> Any:
        """What a tally or best comes to."""
        return self.scenario.system.summary(self.state)[name]

    # Workloads

    def owner(self, workload: Workload) -> OwnerState:
        """What the API has of an owner of pods."""
        found: OwnerState = self.value(workload.cell)
        return found

    def deployment(self, workload: Workload) -> DeploymentState:
        """What the API has of a Deployment and its ReplicaSets.

        Raises:
            TypeError: the workload is none.
        """
        found = self.owner(workload)
        if not isinstance(found, DeploymentState):
            raise TypeError(f"{workload.cell} is no Deployment")
        return found

    def replica_set(self, workload: Workload, template: int) -> SetState | None:
        """What the API has of the ReplicaSet of a template; None where it does not exist."""
        sets = self.owner(workload).sets
        return next((found for found in sets if found.template == template), None)

    def queue(self, workload: Workload) -> Queue:
        """The pods of a workload that have no node."""
        found: Queue = self.value(workload.queue)
        return found

    def sync(self, workload: Workload, template: int) -> Sync:
        """What the ReplicaSet controller has in hand for a template."""
        found: Sync = self.value(workload.sync(template))
        return found

    def counts(self, workload: Workload, what: str) -> Counts:
        """One of the sums of a workload's pods by template, such as those that are ``active``."""
        found: Counts = self.summed(workload.tally(what))
        return found

    # What a step is about, given the positions that it was tried on

    def touched(self, positions: Iterable[int], *cells: str) -> bool:
        """Whether it was tried on one of these cells."""
        at = self.scenario.system.positions
        return not {at[cell].start for cell in cells}.isdisjoint(positions)

    def touched_workloads(self, positions: tuple[int, ...]) -> tuple[Workload, ...]:
        """The workloads that have a cell there."""
        return tuple(w for w in self.world.workloads if self.touched(positions, *w.cells))

    def touched_nodes(self, positions: Iterable[int]) -> tuple[str, ...]:
        """The nodes that are there, by name."""
        nodes = self.scenario.system.positions[NODES]
        return tuple(self.scenario.node_names[at - nodes.start] for at in positions if at in nodes)

    # Nodes and pods

    def nodes(self) -> dict[str, NodeState]:
        """The nodes by name, in the order in which the state has them."""
        at = self.scenario.system.positions[NODES]
        return dict(zip(self.scenario.node_names, self.state[at.start : at.stop], strict=True))

    def places(self) -> Mapping[Place, int]:
        """How many pods are where."""
        return dict((*self._without_node(), *self._on_nodes()))

    def _without_node(self) -> Iterator[tuple[Place, int]]:
        for workload in self.world.workloads:
            for pod_class, free, chosen in zip(
                workload.classes, *self.queue(workload), strict=True
            ):
                if free:
                    yield Place(pod_class, NOWHERE, PENDING), free
                if chosen:
                    yield Place(pod_class, NOWHERE, PENDING, Marks.CHOSEN), chosen

    def _on_nodes(self) -> Iterator[tuple[Place, int]]:
        for name, node in self.nodes().items():
            for group in node.pods:
                yield Place(group.pod_class, name, group.phase, group.marks), group.size
