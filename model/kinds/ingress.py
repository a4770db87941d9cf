"""Ingress.

Source: ``pkg/apis/networking/validation/validation.go`` (``ValidateIngressCreate``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from kubelemma.model.components.endpointslice.decision import endpoint_ports, selects
from kubelemma.model.components.ingress.decision import (
    CLASS_ANNOTATION,
    Backend,
    backends,
    class_of,
    is_served,
    port_of,
)
from kubelemma.model.components.network.decision import Reach, reach
from kubelemma.model.findings import FieldPath, Finding, did_you_mean
from kubelemma.model.objects.ingress import (
    HTTPIngressPath,
    Ingress,
    IngressBackend,
    IngressClass,
    IngressRule,
    IngressServiceBackend,
    IngressTLS,
    TypedLocalObjectReference,
)
from kubelemma.model.objects.networkpolicy import NetworkPolicy
from kubelemma.model.objects.service import Service

from .kind import Beside, Kind, Use
from .notes import NOT_PLACING, STATUS, Note, irrelevant, not_modelled
from .parts.names import dns_service, dns_subdomain, port_name
from .parts.rules import one_of, problem, within

_SPEC: FieldPath = ("spec",)
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_INVALID_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_INVALID_SUFFIXES = ("/..", "/.")
_LARGEST_PORT = 65535


def _refused(thing: Ingress) -> Iterator[Finding]:
    spec = thing.spec
    if not spec.rules and spec.default_backend is None:
        yield Finding(_SPEC, "either `defaultBackend` or `rules` must be specified")
    if spec.default_backend is not None:
        yield from _backend(spec.default_backend, (*_SPEC, "defaultBackend"))
    for index, rule in enumerate(spec.rules or ()):
        yield from _rule(rule, (*_SPEC, "rules", index))
    for index, tls in enumerate(spec.tls or ()):
        yield from _tls(tls, (*_SPEC, "tls", index))
    if spec.ingress_class_name is not None:
        path = (*_SPEC, "ingressClassName")
        yield from problem(path, dns_subdomain(spec.ingress_class_name))
        annotated = thing.metadata.annotation_map().get(CLASS_ANNOTATION)
        if annotated is not None and annotated != spec.ingress_class_name:
            yield Finding(
                ("metadata", "annotations", CLASS_ANNOTATION),
                "must match `ingressClassName` when both are specified",
            )


def _rule(rule: IngressRule, path: FieldPath) -> Iterator[Finding]:
    if rule.host:
        yield from _host(rule.host, (*path, "host"))
    if rule.http is None:
        return
    if not rule.http.paths:
        yield Finding((*path, "http", "paths"), "is required")
    for index, found in enumerate(rule.http.paths or ()):
        yield from _path(found, (*path, "http", "paths", index))


def _host(host: str, path: FieldPath) -> Iterator[Finding]:
    """A host, whose first label may be a "*"; the API server takes no address."""
    if _is_address(host):
        yield Finding(path, f'"{host}" must be a DNS name, not an IP address')
        return
    plain = host.removeprefix("*.")
    if "*" in plain:
        yield Finding(path, f'"{host}" may have a "*" only as its first label, as "*.example.org"')
        return
    yield from problem(path, dns_subdomain(plain))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _path(found: HTTPIngressPath, path: FieldPath) -> Iterator[Finding]:
    if found.path_type is None:
        yield Finding((*path, "pathType"), "is required: pathType must be specified")
        return
    here = (*path, "path")
    yield from one_of(_PATH_TYPES, found.path_type, (*path, "pathType"))
    if not found.path_type:
        yield Finding((*path, "pathType"), f"is empty: it is one of {', '.join(_PATH_TYPES)}")
    strict = found.path_type in ("Exact", "Prefix")
    if (strict or (found.path and found.path_type in _PATH_TYPES)) and found.path[:1] != "/":
        yield Finding(here, f'"{found.path}" must be an absolute path')
    if strict:
        for sequence in (s for s in _INVALID_SEQUENCES if s in found.path):
            yield Finding(here, f"\"{found.path}\" must not contain '{sequence}'")
        for suffix in (s for s in _INVALID_SUFFIXES if found.path.endswith(s)):
            yield Finding(here, f"\"{found.path}\" cannot end with '{suffix}'")
    yield from _backend(found.backend or IngressBackend(), (*path, "backend"))


def _backend(backend: IngressBackend, path: FieldPath) -> Iterator[Finding]:
    if backend.resource is not None and backend.service is not None:
        yield Finding(path, "cannot set both resource and service backends")
    elif backend.resource is not None:
        yield from _resource(backend.resource, (*path, "resource"))
    elif backend.service is not None:
        yield from _service(backend.service, path)
    else:
        yield Finding(path, "resource or service backend is required")


def _resource(resource: TypedLocalObjectReference, path: FieldPath) -> Iterator[Finding]:
    if resource.api_group is not None:
        yield from problem((*path, "apiGroup"), dns_subdomain(resource.api_group))
    for field, value in (("kind", resource.kind), ("name", resource.name)):
        if not value:
            yield Finding((*path, field), "is required")


def _service(service: IngressServiceBackend, path: FieldPath) -> Iterator[Finding]:
    if not service.name:
        yield Finding((*path, "service", "name"), "is required")
    else:
        yield from problem((*path, "service", "name"), dns_service(service.name))
    port, here = service.port, (*path, "service", "port")
    if port.name and port.number:
        yield Finding(path, "cannot set both port name & port number")
    elif port.name:
        yield from problem((*here, "name"), port_name(port.name))
    elif port.number:
        yield from within(1, _LARGEST_PORT, port.number, (*here, "number"))
    else:
        yield Finding(path, "port name or number is required")


def _tls(tls: IngressTLS, path: FieldPath) -> Iterator[Finding]:
    for index, host in enumerate(tls.hosts or ()):
        yield from problem((*path, "hosts", index), dns_subdomain(host.removeprefix("*.")))
    if tls.secret_name:
        yield from problem((*path, "secretName"), dns_subdomain(tls.secret_name))


# What is accepted, and hardly meant


def _beside(thing: Ingress, beside: Beside) -> Iterator[Finding]:
    """Whether its Services and their ports are there, and somebody who serves it."""
    services = {service.metadata.name: service for service in beside.of(Service)}
    for backend in backends(thing):
        yield from _leads_nowhere(backend, services)
        yield from _shut_out(backend, services, beside)
    classes = beside.of(IngressClass)
    if classes and not is_served(thing, classes):
        yield _unserved(thing, classes)


def _leads_nowhere(found: Backend, services: dict[str, Service]) -> Iterator[Finding]:
    wanted = found.backend.service
    if wanted is None:
        return
    path: FieldPath = (*found.path, "service")
    service = services.get(wanted.name)
    if service is None:
        yield Finding(
            (*path, "name"),
            f'no Service here is called "{wanted.name}"'
            f"{did_you_mean(wanted.name, sorted(services))}: {found.requests} are answered with an "
            "error (503) unless somebody else makes it",
        )
    elif service.spec.ports and port_of(service, found.backend) is None:
        port = wanted.port.name or wanted.port.number
        there = ", ".join(
            f"{p.name} ({p.port})" if p.name else str(p.port) for p in service.spec.ports
        )
        yield Finding(
            (*path, "port"),
            f"the Service {wanted.name} has no port {port}, but {there}: {found.requests} are "
            "answered with an error (503)",
        )


def _shut_out(found: Backend, services: dict[str, Service], beside: Beside) -> Iterator[Finding]:
    """Pods that only those of their own namespace reach, of which controllers are seldom."""
    wanted = found.backend.service
    service = services.get(wanted.name) if wanted else None
    port = port_of(service, found.backend) if service else None
    if service is None or port is None:
        return
    policies = beside.of(NetworkPolicy)
    reached = [
        reach(policies, pod, offered)
        for pod in beside.pods
        if selects(service, pod)
        for offered in endpoint_ports(service, pod.spec)
        if offered.name == port.name
    ]
    if reached and all(how is Reach.NAMESPACE for how in reached):
        yield Finding(
            (*found.path, "service"),
            f"NetworkPolicies let only pods of the namespace reach those of {service.metadata.name}"
            f": {found.requests} are dropped unless the controller runs in it",
        )


def _unserved(thing: Ingress, classes: tuple[IngressClass, ...]) -> Finding:
    path: FieldPath = (*_SPEC, "ingressClassName")
    own, known = class_of(thing), sorted(found.metadata.name for found in classes)
    if not own:
        return Finding(
            path,
            f"is missing, and no IngressClass here ({', '.join(known)}) is the default: no "
            "controller serves the Ingress unless one takes those without a class",
        )
    return Finding(
        path,
        f'no IngressClass here is called "{own}"{did_you_mean(own, known)}: no controller serves '
        "the Ingress unless the cluster has another",
    )


_RESOURCES = "what a controller makes of a resource of its own is not followed"

KIND = Kind(
    Ingress,
    "networking.k8s.io/v1",
    check=Use(
        fields={
            Ingress: irrelevant(STATUS, "status"),
            IngressBackend: not_modelled(_RESOURCES, "resource"),
        }
    ),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    refused=_refused,
    beside=_beside,
)
