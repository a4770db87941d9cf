"""What becomes of the claims of pods that a scale-down deletes (``whenScaled``).

With the policy Delete a sync that is about to delete pods gives the claims of all that are to go a
reference to their pods; that is one step here. Once a pod is gone, the garbage collector deletes
its claims. From those of a pod that is there and asked for again the reference is taken away.

Source: pkg/controller/statefulset/stateful_pod_control.go, ``UpdatePodClaimForRetentionPolicy``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from kubelemma.model.cluster.state import StatefulSetState
from kubelemma.model.cluster.storage import ClaimState
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.garbagecollector.rules import GARBAGE_COLLECTOR
from kubelemma.model.system import Outcome, Rule

from .actions import COLLECT_CLAIM, CONDEMN_CLAIM, KEEP_CLAIM
from .claims import Owned
from .keys import IDLE, STATEFULSET, Aim, Pods, SetSync, Shown, due, pods_name, sync_name


def rules(workload: Workload, owned: Owned) -> Iterator[Rule]:
    """The rules of the claims of a set that deletes claims."""
    pods = (pods_name(workload),)
    own, every = (workload.cell, sync_name(workload)), owned.cells
    condemn = partial(_condemn, workload, owned)
    name = f"condemn claims of {workload.label}"
    yield Rule(name, STATEFULSET, (*own, *every), condemn, pods, writes=every)
    for ordinal, claims in owned.of.items():
        for index in claims:
            claim = owned.stock.claims[index]
            cells, writes = (*own, claim.cell), (claim.cell,)
            held = Held(workload, ordinal, index, claim.cell)
            yield Rule(f"keep {claim.label}", STATEFULSET, cells, held.keep, pods, writes=writes)
            yield Rule(f"collect {claim.label}", GARBAGE_COLLECTOR, writes, held.collect, pods)


def _condemn(
    workload: Workload, owned: Owned, state: StatefulSetState, sync: SetSync, *seen: Any
) -> Iterator[Outcome]:
    *claims, pods = seen
    going = {write.ordinal for write in due(workload, state, sync) if write.aim == Aim.SCALE_DOWN}
    updates = workload.updates[state.strategy]
    if not going or not updates.deletes_claims:
        return
    wanted = range(updates.start, updates.start + max(0, state.replicas))
    going |= {pod.ordinal for pod in pods if pod.ordinal not in wanted}
    states = dict(zip(owned.cells, claims, strict=True))
    writes: dict[str, ClaimState] = {}
    for ordinal, indices in owned.of.items():
        for index in indices if ordinal in going else ():
            cell = owned.stock.claims[index].cell
            if states[cell].present and not states[cell].condemned:
                writes[cell] = states[cell]._replace(condemned=True)
    if writes:
        first = next(i for i in owned.claims if owned.stock.claims[i].cell in writes)
        why = "their pods are about to be deleted, and whenScaled is Delete"
        yield Outcome(CONDEMN_CLAIM, writes, (("claim", first),), why)


class Held(NamedTuple):
    """A claim of the pod with an ordinal, and its cell."""

    workload: Workload
    ordinal: int
    number: int
    cell: str

    def keep(
        self, state: StatefulSetState, sync: SetSync, claim: ClaimState, pods: Pods
    ) -> Iterator[Outcome]:
        """Its pod is asked for again, and has not been deleted."""
        if not (claim.present and claim.condemned) or sync != IDLE or state.absent:
            return
        updates = self.workload.updates[state.strategy]
        wanted = range(updates.start, updates.start + state.replicas)
        available = {pod.ordinal for pod in pods if pod.shown is Shown.AVAILABLE}
        lower = range(updates.start, self.ordinal + 1) if updates.ordered else ()
        there = any(p.ordinal == self.ordinal and p.shown is not Shown.TERMINATING for p in pods)
        if there and self.ordinal in wanted and available.issuperset(lower):
            writes, why = {self.cell: claim._replace(condemned=False)}, "its pod is asked for again"
            yield Outcome(KEEP_CLAIM, writes, (("claim", self.number),), why)

    def collect(self, claim: ClaimState, pods: Pods) -> Iterator[Outcome]:
        """Nobody owns it any more."""
        there = any(pod.ordinal == self.ordinal for pod in pods)
        if claim.present and claim.condemned and not claim.deleted and not there:
            writes, why = {self.cell: claim._replace(deleted=True)}, "the pod that owns it is gone"
            yield Outcome(COLLECT_CLAIM, writes, (("claim", self.number),), why)
