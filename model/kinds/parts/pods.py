"""What the API server refuses in the specification of a Pod or of a template of pods.

Source: ``pkg/apis/core/validation/validation.go``. Every function yields findings about the
object as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.pod import (
    Container,
    ContainerPort,
    PodSchedulingGate,
    PodSpec,
    ResourceRequirements,
    Toleration,
    TopologySpreadConstraint,
)
from kubelemma.model.versions import MODELLED

from .affinities import affinity
from .configuration import referred
from .hooks import grace_of, hook_advice, hooks
from .names import dns_label, dns_subdomain, label_key, label_value
from .probes import probe_advice, probes
from .resources import advice, container_resources, pod_resources, quantities
from .rules import at_least, label_selector, labels, one_of, problem, within
from .volumes import pod_volumes

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_LARGEST_PORT = 65535
_COMPARING = "TaintTolerationComparisonOperators"

HostPort = tuple[int, str, str]
"""Port, address and protocol: what two containers of a pod cannot both have on its host."""


def pod_spec(spec: PodSpec, path: FieldPath) -> Iterator[Finding]:
    """Everything that would be refused in a pod's specification."""
    yield from _containers(spec, path)
    yield from pod_resources(spec, (*path, "resources"))
    yield from quantities(spec.overhead, (*path, "overhead"))
    yield from one_of(_RESTART_POLICIES, spec.restart_policy, (*path, "restartPolicy"))
    policies = ("PreemptLowerPriority", "Never")
    yield from one_of(policies, spec.preemption_policy, (*path, "preemptionPolicy"))
    yield from at_least(1, spec.active_deadline_seconds, (*path, "activeDeadlineSeconds"))
    yield from labels(spec.node_selector or {}, (*path, "nodeSelector"))
    if spec.node_name:
        yield from problem((*path, "nodeName"), dns_subdomain(spec.node_name))
    if spec.priority_class_name:
        yield from problem((*path, "priorityClassName"), dns_subdomain(spec.priority_class_name))
    if spec.affinity is not None:
        yield from affinity(spec.affinity, (*path, "affinity"))
    for index, toleration in enumerate(spec.tolerations or ()):
        yield from _toleration(toleration, (*path, "tolerations", index))
    constraints = spec.topology_spread_constraints or ()
    yield from _spread(constraints, (*path, "topologySpreadConstraints"))
    yield from _gates(spec.scheduling_gates or (), (*path, "schedulingGates"))
    for index, gate in enumerate(spec.readiness_gates or ()):
        here: FieldPath = (*path, "readinessGates", index, "conditionType")
        wrong = label_key(gate.condition_type) if gate.condition_type else "is required"
        yield from problem(here, wrong)
    yield from referred(spec, path)
    yield from pod_volumes(spec.volumes or (), (*path, "volumes"))


def _containers(spec: PodSpec, path: FieldPath) -> Iterator[Finding]:
    if not spec.containers:
        yield Finding((*path, "containers"), "is required: a pod has at least one container")
    names: set[str] = set()
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        host_ports: set[HostPort] = set()
        for index, container in enumerate(containers or ()):
            here: FieldPath = (*path, field, index)
            yield from _container(container, here)
            yield from probes(container, here, init=field == "initContainers")
            if field == "containers" or container.restart_policy == "Always":
                yield from hooks(container, grace_of(spec), here)
            yield from _container_name(container.name, names, (*here, "name"))
            if field == "initContainers":
                host_ports = set()
            yield from _host_ports(container, host_ports, here, host_network=spec.host_network)


def _container_name(name: str, seen: set[str], path: FieldPath) -> Iterator[Finding]:
    if not name:
        yield Finding(path, "is required")
        return
    yield from problem(path, dns_label(name))
    if name in seen:
        yield Finding(path, f'"{name}" is the name of another container of this pod')
    seen.add(name)


def _container(container: Container, path: FieldPath) -> Iterator[Finding]:
    if not container.image:
        yield Finding((*path, "image"), "is required")
    yield from one_of(_RESTART_POLICIES, container.restart_policy, (*path, "restartPolicy"))
    yield from one_of(_PULL_POLICIES, container.image_pull_policy, (*path, "imagePullPolicy"))
    yield from container_resources(container.resources, (*path, "resources"))
    for index, port in enumerate(container.ports or ()):
        yield from _port(port, (*path, "ports", index))


def _port(port: ContainerPort, path: FieldPath) -> Iterator[Finding]:
    if not port.container_port:
        yield Finding((*path, "containerPort"), "is required")
    else:
        yield from within(1, _LARGEST_PORT, port.container_port, (*path, "containerPort"))
    if port.host_port:
        yield from within(1, _LARGEST_PORT, port.host_port, (*path, "hostPort"))
    yield from one_of(_PROTOCOLS, port.protocol, (*path, "protocol"))


def _host_ports(
    container: Container, seen: set[HostPort], path: FieldPath, *, host_network: bool
) -> Iterator[Finding]:
    for index, port in enumerate(container.ports or ()):
        here: FieldPath = (*path, "ports", index, "hostPort")
        number = port.host_port or (port.container_port if host_network else 0)
        if host_network and number != port.container_port:
            yield Finding(here, f"{number} is not the containerPort, as hostNetwork demands")
        taken = (number, port.host_ip, port.protocol)
        if number and taken in seen:
            yield Finding(here, f"{number}/{port.protocol} is taken by another port of this pod")
        seen.add(taken)


def _toleration(toleration: Toleration, path: FieldPath) -> Iterator[Finding]:
    operator = toleration.operator or "Equal"
    if toleration.key:
        yield from problem((*path, "key"), label_key(toleration.key))
    elif operator != "Exists":
        yield Finding((*path, "key"), "is required, unless operator is Exists (tolerates all)")
    if operator == "Exists" and toleration.value:
        yield Finding((*path, "value"), "is not allowed: operator Exists takes no value")
    elif operator == "Equal":
        yield from problem((*path, "value"), label_value(toleration.value))
    elif operator in ("Gt", "Lt") and not MODELLED.on(_COMPARING):
        message = f'"{operator}" needs a feature gate that is off in {MODELLED} ({_COMPARING})'
        yield Finding((*path, "operator"), message)
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        yield Finding((*path, "tolerationSeconds"), "is allowed with effect NoExecute only")


def _spread(constraints: Sequence[TopologySpreadConstraint], path: FieldPath) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for index, constraint in enumerate(constraints):
        here: FieldPath = (*path, index)
        yield from _constraint(constraint, here)
        pair = (constraint.topology_key, constraint.when_unsatisfiable)
        if pair in seen:
            yield Finding(here, f"{' with '.join(pair)} is there already")
        seen.add(pair)


def _constraint(constraint: TopologySpreadConstraint, path: FieldPath) -> Iterator[Finding]:
    yield from at_least(1, constraint.max_skew, (*path, "maxSkew"))
    if not constraint.topology_key:
        yield Finding((*path, "topologyKey"), "is required")
    yield from at_least(1, constraint.min_domains, (*path, "minDomains"))
    if constraint.min_domains is not None and constraint.when_unsatisfiable != "DoNotSchedule":
        yield Finding((*path, "minDomains"), "is allowed with whenUnsatisfiable DoNotSchedule only")
    if constraint.label_selector is not None:
        yield from label_selector(constraint.label_selector, (*path, "labelSelector"))
    elif constraint.match_label_keys:
        yield Finding((*path, "matchLabelKeys"), "is not allowed without labelSelector")
    for index, key in enumerate(constraint.match_label_keys or ()):
        yield from problem((*path, "matchLabelKeys", index), label_key(key))


def _gates(gates: Sequence[PodSchedulingGate], path: FieldPath) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        here: FieldPath = (*path, index, "name")
        yield from problem(here, label_key(gate.name) if gate.name else "is required")
        if gate.name in seen:
            yield Finding(here, f'"{gate.name}" is there already')
        seen.add(gate.name)


def pod_advice(spec: PodSpec, path: FieldPath) -> Iterator[Finding]:
    """Amounts and probes that are accepted, though hardly anybody means them."""
    yield from probe_advice(spec, path)
    yield from hook_advice(spec, path)
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            resources = container.resources or ResourceRequirements()
            here: FieldPath = (*path, field, index, "resources")
            yield from advice(resources.requests, (*here, "requests"))
            yield from advice(resources.limits, (*here, "limits"))
