"""The selector of whatever a pod belongs to, for the system's default spread constraints.

Source: pkg/scheduler/framework/plugins/helper/spread.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service

from .selectors import requirements, requires

OWNER_KINDS = ("ReplicaSet", "ReplicationController", "StatefulSet")


class Workload(NamedTuple):
    """The identity of an object that may own pods: one of ``OWNER_KINDS``, namespace and name."""

    kind: str
    namespace: str
    name: str


def controller_of(pod: Pod) -> Workload | None:
    """The managing owner of the pod, if it has one."""
    owners = pod.metadata.owner_references or ()
    controller = next((owner for owner in owners if owner.controller), None)
    if controller is None:
        return None
    return Workload(controller.kind, pod.metadata.namespace, controller.name)


def _selects(service: Service, pod: Pod) -> bool:
    wanted, labels = service.spec.selector, pod.metadata.label_map()
    if wanted is None or service.metadata.namespace != pod.metadata.namespace:
        return False
    return all(labels.get(key) == value for key, value in wanted.items())


def default_selector(
    pod: Pod, services: Iterable[Service], workloads: Mapping[Workload, LabelSelector]
) -> LabelSelector | None:
    """What all Services of the pod and its managing workload select together.

    ``workloads`` gives the selector of each ReplicaSet, ReplicationController and StatefulSet.
    The result has no requirement where the pod belongs to nothing.
    """
    merged = {
        key: value
        for service in services
        if _selects(service, pod)
        for key, value in (service.spec.selector or {}).items()
    }
    owner = controller_of(pod)
    managed = workloads.get(owner) if owner else None
    return requires(LabelSelector(match_labels=merged), *requirements(managed))
