"""What a step rests on: what its actor had read, and had not seen, and where that is written."""

from __future__ import annotations

from collections.abc import Iterable

from kubelemma.model.manifests.problems import Position
from kubelemma.reports.story import Fact, NodeReview

from .scene import Scene
from .tellers import TELLERS, together

FACTS = together(lambda teller: teller.facts)
CAUSES = together(lambda teller: teller.causes)
_DECISIVE = together(lambda teller: teller.decisive)


def facts(scene: Scene) -> tuple[Fact, ...]:
    """What the actor had read; users and faults read nothing."""
    tell = FACTS.get(scene.action)
    return () if tell is None or scene.step.environment else tuple(tell(scene))


def unseen(scene: Scene) -> tuple[str, ...]:
    """One sentence for each thing; users and faults see nothing and need not."""
    if scene.step.environment:
        return ()
    return tuple(text for teller in TELLERS for text in teller.unseen(scene))


def origin(scene: Scene, read: Iterable[Fact], reviews: Iterable[NodeReview]) -> Position | None:
    """The field of the input behind a step: the event that allows it, or what decides it.

    None where there is none, or it is not known.
    """
    if scene.step.environment:
        cause = CAUSES.get(scene.action)
        return None if cause is None else cause(scene)
    places = {fact.name: fact.position for fact in read if fact.position is not None}
    name = _DECISIVE[scene.action](scene) if scene.action in _DECISIVE else ""
    filtered = (review.position for review in reviews if review.position is not None)
    return places.get(name) or next(filtered, None) or next(iter(places.values()), None)
