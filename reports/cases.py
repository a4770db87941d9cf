"""A violation as those see it who know what to do about it, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from kubelemma.model.manifests.problems import Position

from .document import PropertyReport
from .story import Fact, NodeReview, Story, StoryStep, Waiting


class Repair(StrEnum):
    """A change of a Deployment that can be tried."""

    OLD_FIRST = "old first"
    ROLLING_UPDATE = "rolling update"
    RECREATE = "recreate"
    HONOR_TAINTS = "honor taints"
    EACH_VERSION = "each version by itself"
    SPREAD_AS_A_WISH = "spread as a wish"
    APART_AS_A_WISH = "anti-affinity as a wish"


class Advice(NamedTuple):
    """What to do: the cause in a word, such as ``recreate``, empty for the general remedy.

    ``positions`` are the fields of the input to change, where that is known. ``repair`` names what
    can be tried by asking again, ``tried`` says what came of it.
    """

    cause: str
    text: str
    positions: tuple[Position, ...] = ()
    repair: Repair | None = None
    tried: str = ""

    def __str__(self) -> str:
        notes = (*([", ".join(map(str, self.positions))] if self.positions else []), self.tried)
        said = "; ".join(filter(None, notes))
        return f"{self.text.removesuffix('.')}{f' ({said})' if said else ''}."


class Case:
    """A violation, and what can be read from its story."""

    def __init__(self, prop: PropertyReport, story: Story) -> None:
        self.prop = prop
        self.story = story

    @property
    def id(self) -> str:
        """The identifier of the promise."""
        return self.prop.id

    @cached_property
    def terms(self) -> dict[str, Fact]:
        """The terms of the promise, by name."""
        return {term.name: term for found in self.story.contradictions for term in found.terms}

    @property
    def rolling(self) -> bool:
        """Whether pods of two versions are at the end."""
        older = self.terms.get("pods of older templates")
        return older is not None and older.value != "0"

    @cached_property
    def waiting(self) -> tuple[Waiting, ...]:
        """The pods that wait where nobody acts any more."""
        return self.story.waiting

    @cached_property
    def loop(self) -> tuple[StoryStep, ...]:
        """What happens again and again."""
        start = self.story.loop_start
        return () if start is None else self.story.steps[start:]

    def own(self, *names: str) -> Iterator[Fact]:
        """The own reasons of all pods that wait, each once."""
        facts = (fact for each in self.waiting for fact in each.facts if fact.name in names)
        yield from dict.fromkeys(facts)

    def kept_out(self, plugin: str) -> tuple[NodeReview, ...]:
        """What a plugin says of nodes for pods that wait, each once."""
        reviews = (review for each in self.waiting for review in each.nodes)
        return tuple(dict.fromkeys(review for review in reviews if review.plugin == plugin))


def places(reviews: Iterable[NodeReview]) -> tuple[Position, ...]:
    """The fields that nodes were reviewed by, each once."""
    return tuple(dict.fromkeys(r.position for r in reviews if r.position is not None))


def places_of(fact: Fact) -> tuple[Position, ...]:
    """The field that a fact stands in, if it is known."""
    return () if fact.position is None else (fact.position,)
