"""To which pods an Ingress sends requests.

Its rules name Services, but a controller resolves them to the endpoints in their slices and sends
to these itself. Source: https://kubernetes.io/docs/concepts/services-networking/ingress/, and
``getEndpointsFromSlices`` of ingress-nginx, which takes those that are ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kubelemma.model.components.endpointslice.leaving import Entry
from kubelemma.model.findings import FieldPath
from kubelemma.model.objects.ingress import Ingress, IngressBackend, IngressClass
from kubelemma.model.objects.service import Service, ServicePort

DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
"""The annotation of the class of those that name none."""
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
"""The annotation that named a class before there was a field for it."""


class Backend(NamedTuple):
    """A backend of an Ingress: where it stands, and the requests that go there, in words."""

    path: FieldPath
    requests: str
    backend: IngressBackend


def backends(thing: Ingress) -> Iterator[Backend]:
    """All backends of an Ingress, in the order in which they are written."""
    spec = thing.spec
    if spec.default_backend is not None:
        yield Backend(
            ("spec", "defaultBackend"), "requests that no rule matches", spec.default_backend
        )
    for index, rule in enumerate(spec.rules or ()):
        for number, path in enumerate(rule.http.paths or () if rule.http else ()):
            here: FieldPath = ("spec", "rules", index, "http", "paths", number, "backend")
            if path.backend is not None:
                yield Backend(here, f"requests for {rule.host}{path.path or '/'}", path.backend)


def class_of(thing: Ingress) -> str:
    """The name of its class; empty where it names none."""
    annotated = thing.metadata.annotation_map().get(CLASS_ANNOTATION, "")
    return thing.spec.ingress_class_name or annotated


def is_served(thing: Ingress, classes: Sequence[IngressClass]) -> bool:
    """Whether one of these classes is its, be it by default."""
    own = class_of(thing)
    if own:
        return any(found.metadata.name == own for found in classes)
    return any(found.metadata.annotation_map().get(DEFAULT_CLASS) == "true" for found in classes)


def port_of(service: Service, backend: IngressBackend) -> ServicePort | None:
    """The port of a Service that a backend names, by number or name; None where it has none."""
    if backend.service is None:
        return None
    wanted = backend.service.port
    for port in service.spec.ports or ():
        if (wanted.name and wanted.name == port.name) or wanted.number == port.port:
            return port
    return None


def sends(heard: Entry) -> bool:
    """Whether a controller sends to a pod of which it has heard so: it has no last resort."""
    return heard is Entry.READY


def answers(ready: int) -> bool:
    """Whether a controller hands requests to pods; without a ready endpoint it answers 503."""
    return ready > 0
