"""Where nobody acts any more: what every pod waits for, and why nobody will help it."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import Phase
from kubelemma.reports.story import Idle, Waiting

from .scene import Standstill
from .tellers import TELLERS


def waiting(end: Standstill) -> tuple[Waiting, ...]:
    """Every pod that is not available, with what it waits for; those without a node first."""
    return tuple(
        told
        for place, pods in sorted(end.last.names.items())
        if place.phase != Phase.AVAILABLE
        for told in _waiting(end, place, pods)
    )


def _waiting(end: Standstill, place: Place, pods: tuple[str, ...]) -> Iterator[Waiting]:
    answers = (teller.waits(end, place) for teller in TELLERS)
    words, reviews = next((answer for answer in answers if answer is not None), ("", ()))
    facts = tuple(fact for teller in TELLERS for fact in teller.hinders(end, place, reviews))
    for pod in pods:
        yield Waiting(pod, words, reviews, facts)


def idle(end: Standstill) -> tuple[Idle, ...]:
    """Every actor of the scenario with why it does nothing, in the order of its rules."""
    rules = end.seen.scenario.system.rules
    actors = list(dict.fromkeys(rule.actor for rule in rules if not rule.environment))
    told = (one for teller in TELLERS for one in teller.idle(end) if one.actor in actors)
    return tuple(sorted(told, key=lambda one: actors.index(one.actor)))
