"""ReplicaSets as keys in their controller's queue: what it reads, and what it has in hand."""

from __future__ import annotations

from typing import NamedTuple

from kubelemma.model.cluster.state import IDLE, Status, Sync
from kubelemma.model.cluster.world import Workload, World

REPLICASET = "replicaset-controller"
REPLICATION = "replication-controller"
"""The same code, which works on ReplicationControllers."""


def actor_of(workload: Workload) -> str:
    """Who sees to the pods of a workload."""
    return REPLICATION if workload.kind == "ReplicationController" else REPLICASET


class Owned(NamedTuple):
    """The pods of one ReplicaSet: active ones, those available, and those chosen as victims."""

    active: int
    available: int
    chosen: int


class Shown(NamedTuple):
    """A ReplicaSet as the API has it; ``replicas`` is -1 where there is none.

    ``renewed``: whether another template has been applied to it.
    """

    replicas: int
    status: Status
    renewed: bool = False


class Key(NamedTuple):
    """One ReplicaSet, which is one key in the controller's queue, whether it exists or not."""

    world: World
    workload: Workload
    template: int

    @property
    def pod_class(self) -> int:
        """The class of the pods that it creates."""
        return self.workload.classes[self.template]

    @property
    def members(self) -> tuple[int, ...]:
        """The classes of all of its pods, those of others that it has adopted among them."""
        return self.workload.members(self.template)

    @property
    def cell(self) -> str:
        """The name of the cell with what the controller has in hand for it."""
        return self.workload.sync(self.template)

    @property
    def about(self) -> tuple[tuple[str, int], ...]:
        """The argument of steps that are about one of its pods."""
        return (("class", self.pod_class),)


def owned_name(workload: Workload, template: int) -> str:
    """The name of the tally of the pods of one ReplicaSet."""
    return workload.tally(f"pods of template {template}")


def shown_name(workload: Workload, template: int) -> str:
    """The name of the tally of one ReplicaSet's size and status."""
    return workload.tally(f"ReplicaSet of template {template}")


def due_name(workload: Workload, template: int) -> str:
    """The name of the tally of the victims on nodes that are still to be chosen."""
    return workload.tally(f"victims to choose of template {template}")


def victim_name(workload: Workload, template: int) -> str:
    """The name of the best that ranks the victims of one ReplicaSet."""
    return workload.tally(f"first victim among template {template}")


def under_way(sync: Sync, owned: Owned) -> bool:
    """Whether a sync has begun and has still something to write.

    Caches are current: what the controller expects to see is what it has yet to write.
    """
    return sync != IDLE or owned.chosen > 0
