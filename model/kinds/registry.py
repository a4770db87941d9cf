"""All kinds that are read, be it for checks or for placement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from kubelemma.model.findings import Finding
from kubelemma.model.objects.meta import ApiObject

from . import (
    configmap,
    csidriver,
    csinode,
    csistoragecapacity,
    daemonset,
    deployment,
    endpoints,
    endpointslice,
    ingress,
    ingressclass,
    job,
    limitrange,
    namespace,
    networkpolicy,
    node,
    persistentvolume,
    persistentvolumeclaim,
    pod,
    poddisruptionbudget,
    priorityclass,
    replicaset,
    replicationcontroller,
    runtimeclass,
    secret,
    service,
    statefulset,
    storageclass,
    volumeattachment,
)
from .kind import Kind, Stamp
from .other import OTHER

ObjectT = TypeVar("ObjectT", bound=ApiObject)

KINDS: tuple[Kind[Any], ...] = (
    deployment.KIND,
    replicaset.KIND,
    replicationcontroller.KIND,
    statefulset.KIND,
    daemonset.KIND,
    job.KIND,
    pod.KIND,
    node.KIND,
    namespace.KIND,
    service.KIND,
    endpoints.KIND,
    endpointslice.KIND,
    ingress.KIND,
    ingressclass.KIND,
    networkpolicy.KIND,
    poddisruptionbudget.KIND,
    priorityclass.KIND,
    runtimeclass.KIND,
    configmap.KIND,
    secret.KIND,
    limitrange.KIND,
    persistentvolume.KIND,
    persistentvolumeclaim.KIND,
    storageclass.KIND,
    csinode.KIND,
    csidriver.KIND,
    csistoragecapacity.KIND,
    volumeattachment.KIND,
)

BY_NAME: Mapping[str, Kind[Any]] = MappingProxyType({kind.name: kind for kind in KINDS})
_BY_STRUCT: Mapping[type, Kind[Any]] = {kind.struct: kind for kind in KINDS}

KNOWN = frozenset((*BY_NAME, *(name for other in OTHER for name in other.names)))
"""The names of all kinds of Kubernetes itself."""

CLUSTER_SCOPED = frozenset(
    (
        *(kind.name for kind in KINDS if not kind.namespaced),
        *(name for other in OTHER if not other.namespaced for name in other.names),
    )
)
"""Those that live outside namespaces."""


ON_EACH_NODE = frozenset(
    kind.name for kind in KINDS if kind.stamp is not None and kind.stamp.wanted is None
)
"""Those whose objects want one pod on each node."""


def kind_of(thing: ApiObject) -> Kind[Any]:
    """The kind of an object."""
    return _BY_STRUCT[type(thing)]


def stamp_of(thing: ApiObject) -> Stamp[Any] | None:
    """How an object makes pods, if it does."""
    return kind_of(thing).stamp


def with_defaults(thing: ObjectT) -> ObjectT:
    """The object as the API server stores it; what is given stays as it is."""
    stored: ObjectT = kind_of(thing).with_defaults(thing)
    return stored


def validate(thing: ApiObject) -> Iterator[Finding]:
    """Everything that the API server would refuse in an object, in a fixed order."""
    return kind_of(thing).validate(thing)


def advise(thing: ApiObject) -> Iterator[Finding]:
    """What the API server accepts in an object, though hardly anybody means it."""
    return kind_of(thing).advice(thing)
