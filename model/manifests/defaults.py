"""What the API server adds to an object on its way in.

Sources: ``pkg/apis/apps/v1/defaults.go``, ``pkg/apis/core/v1/defaults.go``; sums of requests:
``staging/src/k8s.io/component-helpers/resource/helpers.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar, assert_never, overload

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision.resources import container_requests
from kubelemma.model.objects.controllers import DaemonSet, Job, ReplicationController, StatefulSet
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Namespace, Node
from kubelemma.model.objects.pod import (
    Container,
    ContainerPort,
    Pod,
    PodSpec,
    PodTemplateSpec,
    ResourceRequirements,
)
from kubelemma.model.objects.policies import LimitRange, PriorityClass, RuntimeClass
from kubelemma.model.objects.quantity import IntOrPercent, Quantity
from kubelemma.model.objects.service import Service
from kubelemma.model.objects.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)
from kubelemma.model.objects.workloads import (
    Deployment,
    DeploymentStrategy,
    ReplicaSet,
    RollingUpdateDeployment,
)

from .kinds import ApiObject, Onlooker, Policy, Stored, Templated

DEFAULT_NAMESPACE = "default"
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_QUARTER = IntOrPercent(25, percent=True)
_REVISIONS = 10
_PROGRESS_SECONDS = 600
_GRACE_SECONDS = 30
_OVERCOMMITTED_POD_LEVEL = ("cpu", "memory")

Amounts = Mapping[str, Quantity]
ValueT = TypeVar("ValueT")


@overload
def with_defaults(thing: Deployment) -> Deployment: ...
@overload
def with_defaults(thing: ReplicaSet) -> ReplicaSet: ...
@overload
def with_defaults(thing: Pod) -> Pod: ...
@overload
def with_defaults(thing: Node) -> Node: ...
@overload
def with_defaults(thing: Namespace) -> Namespace: ...
@overload
def with_defaults(thing: Templated) -> Templated: ...
@overload
def with_defaults(thing: Policy) -> Policy: ...
@overload
def with_defaults(thing: Stored) -> Stored: ...
@overload
def with_defaults(thing: Onlooker) -> Onlooker: ...
def with_defaults(thing: ApiObject) -> ApiObject:
    """The object as the API server stores it; what is given stays as it is.

    A template of pods also gets what the API server adds to the pods made from it (requests from
    limits, host ports), so that whoever reads the template reads what its pods will ask for.
    """
    match thing:
        case Deployment():
            return _deployment(thing)
        case ReplicaSet():
            return _replica_set(thing)
        case Pod():
            return replace(
                thing, metadata=_namespaced(thing.metadata), spec=pod_defaults(thing.spec)
            )
        case Node():
            return _node(thing)
        case Namespace():
            labels = {**thing.metadata.label_map(), _NAMESPACE_LABEL: thing.metadata.name}
            return replace(thing, metadata=replace(thing.metadata, labels=labels, namespace=""))
        case StatefulSet() | DaemonSet() | Job() | ReplicationController():
            return _templated(thing)
        case (
            LimitRange()
            | PersistentVolumeClaim()
            | CSIStorageCapacity()
            | Service()
            | PodDisruptionBudget()
        ):
            return replace(thing, metadata=_namespaced(thing.metadata))
        case (
            PriorityClass()
            | RuntimeClass()
            | PersistentVolume()
            | StorageClass()
            | CSINode()
            | CSIDriver()
        ):
            return replace(thing, metadata=replace(thing.metadata, namespace=""))
        case _:
            assert_never(thing)


def pod_defaults(spec: PodSpec) -> PodSpec:
    """A pod's specification as the API server stores it."""
    containers = tuple(_container(c, spec) for c in spec.containers or ())
    init_containers = tuple(_container(c, spec) for c in spec.init_containers or ())
    filled = replace(
        spec,
        containers=containers,
        init_containers=init_containers or spec.init_containers,
        restart_policy=spec.restart_policy or "Always",
        scheduler_name=spec.scheduler_name or "default-scheduler",
        termination_grace_period_seconds=_or(spec.termination_grace_period_seconds, _GRACE_SECONDS),
        overhead=_in_milli(spec.overhead),
    )
    return replace(filled, resources=_pod_level(filled))


def aggregate_requests(spec: PodSpec) -> dict[str, Quantity]:
    """What a pod's containers request together, at most at any moment."""
    needed = container_requests(Pod(spec=spec), "wanted", {})
    return {name: Quantity(amount) for name, amount in needed.items()}


def _deployment(thing: Deployment) -> Deployment:
    spec = replace(
        thing.spec,
        replicas=_or(thing.spec.replicas, 1),
        template=_template(thing.spec.template),
        strategy=_strategy(thing.spec.strategy),
        revision_history_limit=_or(thing.spec.revision_history_limit, _REVISIONS),
        progress_deadline_seconds=_or(thing.spec.progress_deadline_seconds, _PROGRESS_SECONDS),
    )
    return replace(thing, metadata=_namespaced(thing.metadata), spec=spec)


def _replica_set(thing: ReplicaSet) -> ReplicaSet:
    spec = replace(
        thing.spec,
        replicas=_or(thing.spec.replicas, 1),
        template=_template(thing.spec.template),
    )
    return replace(thing, metadata=_namespaced(thing.metadata), spec=spec)


def _templated(thing: Templated) -> Templated:
    """One replica where nothing is said; one pod of a Job at once (``pkg/apis/batch/v1``)."""
    metadata = _namespaced(thing.metadata)
    template = _template(thing.spec.template)
    match thing:
        case DaemonSet():
            return replace(thing, metadata=metadata, spec=replace(thing.spec, template=template))
        case Job():
            parallelism = _or(thing.spec.parallelism, 1)
            job = replace(thing.spec, template=template, parallelism=parallelism)
            return replace(thing, metadata=metadata, spec=job)
        case StatefulSet():
            replicas = _or(thing.spec.replicas, 1)
            stateful = replace(thing.spec, template=template, replicas=replicas)
            return replace(thing, metadata=metadata, spec=stateful)
        case ReplicationController():
            replicas = _or(thing.spec.replicas, 1)
            selector = thing.spec.selector or template.metadata.label_map()
            plain = replace(thing.spec, template=template, replicas=replicas, selector=selector)
            return replace(thing, metadata=metadata, spec=plain)


def _node(thing: Node) -> Node:
    capacity = _in_milli(thing.status.capacity)
    allocatable = _in_milli(_or(thing.status.allocatable, capacity))
    status = replace(thing.status, capacity=capacity, allocatable=allocatable)
    return replace(thing, metadata=replace(thing.metadata, namespace=""), status=status)


def _template(template: PodTemplateSpec) -> PodTemplateSpec:
    return replace(template, spec=pod_defaults(template.spec))


def _strategy(strategy: DeploymentStrategy) -> DeploymentStrategy:
    if strategy.type == "Recreate":
        return strategy
    given = strategy.rolling_update or RollingUpdateDeployment()
    rolling = RollingUpdateDeployment(
        max_surge=_or(given.max_surge, _QUARTER),
        max_unavailable=_or(given.max_unavailable, _QUARTER),
    )
    return DeploymentStrategy(type="RollingUpdate", rolling_update=rolling)


def _container(container: Container, spec: PodSpec) -> Container:
    return replace(
        container,
        resources=_requests_from_limits(container.resources),
        ports=_host_ports(container.ports) if spec.host_network else container.ports,
    )


def _requests_from_limits(resources: ResourceRequirements | None) -> ResourceRequirements | None:
    if resources is None:
        return None
    limits = _in_milli(resources.limits)
    requests = _in_milli(resources.requests)
    if limits is not None:
        requests = {**limits, **(requests or {})}
    return ResourceRequirements(requests=requests, limits=limits)


def _host_ports(ports: tuple[ContainerPort, ...] | None) -> tuple[ContainerPort, ...] | None:
    """On the host's network every port of a container is a port of the host."""
    if ports is None:
        return None
    return tuple(p if p.host_port else replace(p, host_port=p.container_port) for p in ports)


def _pod_level(spec: PodSpec) -> ResourceRequirements | None:
    """Requests of the pod as a whole: its containers' together, or else its own limits."""
    if spec.resources is None:
        return None
    limits = _in_milli(spec.resources.limits)
    requests = dict(_in_milli(spec.resources.requests) or {})
    if limits:
        for name, total in aggregate_requests(spec).items():
            if name in _OVERCOMMITTED_POD_LEVEL:
                requests.setdefault(name, total)
        requests = {**limits, **requests}
    return ResourceRequirements(requests=requests or None, limits=limits)


def _in_milli(amounts: Amounts | None) -> Amounts | None:
    """Amounts rounded up to thousandths, as they are stored."""
    if amounts is None:
        return None
    return {name: Quantity(Fraction(q.milli_value(), 1000)) for name, q in amounts.items()}


def _namespaced(metadata: ObjectMeta) -> ObjectMeta:
    return replace(metadata, namespace=metadata.namespace or DEFAULT_NAMESPACE)


def _or(value: ValueT | None, default: ValueT) -> ValueT:
    return default if value is None else value
