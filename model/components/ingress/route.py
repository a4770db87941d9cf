"""The way through an Ingress, by its controller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kubelemma.model.components.endpointslice.leaving import Entry
from kubelemma.model.components.endpointslice.route import SLICES_SECONDS, Route, Subject
from kubelemma.model.objects.ingress import Ingress
from kubelemma.model.objects.service import EXTERNAL_NAME, Service

from . import decision
from .actions import HEAR_OF_BACKENDS

LAG_SECONDS = 2 * SLICES_SECONDS
"""Within how long a controller has read the slices and sends by them: they batch, and reload."""


def sends(heard: Entry) -> bool:
    """Whether a controller may choose the pod, beside others that are ready."""
    return decision.sends(heard)


def subjects(objects: Sequence[Any]) -> Iterator[Subject]:
    """Each Ingress with each Service that is its backend by a port that there is."""
    services = {
        (thing.metadata.namespace, thing.metadata.name): thing
        for thing in objects
        if isinstance(thing, Service) and thing.spec.type != EXTERNAL_NAME
    }
    for thing in objects:
        if isinstance(thing, Ingress):
            for name in _names(thing, services):
                namespace = thing.metadata.namespace
                label = f"Ingress {namespace}/{thing.metadata.name} to {name}"
                yield Subject(label, services[namespace, name])


def _names(thing: Ingress, services: dict[tuple[str, str], Service]) -> dict[str, None]:
    found: dict[str, None] = {}
    for each in decision.backends(thing):
        name = each.backend.service.name if each.backend.service else ""
        service = services.get((thing.metadata.namespace, name))
        if service is not None and decision.port_of(service, each.backend):
            found[name] = None
    return found


BY_INGRESS = Route(
    senders="Ingress controllers",
    lag_seconds=LAG_SECONDS,
    assumed=f"every Ingress controller has heard of it within {LAG_SECONDS} s",
    hears=HEAR_OF_BACKENDS,
    why="its watch shows the slices as they are now, and it has loaded them",
    sends=sends,
    subjects=subjects,
    first=False,
)
