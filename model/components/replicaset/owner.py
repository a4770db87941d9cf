"""What a ReplicaSet or ReplicationController is to a scenario that no other object controls.

Both have the same controller (pkg/controller/replication converts between them).
"""

from __future__ import annotations

from functools import partial

from kubelemma.model.cluster.owners import OwnerKind, Part, controller_of, stamped
from kubelemma.model.cluster.state import LoneState, OwnerState
from kubelemma.model.cluster.world import Workload
from kubelemma.model.objects.controllers import ReplicationController
from kubelemma.model.objects.meta import LabelSelector, OwnerReference
from kubelemma.model.objects.pod import Pod, PodTemplateSpec
from kubelemma.model.objects.workloads import ReplicaSet

Lone = ReplicaSet | ReplicationController


def _replicas(owner: Lone) -> int:
    return owner.spec.replicas or 0


def _template(owner: Lone) -> PodTemplateSpec:
    return owner.spec.template


def _min_ready_seconds(owner: Lone) -> int:
    return owner.spec.min_ready_seconds


def _pod(kind: str, owner: Lone, _template: int) -> Pod:
    source = owner.spec.template
    reference = OwnerReference(
        kind=kind, name=owner.metadata.name, uid=owner.metadata.uid, controller=True
    )
    labels = dict(source.metadata.label_map())
    return stamped(source, owner.metadata.namespace, labels, reference)


def _selector(owner: Lone, _template: int) -> LabelSelector:
    given = owner.spec.selector
    if isinstance(given, LabelSelector):
        return given
    return LabelSelector(match_labels=given)


def _start(workload: Workload, _owner: Lone, _current: int, parts: tuple[Part, ...]) -> LoneState:
    if not parts:
        return LoneState(-1)
    (own,) = parts
    counted = own.active if workload.status_replicas_matter else 0
    return LoneState(own.replicas, counted, own.available)


def _says(_workload: Workload, _state: OwnerState) -> tuple[str, ...]:
    return ()


def _stands_alone(owner: Lone) -> bool:
    return controller_of(owner.metadata) is None


def _owner_kind(kind: str, of: type[Lone]) -> OwnerKind:
    return OwnerKind(
        kind=kind,
        type=of,
        replicas=_replicas,
        template=_template,
        min_ready_seconds=_min_ready_seconds,
        pod=partial(_pod, kind),
        selector=_selector,
        start=_start,
        says=_says,
        stands_alone=_stands_alone,
    )


OWNERS = (
    _owner_kind("ReplicaSet", ReplicaSet),
    _owner_kind("ReplicationController", ReplicationController),
)
