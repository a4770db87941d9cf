"""What a system is assembled from: a world, a start, what may happen, and how it is explored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from .forgetting import Forgetting
from .state import NodeState, OwnerState, Queue
from .world import Workload, World


@dataclass(frozen=True, slots=True)
class Start:
    """The initial values: two for each workload, and all nodes. No sync is under way.

    There is no owner of pods that nobody owns.
    """

    owners: tuple[OwnerState | None, ...]
    queues: tuple[Queue, ...]
    nodes: tuple[NodeState, ...]

    def replicas(self, workload: Workload) -> int:
        """For how many pods a workload asks."""
        owner = self.owners[workload.index]
        return 0 if owner is None else owner.replicas

    @property
    def comes(self) -> bool:
        """Whether workloads come that are not there yet."""
        return any(owner is not None and owner.absent for owner in self.owners)


class Event(NamedTuple):
    """Something that users or faults may do, at most ``budget`` times.

    ``action`` is that of an `EventKind` of some component; ``workload`` the index of the workload
    meant, or -1; ``node`` the name of the node meant, empty for any; ``value`` the new number of
    replicas for ``scale``; ``options`` how it is done, as the component that has it declares.
    """

    action: str
    budget: int
    workload: int = -1
    node: str = ""
    value: int = 0
    options: Any = None


@dataclass(frozen=True, slots=True)
class Choices:
    """How the scenario is explored: whether scores decide, and how many pods a workload may have.

    Pods that terminate count for ``max_pods``: states beyond it are not left. ``every_write`` is
    for recorded runs: also writes are told apart that come late and change no verdict.
    """

    scoring: bool = False
    max_pods: int = 1000
    every_write: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """All that components are asked about.

    ``loaded`` is what is reconciled, by users' code and by components; ``forgets`` what the
    controllers of the controller manager lose when it restarts, the last first.
    """

    world: World
    start: Start
    events: tuple[Event, ...] = ()
    choices: Choices = Choices()
    loaded: Any = None
    forgets: tuple[Forgetting, ...] = ()

    def may_happen(self, *actions: str) -> bool:
        """Whether one of these events is among those of the scenario."""
        return any(event.action in actions for event in self.events)
