"""A way by which connections come to the pods of a Service, and what whoever sends them believes.

All who send by one way go by the EndpointSlices, in the end, and each hears of them late: the
kube-proxies, an Ingress controller, and clients that keep what DNS told them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from kubelemma.model.objects.service import Service
from kubelemma.model.system import Action

from .leaving import Entry

SLICES_SECONDS = 5
"""Within how long a slice is written and whoever watches it has read it: an assumption."""


class Subject(NamedTuple):
    """What of the input sends to a Service by a way, as people are told of it, and the Service."""

    label: str
    service: Service


class Route(NamedTuple):
    """A way to the pods of Services.

    Attributes:
        senders: who sends by it, in the plural.
        lag_seconds: within how long all of them have heard of a pod that is deleted.
        assumed: that, as a sentence without its end.
        hears: what one of them does when it hears of it, and ``why``.
        sends: whether a pod may be sent to of which they have heard so, beside one that is ready.
        subjects: who of the objects of a scenario sends by it, and to which Services.
        first: whether it is the one by which a Service is reached in the first place: of a Service
            that two ways lead to, the ready endpoints are counted once.
    """

    senders: str
    lag_seconds: int
    assumed: str
    hears: Action
    why: str
    sends: Callable[[Entry], bool]
    subjects: Callable[[Sequence[Any]], Iterator[Subject]]
    first: bool = True


def service_label(service: Service) -> str:
    """How people are told of a Service."""
    return f"Service {service.metadata.namespace}/{service.metadata.name}"
