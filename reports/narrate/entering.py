"""What comes by name from outside: what its controllers have loaded, in words."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.ingress.first import Entrance, entrances
from kubelemma.model.objects.meta import ObjectMeta

from .scene import Seen


def awaited(seen: Seen) -> Iterator[tuple[Entrance, bool]]:
    """Each that is waited for, and whether its controller sends to pods."""
    for entrance in entrances(seen.world):
        if entrance.cell in seen.scenario.system.positions:
            yield entrance, seen.value(entrance.cell)


def said_of(seen: Seen, backend: ObjectMeta) -> Iterator[str]:
    """What a picture says of those that lead to what is called so."""
    for entrance, loaded in awaited(seen):
        if entrance.front.service.metadata == backend:
            where = "sends to its pods" if loaded else "answers 503"
            yield f"{entrance.front.label.partition(' to ')[0]}: {where}"
