"""What the volumes of a pod ask of a node, and what the scheduler writes for them.

A claim that waits for its first consumer is served for the node that is chosen: a volume of the
input is reserved for it, or the node is written into its annotation, and a provisioner makes one.
The pod is bound in the same step here, as in `rules`: what follows is for its node. Source:
pkg/scheduler/framework/plugins/volumebinding (``AssumePodVolumes``, ``BindPodVolumes``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubelemma.model.cluster.shelves import shelf_of
from kubelemma.model.cluster.stocking import stock_of
from kubelemma.model.cluster.storage import NONE, STORED, USERS, ClaimState, Stock, Stored
from kubelemma.model.cluster.world import PodClass, World

from .decision.nodeinfo import NodeInfo
from .decision.status import SUCCESS, Status
from .decision.volumes import ONE_POD, filter_node, pre_filter, size, smallest_match


@dataclass(frozen=True, slots=True)
class Wants:
    """The claims of the pods of a class.

    ``waiting`` are those that may be served for the node that is chosen; ``single``: whether some
    are for one pod at a time; ``limited``: whether nodes take a limited number of their volumes.
    """

    stock: Stock
    pod_class: PodClass
    claims: tuple[int, ...]
    waiting: tuple[int, ...]
    single: bool
    limited: bool

    @property
    def reads(self) -> tuple[str, ...]:
        """The summaries that `status` wants."""
        users = (USERS,) if self.single else ()
        return (STORED, *users) if self.claims else ()

    @property
    def counts(self) -> bool:
        """Whether it matters which pods are on a node."""
        return self.limited

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of the claims and volumes that the scheduler writes."""
        claims, volumes = self.stock.claims, self.stock.volumes
        free = {v for claim in self.waiting for v in claims[claim].candidates}
        own = (claims[claim].cell for claim in self.waiting)
        return (*own, *(volumes[v].cell for v in sorted(free)))

    def status(self, info: NodeInfo, *seen: Any) -> Status:
        """What the plugins of volumes say of a node, given what ``reads`` names."""
        if not self.claims:
            return SUCCESS
        stored, *others = seen
        shelf = shelf_of(self.stock, stored)
        counts = others[0] if others else ()
        keys = (claim.key for claim in self.stock.claims)
        users = dict(zip(keys, counts, strict=False))
        return filter_node(pre_filter(self.pod_class.pod, shelf), info, users, shelf)

    def reserved(self, shape: int, states: tuple[Any, ...], *seen: Any) -> Mapping[str, Any]:
        """What is written for the claims that wait, where a node of this shape is chosen."""
        if not self.waiting:
            return {}
        stored = next(each for each in seen if isinstance(each, Stored))
        before = dict(zip(self.cells, states, strict=True))
        return dict(self._writes(shape, before, stored))

    def _writes(
        self, shape: int, before: Mapping[str, Any], stored: Stored
    ) -> Iterator[tuple[str, Any]]:
        """In the order of what claims ask for: the smallest is served first."""
        shelf, node = shelf_of(self.stock, stored), self.stock.nodes[shape]
        names = [volume.name for volume in self.stock.volumes]
        taken: set[str] = set()
        asked = {
            index: shelf.claims[self.stock.claims[index].key]
            for index in self.waiting
            if stored.claims[index].volume == NONE
        }
        for index, claim in sorted(asked.items(), key=lambda item: size(item[1])):
            match = (
                None
                if stored.claims[index].node != NONE
                else smallest_match(claim, node, shelf, taken)
            )
            if match is not None:
                taken.add(match.metadata.name)
                cell = self.stock.volumes[names.index(match.metadata.name)].cell
                yield cell, before[cell]._replace(claim=index)
            else:
                cell = self.stock.claims[index].cell
                state: ClaimState = before[cell]
                yield cell, state._replace(node=shape)


def wants_of(world: World, pod_class: PodClass) -> Wants:
    """What the volumes of the pods of a class ask for."""
    stock = stock_of(world)
    claims = stock.uses[pod_class.index] if stock else ()
    found = [(index, stock.claims[index]) for index in claims]
    given = [claim.claim for _, claim in found if claim.claim is not None]
    limits = any(
        driver.allocatable is not None
        for node in stock.storage.csi_nodes
        for driver in node.spec.drivers
    )
    return Wants(
        stock,
        pod_class,
        claims,
        tuple(
            index
            for index, claim in found
            if claim.waits and (claim.wanted == NONE or claim.template is not None)
        ),
        any(ONE_POD in (claim.spec.access_modes or ()) for claim in given),
        limits and bool(claims),
    )
