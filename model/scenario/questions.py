"""What is asked of workloads where nobody says what may happen to them.

Small questions, each a system of its own: what has nothing to do with each other is not multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from msgspec import structs

from kubelemma.model.manifests.check import (
    ANYWHERE,
    Check,
    EventEntry,
    Rollout,
)
from kubelemma.model.manifests.machines import (
    Drain,
    NodeCrash,
)

from .events import takes
from .templates import kind_of

ROLLOUT = "rollout"
BAD_VERSION = "bad-version"
NODE_LOST = "node-lost"
DRAIN = "drain"
QUESTIONS = (ROLLOUT, BAD_VERSION, NODE_LOST, DRAIN)
"""What is asked by default, as options call it."""

_ENTRIES: dict[str, EventEntry] = {
    ROLLOUT: EventEntry(rollout=Rollout()),
    BAD_VERSION: EventEntry(rollout=Rollout(new_version="neverReady")),
    NODE_LOST: EventEntry(node_crash=NodeCrash()),
    DRAIN: EventEntry(drain=Drain()),
}
_ROLLS = frozenset({ROLLOUT, BAD_VERSION})
"""Those that are about a new version, and so about workloads that have a rollout."""
_PRODUCTS = (
    (ROLLOUT, NODE_LOST),
    (ROLLOUT, DRAIN),
    (BAD_VERSION, NODE_LOST),
    (BAD_VERSION, DRAIN),
    (NODE_LOST, DRAIN),
)
_BITES = (ROLLOUT, NODE_LOST)
"""The product that is asked of a workload with strategy Recreate: small, and often violated."""


class Topic(NamedTuple):
    """One question, or a product of several: what may happen, all of it in one system."""

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return "+".join(self.parts)

    def concerns(self, owner: Any) -> bool:
        """Whether it is asked of this owner."""
        return _ROLLS.isdisjoint(self.parts) or takes(owner, "rollout")

    def of(self, check: Check, workloads: tuple[str, ...]) -> Check:
        """The Check that asks it of these workloads.

        What is lost at one blow depends on where pods are, so every placement is a start there.
        """
        entries = tuple(_ENTRIES[part] for part in self.parts)
        start = ANYWHERE if self.parts in ((NODE_LOST,), (DRAIN,)) else check.spec.start
        spec = structs.replace(check.spec, events=entries, start=start, workloads=workloads)
        return structs.replace(check, spec=spec)


class Asking(NamedTuple):
    """Which questions are asked where nobody says what happens.

    ``only`` these, or all where none is named; where it is ``thorough``, products of them too.
    """

    only: tuple[str, ...] = ()
    thorough: bool = False

    def topics(self) -> Iterator[Topic]:
        """All that may be asked, in the order in which it is."""
        for parts in (*((question,) for question in QUESTIONS), *_PRODUCTS):
            if not self.only or set(parts) <= set(self.only):
                yield Topic(parts)

    def topics_of(self, owner: Any) -> Iterator[Topic]:
        """What is asked of an owner."""
        rollout = kind_of(owner).rollout(owner)
        bites = rollout is not None and rollout.recreate
        for topic in self.topics():
            asked = len(topic.parts) == 1 or self.thorough or (bites and topic.parts == _BITES)
            if asked and topic.concerns(owner):
                yield topic


USUAL = Asking()
