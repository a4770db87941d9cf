"""The way by the addresses that clients were given when they asked for a headless Service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kubelemma.model.components.endpointslice.leaving import Entry
from kubelemma.model.components.endpointslice.route import (
    SLICES_SECONDS,
    Route,
    Subject,
    service_label,
)
from kubelemma.model.objects.service import Service

from .actions import RESOLVE_AGAIN
from .decision import TTL_SECONDS, answers_for, named

LAG_SECONDS = SLICES_SECONDS + TTL_SECONDS
"""Within how long no client keeps the address any more."""


def sends(kept: Entry) -> bool:
    """Whether a client connects to a pod of which the slices said so when it asked."""
    return named(kept)


def subjects(objects: Sequence[Any]) -> Iterator[Subject]:
    """The headless Services."""
    for service in objects:
        if isinstance(service, Service) and answers_for(service):
            yield Subject(service_label(service), service)


BY_NAME = Route(
    senders="clients that asked DNS",
    lag_seconds=LAG_SECONDS,
    assumed=f"no client keeps the address that DNS gave it for longer than {LAG_SECONDS} s",
    hears=RESOLVE_AGAIN,
    why="the answer that it kept is too old",
    sends=sends,
    subjects=subjects,
)
