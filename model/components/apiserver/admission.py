"""What admission makes of a pod on its way in: priority, runtime, limits, tolerations.

Checks and placements ask alike. A check writes what a class or a LimitRange adds into the template
of a workload, since all its pods get the same.

Sources: ``plugin/pkg/admission/priority/admission.go``,
``plugin/pkg/admission/runtimeclass/admission.go``,
``plugin/pkg/admission/limitranger/admission.go`` and ``pkg/apis/core/v1/defaults.go``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.scheduler.decision.resources import container_requests
from kubelemma.model.components.tainteviction.decision import with_default_tolerations
from kubelemma.model.findings import FieldPath, show
from kubelemma.model.objects.pod import Container, Pod, PodSpec, ResourceRequirements
from kubelemma.model.objects.policies import LimitRange, LimitRangeItem, PriorityClass, RuntimeClass
from kubelemma.model.objects.quantity import Quantity

Amounts = Mapping[str, Quantity]

_SYSTEM_CLASSES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
"""Every cluster has them (``pkg/apis/scheduling/v1/helpers.go``)."""
_OF_PODS = ("Container", "Pod")
"""What bounds of a LimitRange are for, where they are for pods."""


class Defaults(NamedTuple):
    """Default requests and limits for the containers of a namespace."""

    requests: Amounts
    limits: Amounts


_NONE: Mapping[str, Any] = MappingProxyType({})


class Policies(NamedTuple):
    """The settings of a cluster: classes by name, and by namespace what goes for pods."""

    priorities: Mapping[str, PriorityClass] = _NONE
    runtimes: Mapping[str, RuntimeClass] = _NONE
    limits: Mapping[str, Defaults] = _NONE
    bounds: Mapping[str, tuple[LimitRangeItem, ...]] = _NONE

    def unknown(self, spec: PodSpec) -> tuple[tuple[str, str], ...]:
        """The fields of a pod that name a class which is not there, and what follows from it."""
        found = []
        name = spec.priority_class_name
        if name and spec.priority is None and name not in {*self.priorities, *_SYSTEM_CLASSES}:
            reason = "its PriorityClass is not in the input: priority 0 is assumed"
            found.append(("priorityClassName", reason))
        if spec.runtime_class_name and spec.runtime_class_name not in self.runtimes:
            reason = "its RuntimeClass is not in the input: no overhead and no selector are added"
            found.append(("runtimeClassName", reason))
        return tuple(found)


NO_POLICIES = Policies()


def policies(
    priorities: Iterable[PriorityClass],
    runtimes: Iterable[RuntimeClass],
    limits: Iterable[LimitRange],
) -> Policies:
    """The settings that some objects of the API make up."""
    by_namespace: dict[str, Defaults] = {}
    bounds: dict[str, tuple[LimitRangeItem, ...]] = {}
    for limit_range in limits:
        namespace = limit_range.metadata.namespace
        for item in limit_range.spec.limits:
            if item.type == "Container":
                before = by_namespace.get(namespace, Defaults({}, {}))
                by_namespace[namespace] = _joined(before, _defaults(item))
            if item.type in _OF_PODS:
                bounds[namespace] = (*bounds.get(namespace, ()), item)
    return Policies(
        {c.metadata.name: c for c in priorities},
        {c.metadata.name: c for c in runtimes},
        by_namespace,
        bounds,
    )


def policies_in(objects: Iterable[object]) -> Policies:
    """The settings that some objects of any kind make up."""
    every = tuple(objects)
    return policies(
        (thing for thing in every if isinstance(thing, PriorityClass)),
        (thing for thing in every if isinstance(thing, RuntimeClass)),
        (thing for thing in every if isinstance(thing, LimitRange)),
    )


def _defaults(item: LimitRangeItem) -> Defaults:
    """What is not given follows from the bounds: the highest limit, the lowest request."""
    limits = {**(item.max or {}), **(item.default or {})}
    requests = {**(item.min or {}), **limits, **(item.default_request or {})}
    return Defaults(requests, limits)


def _joined(first: Defaults, second: Defaults) -> Defaults:
    """Of several LimitRanges the first that says something about a resource is applied."""
    return Defaults(
        {**second.requests, **first.requests},
        {**second.limits, **first.limits},
    )


def admitted(pod: Pod, settings: Policies) -> Pod:
    """The pod as it is stored when somebody creates it."""
    spec = filled(pod.spec, pod.metadata.namespace, settings)
    spec = replace(spec, tolerations=with_default_tolerations(spec.tolerations or ()))
    return merge_label_keys(replace(pod, spec=spec))


def filled(spec: PodSpec, namespace: str, settings: Policies) -> PodSpec:
    """What a pod of a namespace asks for with what the settings of the cluster add."""
    spec = _with_priority(spec, settings.priorities)
    spec = _with_runtime(spec, settings.runtimes.get(spec.runtime_class_name))
    limits = settings.limits.get(namespace)
    return spec if limits is None else _with_limits(spec, limits)


class Refusal(NamedTuple):
    """Why the API server does not store a pod, in its words, and for which field of its spec."""

    path: FieldPath
    reason: str


def conflicts(spec: PodSpec, settings: Policies) -> Iterator[Refusal]:
    """Values in the spec of a new pod that are for admission to give, and that it gives otherwise.

    Of a class that is not in the settings nobody knows. The words are those of the API server,
    ``admitPod`` in ``plugin/pkg/admission/priority/admission.go``.
    """
    name = spec.priority_class_name
    if name and name not in {*settings.priorities, *_SYSTEM_CLASSES}:
        return
    ours = _with_priority(replace(spec, priority=None, preemption_policy=None), settings.priorities)
    tail = "from the given PriorityClass name"
    if spec.priority not in (None, ours.priority):
        reason = (
            f"the integer value of priority ({spec.priority}) must not be provided in pod spec; "
            f"priority admission controller computed {ours.priority} {tail}"
        )
        yield Refusal(("priority",), reason)
    of_class = name or any(each.global_default for each in settings.priorities.values())
    policy = ours.preemption_policy or ("PreemptLowerPriority" if of_class else None)
    if spec.preemption_policy and policy and spec.preemption_policy != policy:
        reason = (
            f"the string value of PreemptionPolicy ({spec.preemption_policy}) must not be provided "
            f"in pod spec; priority admission controller computed {policy} {tail}"
        )
        yield Refusal(("preemptionPolicy",), reason)


def refusals(spec: PodSpec, namespace: str, settings: Policies) -> Iterator[Refusal]:
    """What the API server objects to in a pod that has all its defaults.

    That are requests above a limit that a LimitRange has added, and what is outside of the bounds
    of its namespace. Sources: ``ValidateResourceRequirements`` in
    ``pkg/apis/core/validation/validation.go``, which comes first; ``PodValidateLimitFunc`` in
    ``plugin/pkg/admission/limitranger/admission.go``.
    """
    bounds = settings.bounds.get(namespace, ())
    every = tuple(_containers(spec)) if bounds else ()
    for path, own in every:
        for name, asked, limit in _above_limit(own):
            where = f"spec.{show((*path, 'resources', 'requests'))}"
            bound = f"must be less than or equal to {name} limit of {limit}"
            said = f'is invalid: {where}: Invalid value: "{asked}": {bound}'
            yield Refusal((*path, "resources"), said)
    for item in bounds:
        held = every if item.type == "Container" else ((("resources",), _of_pod(spec)),)
        for path, own in held:
            for reason in _outside(own, item):
                here = path if item.type == "Pod" else (*path, "resources")
                yield Refusal(here, f"is forbidden: {reason}")


def refusal(spec: PodSpec, namespace: str, settings: Policies) -> str:
    """All that the API server objects to in a pod, as one text; empty where it stores it."""
    found = dict.fromkeys(each.reason for each in refusals(spec, namespace, settings))
    return "; ".join(found)


def _containers(spec: PodSpec) -> Iterator[tuple[FieldPath, ResourceRequirements]]:
    """What each container asks for, and where that stands."""
    kinds = (("containers", spec.containers), ("initContainers", spec.init_containers))
    for field, containers in kinds:
        for index, container in enumerate(containers or ()):
            yield (field, index), container.resources or ResourceRequirements()


def _above_limit(own: ResourceRequirements) -> Iterator[tuple[str, Quantity, Quantity]]:
    limits = own.limits or {}
    for name, asked in (own.requests or {}).items():
        if name in limits and asked.amount > limits[name].amount:
            yield name, asked, limits[name]


def _of_pod(spec: PodSpec) -> ResourceRequirements:
    """What a pod asks for as a whole, without overhead (``podRequests``, ``podLimits``)."""
    own = spec.resources or ResourceRequirements()
    limits = replace(
        spec,
        containers=_limits_as_requests(spec.containers),
        init_containers=_limits_as_requests(spec.init_containers),
    )
    return ResourceRequirements(
        requests={**_together(spec), **(own.requests or {})},
        limits={**_together(limits), **(own.limits or {})},
    )


def _together(spec: PodSpec) -> dict[str, Quantity]:
    needed = container_requests(Pod(spec=spec), "wanted", {})
    return {name: Quantity(amount) for name, amount in needed.items()}


def _limits_as_requests(containers: tuple[Container, ...] | None) -> tuple[Container, ...]:
    limits = ((c, c.resources.limits if c.resources else None) for c in containers or ())
    return tuple(replace(c, resources=ResourceRequirements(requests=own)) for c, own in limits)


def _outside(own: ResourceRequirements, item: LimitRangeItem) -> Iterator[str]:
    """What is outside of bounds, as ``minConstraint`` and its like say it."""
    bounds = (
        ("minimum {} usage per", item.min, _below),
        ("maximum {} usage per", item.max, _above),
        ("{} max limit to request ratio per", item.max_limit_request_ratio, _over_ratio),
    )
    for words, amounts, objects in bounds:
        for name, bound in (amounts or {}).items():
            found = objects(own, name, bound)
            if found:
                yield f"{words.format(name)} {item.type} is {bound}{found}"


def _below(own: ResourceRequirements, name: str, least: Quantity) -> str:
    request, limit = (own.requests or {}).get(name), (own.limits or {}).get(name)
    if request is None:
        return ".  No request is specified"
    if request.amount < least.amount:
        return f", but request is {request}"
    if limit is not None and limit.amount < least.amount:
        return f", but limit is {limit}"
    return ""


def _above(own: ResourceRequirements, name: str, most: Quantity) -> str:
    request, limit = (own.requests or {}).get(name), (own.limits or {}).get(name)
    if limit is None:
        return ".  No limit is specified"
    if limit.amount > most.amount:
        return f", but limit is {limit}"
    if request is not None and request.amount > most.amount:
        return f", but request is {request}"
    return ""


def _over_ratio(own: ResourceRequirements, name: str, most: Quantity) -> str:
    request, limit = (own.requests or {}).get(name), (own.limits or {}).get(name)
    if request is None or not request.amount:
        return ", but no request is specified or request is 0"
    if limit is None or not limit.amount:
        return ", but no limit is specified or limit is 0"
    ratio = limit.amount / request.amount
    return f", but provided ratio is {float(ratio):f}" if ratio > most.amount else ""


def _with_priority(spec: PodSpec, classes: Mapping[str, PriorityClass]) -> PodSpec:
    """The priority of the class that is named, or else of the cluster's default."""
    if spec.priority is not None:
        return spec
    name = spec.priority_class_name
    if not name:
        defaults = [c for c in classes.values() if c.global_default]
        found = min(defaults, key=lambda c: c.value, default=None)
    else:
        found = classes.get(name)
    if found is None:
        return replace(spec, priority=_SYSTEM_CLASSES.get(name, 0))
    policy = spec.preemption_policy or found.preemption_policy
    return replace(spec, priority=found.value, preemption_policy=policy)


def _with_runtime(spec: PodSpec, runtime: RuntimeClass | None) -> PodSpec:
    """The overhead, and where the runtime is to be found."""
    if runtime is None:
        return spec
    if runtime.overhead is not None:
        spec = replace(spec, overhead=runtime.overhead.pod_fixed)
    where = runtime.scheduling
    if where is None:
        return spec
    selector = {**(spec.node_selector or {}), **(where.node_selector or {})}
    tolerations = (*(spec.tolerations or ()), *(where.tolerations or ()))
    return replace(spec, node_selector=selector or None, tolerations=tolerations or None)


def _with_limits(spec: PodSpec, defaults: Defaults) -> PodSpec:
    return replace(
        spec,
        containers=_each(spec.containers, defaults),
        init_containers=_each(spec.init_containers, defaults),
    )


def _each(
    containers: tuple[Container, ...] | None, defaults: Defaults
) -> tuple[Container, ...] | None:
    if containers is None:
        return None
    return tuple(replace(c, resources=_filled(c.resources, defaults)) for c in containers)


def _filled(given: ResourceRequirements | None, defaults: Defaults) -> ResourceRequirements:
    own = given or ResourceRequirements()
    return ResourceRequirements(
        requests={**defaults.requests, **(own.requests or {})} or None,
        limits={**defaults.limits, **(own.limits or {})} or None,
    )
