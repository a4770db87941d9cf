"""What the API server refuses in Deployments, ReplicaSets, Nodes and Namespaces.

Every function yields findings and decides on the object as it is written; where a default matters,
the rule says so. Pods and their templates are in ``pod_validation``.

Sources: ``pkg/apis/apps/validation/validation.go``, ``pkg/apis/core/validation/validation.go``,
``staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from kubelemma.model.objects.controllers import DaemonSet, Job, ReplicationController, StatefulSet
from kubelemma.model.objects.disruption import PodDisruptionBudget, PodDisruptionBudgetSpec
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta
from kubelemma.model.objects.node import Namespace, Node, Taint
from kubelemma.model.objects.pod import Pod, PodSpec, PodTemplateSpec, ResourceRequirements
from kubelemma.model.objects.policies import LimitRange, PriorityClass, RuntimeClass
from kubelemma.model.objects.service import Service, ServiceSpec
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
    DeploymentSpec,
    DeploymentStrategy,
    ReplicaSet,
    ReplicaSetSpec,
)

from .kinds import ApiObject
from .names import dns_label, dns_subdomain, label_key, label_value
from .placed_validation import policy, stored, templated
from .pod_validation import pod_spec
from .problems import FieldPath, Finding, did_you_mean
from .resources import advice, quantities
from .rules import at_least, label_selector, labels, problem

_SPEC: FieldPath = ("spec",)
_TEMPLATE: FieldPath = ("spec", "template")


def validate(thing: ApiObject) -> Iterator[Finding]:
    """Everything that the API server would refuse in an object, in a fixed order."""
    match thing:
        case Deployment():
            yield from _metadata(thing.metadata, dns_subdomain)
            yield from _deployment(thing.spec)
        case ReplicaSet():
            yield from _metadata(thing.metadata, dns_subdomain)
            yield from _workload(thing.spec)
        case Pod():
            yield from _metadata(thing.metadata, dns_subdomain)
            yield from pod_spec(thing.spec, _SPEC)
        case Node():
            yield from _metadata(thing.metadata, dns_subdomain)
            yield from _node(thing)
        case Namespace():
            yield from _metadata(thing.metadata, dns_label)
        case Service() | PodDisruptionBudget():
            yield from _metadata(thing.metadata, dns_subdomain)
            yield from _onlooker(thing.spec)
        case StatefulSet() | DaemonSet() | Job() | ReplicationController():
            yield from _metadata(thing.metadata, dns_subdomain)
            yield from templated(thing)
        case PriorityClass() | RuntimeClass() | LimitRange():
            yield from _metadata(thing.metadata, dns_subdomain)
            yield from policy(thing)
        case (
            PersistentVolume()
            | PersistentVolumeClaim()
            | StorageClass()
            | CSINode()
            | CSIDriver()
            | CSIStorageCapacity()
        ):
            yield from _metadata(thing.metadata, dns_subdomain)
            yield from stored(thing)
        case _:
            assert_never(thing)


def _metadata(metadata: ObjectMeta, name_rule: Callable[[str], str | None]) -> Iterator[Finding]:
    name: FieldPath = ("metadata", "name")
    if metadata.name:
        yield from problem(name, name_rule(metadata.name))
    elif metadata.generate_name:
        yield Finding(name, "is required (generateName finds a name on the server only)")
    else:
        yield Finding(name, "is required")
    if metadata.namespace:
        yield from problem(("metadata", "namespace"), dns_label(metadata.namespace))
    yield from labels(metadata.label_map(), ("metadata", "labels"))


def _deployment(spec: DeploymentSpec) -> Iterator[Finding]:
    yield from _workload(spec)
    yield from _strategy(spec.strategy, (*_SPEC, "strategy"))
    yield from at_least(0, spec.revision_history_limit, (*_SPEC, "revisionHistoryLimit"))
    deadline = spec.progress_deadline_seconds
    path: FieldPath = (*_SPEC, "progressDeadlineSeconds")
    yield from at_least(0, deadline, path)
    if deadline is not None and 0 <= deadline <= spec.min_ready_seconds:
        yield Finding(path, f"{deadline} is not greater than minReadySeconds")


def _workload(spec: DeploymentSpec | ReplicaSetSpec) -> Iterator[Finding]:
    yield from at_least(0, spec.replicas, (*_SPEC, "replicas"))
    yield from at_least(0, spec.min_ready_seconds, (*_SPEC, "minReadySeconds"))
    yield from _selector(spec.selector, spec.template.metadata)
    yield from labels(spec.template.metadata.label_map(), (*_TEMPLATE, "metadata", "labels"))
    yield from _template(spec.template)


def _selector(selector: LabelSelector | None, template: ObjectMeta) -> Iterator[Finding]:
    path: FieldPath = (*_SPEC, "selector")
    if selector is None:
        yield Finding(path, "is required")
    elif selector.is_empty():
        yield Finding(path, "is empty: it would claim every pod of the namespace")
    else:
        yield from label_selector(selector, path)
        yield from _claims_its_own_pods(selector, template)


def _claims_its_own_pods(selector: LabelSelector, template: ObjectMeta) -> Iterator[Finding]:
    path: FieldPath = (*_TEMPLATE, "metadata", "labels")
    given = template.label_map()
    for key, wanted in (selector.match_labels or {}).items():
        if key not in given:
            hint = did_you_mean(key, given)
            yield Finding(path, f"the selector asks for {key}: {wanted}, which is missing{hint}")
        elif given[key] != wanted:
            yield Finding((*path, key), f'"{given[key]}" is not what the selector asks: "{wanted}"')
    for expression in selector.match_expressions or ():
        if not expression.matches(given):
            asked = " ".join((expression.key, expression.operator, *(expression.values or ())))
            yield Finding(path, f"the selector asks for {asked}, which does not hold")


def _template(template: PodTemplateSpec) -> Iterator[Finding]:
    path: FieldPath = (*_TEMPLATE, "spec")
    yield from pod_spec(template.spec, path)
    if template.spec.restart_policy in ("Never", "OnFailure"):
        found = template.spec.restart_policy
        yield Finding((*path, "restartPolicy"), f'"{found}" is not allowed here: only Always is')
    if template.spec.active_deadline_seconds is not None:
        yield Finding(
            (*path, "activeDeadlineSeconds"), "is not allowed here: only in Pods and Jobs"
        )


def _strategy(strategy: DeploymentStrategy, path: FieldPath) -> Iterator[Finding]:
    rolling = strategy.rolling_update
    if rolling is None:
        return
    path = (*path, "rollingUpdate")
    if strategy.type == "Recreate":
        yield Finding(path, "is not allowed with type Recreate (remove it, or the type)")
    surge, unavailable = rolling.max_surge, rolling.max_unavailable
    if surge is not None and unavailable is not None and surge.number == unavailable.number == 0:
        yield Finding(path, "maxSurge and maxUnavailable are both 0: no pod could be replaced")
    if unavailable is not None and unavailable.percent and unavailable.number > 100:  # noqa: PLR2004
        yield Finding((*path, "maxUnavailable"), f'"{unavailable}" is more than 100%')


def _onlooker(spec: ServiceSpec | PodDisruptionBudgetSpec) -> Iterator[Finding]:
    """Source of the second: pkg/apis/policy/validation/validation.go."""
    if isinstance(spec, ServiceSpec):
        yield from labels(spec.selector or {}, (*_SPEC, "selector"))
        return
    if spec.min_available is not None and spec.max_unavailable is not None:
        both = "minAvailable and maxUnavailable cannot be both set (remove one of them)"
        yield Finding(_SPEC, both)
    for name, bound in (
        ("minAvailable", spec.min_available),
        ("maxUnavailable", spec.max_unavailable),
    ):
        if bound is not None and bound.percent and bound.number > 100:  # noqa: PLR2004
            yield Finding((*_SPEC, name), f'"{bound}" is more than 100%')
    if spec.selector is not None:
        yield from label_selector(spec.selector, (*_SPEC, "selector"))


def _node(node: Node) -> Iterator[Finding]:
    yield from taints(node.spec.taints or (), (*_SPEC, "taints"))
    yield from quantities(node.status.capacity, ("status", "capacity"))
    yield from quantities(node.status.allocatable, ("status", "allocatable"))


def taints(given: tuple[Taint, ...], path: FieldPath) -> Iterator[Finding]:
    """Keys and values are labels', and no key has the same effect twice."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(given):
        here: FieldPath = (*path, index)
        yield from problem((*here, "key"), label_key(taint.key))
        yield from problem((*here, "value"), label_value(taint.value))
        if (taint.key, taint.effect) in seen:
            yield Finding(here, f"{taint.key}:{taint.effect} is there already")
        seen.add((taint.key, taint.effect))


def advise(thing: ApiObject) -> Iterator[Finding]:
    """Amounts that the API server accepts, though hardly anybody means them."""
    match thing:
        case (
            Deployment()
            | ReplicaSet()
            | StatefulSet()
            | DaemonSet()
            | Job()
            | ReplicationController()
        ):
            yield from _pod_advice(thing.spec.template.spec, (*_TEMPLATE, "spec"))
        case Pod():
            yield from _pod_advice(thing.spec, _SPEC)
        case Node():
            yield from advice(thing.status.allocatable, ("status", "allocatable"))
        case Namespace() | PriorityClass() | RuntimeClass() | LimitRange():
            return
        case PodDisruptionBudget():
            yield from _budget_advice(thing.spec)
        case (
            Service()
            | PersistentVolume()
            | PersistentVolumeClaim()
            | StorageClass()
            | CSINode()
            | CSIDriver()
            | CSIStorageCapacity()
        ):
            return
        case _:
            assert_never(thing)


def _budget_advice(spec: PodDisruptionBudgetSpec) -> Iterator[Finding]:
    """An empty selector covered no pod up to policy/v1beta1, and covers all of them since."""
    path: FieldPath = (*_SPEC, "selector")
    if spec.selector is None:
        yield Finding(path, "is missing: the budget covers no pod")
    elif spec.selector.is_empty():
        yield Finding(path, "is empty: the budget covers every pod of the namespace")
    if spec.min_available is None and spec.max_unavailable is None:
        message = "has neither minAvailable nor maxUnavailable: no eviction is ever allowed"
        yield Finding(_SPEC, message)


def _pod_advice(spec: PodSpec, path: FieldPath) -> Iterator[Finding]:
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            resources = container.resources or ResourceRequirements()
            here: FieldPath = (*path, field, index, "resources")
            yield from advice(resources.requests, (*here, "requests"))
            yield from advice(resources.limits, (*here, "limits"))
