"""What becomes of the claims of pods that a scale-down deletes (``whenScaled``).

With the policy Delete a sync gives the claims of a pod that it is about to delete a reference to
the pod; once the pod is gone, the garbage collector deletes them. A pod that is there and asked for
again has its claims' references taken away. Of pods that wait for their turn to be deleted the
references are written when it comes; the real controller writes all of them before the first.

Source: pkg/controller/statefulset/stateful_pod_control.go, ``UpdatePodClaimForRetentionPolicy``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kubelemma.model.cluster.state import StatefulSetState
from kubelemma.model.cluster.storage import ClaimState
from kubelemma.model.cluster.world import Workload
from kubelemma.model.components.garbagecollector.rules import GARBAGE_COLLECTOR
from kubelemma.model.system import Outcome, Rule

from .actions import COLLECT_CLAIM, CONDEMN_CLAIM, KEEP_CLAIM
from .claims import Owned
from .keys import IDLE, STATEFULSET, Aim, Pods, SetSync, Shown, due, pods_name, sync_name


def rules(workload: Workload, owned: Owned) -> Iterator[Rule]:
    """The rules of each claim of a set that deletes claims."""
    pods = (pods_name(workload),)
    own = (workload.cell, sync_name(workload))
    for ordinal, claims in owned.of.items():
        for index in claims:
            claim = owned.stock.claims[index]
            cells, writes = (*own, claim.cell), (claim.cell,)
            condemn = partial(_condemn, workload, ordinal, index, claim.cell)
            keep = partial(_keep, workload, ordinal, index, claim.cell)
            collect = partial(_collect, ordinal, index, claim.cell)
            yield Rule(f"condemn {claim.label}", STATEFULSET, cells, condemn, writes=writes)
            yield Rule(f"keep {claim.label}", STATEFULSET, cells, keep, pods, writes=writes)
            yield Rule(f"collect {claim.label}", GARBAGE_COLLECTOR, writes, collect, pods)


def _condemn(  # noqa: PLR0917 - what is bound comes first
    workload: Workload,
    ordinal: int,
    index: int,
    cell: str,
    state: StatefulSetState,
    sync: SetSync,
    claim: ClaimState,
) -> Iterator[Outcome]:
    if not claim.present or claim.condemned or not workload.updates[state.strategy].deletes_claims:
        return
    going = (write.ordinal for write in due(workload, state, sync) if write.aim == Aim.SCALE_DOWN)
    if ordinal in going:
        why = "its pod is about to be deleted, and whenScaled is Delete"
        writes = {cell: claim._replace(condemned=True)}
        yield Outcome(CONDEMN_CLAIM, writes, (("claim", index),), why)


def _keep(  # noqa: PLR0917 - what is bound comes first
    workload: Workload,
    ordinal: int,
    index: int,
    cell: str,
    state: StatefulSetState,
    sync: SetSync,
    claim: ClaimState,
    pods: Pods,
) -> Iterator[Outcome]:
    if not (claim.present and claim.condemned) or sync != IDLE or state.absent:
        return
    updates = workload.updates[state.strategy]
    wanted = range(updates.start, updates.start + state.replicas)
    available = {pod.ordinal for pod in pods if pod.shown is Shown.AVAILABLE}
    lower = range(updates.start, ordinal + 1) if updates.ordered else ()
    there = any(p.ordinal == ordinal and p.shown is not Shown.TERMINATING for p in pods)
    if there and ordinal in wanted and available.issuperset(lower):
        writes = {cell: claim._replace(condemned=False)}
        yield Outcome(KEEP_CLAIM, writes, (("claim", index),), "its pod is asked for again")


def _collect(
    ordinal: int, index: int, cell: str, claim: ClaimState, pods: Pods
) -> Iterator[Outcome]:
    there = any(pod.ordinal == ordinal for pod in pods)
    if claim.present and claim.condemned and not claim.deleted and not there:
        writes = {cell: claim._replace(deleted=True)}
        yield Outcome(COLLECT_CLAIM, writes, (("claim", index),), "the pod that owns it is gone")
