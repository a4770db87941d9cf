"""A counterexample as data: who did what and why, what changed, where it breaks the promise.

Renderers turn a `Story` into text, JSON and whatever comes later; none of them knows the model.
"""

from __future__ import annotations

from dataclasses import dataclass

from .picture import Picture, PictureChange
from .style import plural


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one object that a step changed, both values as a person would write them."""

    object: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step: who did what, to what, why, and what changed by it.

    ``index`` counts from 1. ``summary`` is one sentence, ``why`` is empty where there is nothing
    to add. ``environment`` marks users and faults: what may happen, in contrast to what must.
    ``unseen`` is what the actor did not see when it acted, one sentence each, where that is known.
    ``picture`` is what the step changes in the picture of the cluster, where the story has one.
    """

    index: int
    actor: str
    action: str
    summary: str
    arguments: tuple[tuple[str, str], ...] = ()
    why: str = ""
    environment: bool = False
    changes: tuple[Change, ...] = ()
    unseen: tuple[str, ...] = ()
    picture: PictureChange | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """How a property about one object comes to be violated.

    Attributes:
        property_id: the property, such as ``DEP-4``.
        subject: the object it is about, such as ``Deployment default/web``.
        allowed: what users and faults were allowed to do, one sentence each.
        steps: what happened, in order.
        loop_start: the position in ``steps`` (from 0) from which they repeat for ever; None for a
            finite run.
        standstill: nobody but the environment can act after the last step.
        conclusion: where this contradicts the property, and what every stuck pod waits for.
        repeat: commands that repeat it.
        picture: the cluster before the first step.
    """

    property_id: str
    subject: str
    allowed: tuple[str, ...]
    steps: tuple[StoryStep, ...]
    loop_start: int | None
    standstill: bool
    conclusion: tuple[str, ...]
    repeat: tuple[str, ...] = ()
    picture: Picture | None = None

    def run(self) -> tuple[tuple[StoryStep, ...], int | None, bool]:
        """What happens, apart from what it contradicts: equal for two stories of one run."""
        return (self.steps, self.loop_start, self.standstill)

    def headline(self) -> str:
        """How long the story is and how it ends, in a few words."""
        steps = plural(len(self.steps), "step")
        if self.loop_start is not None:
            repeating = len(self.steps) - self.loop_start
            tail = f"the last {repeating} of them" if self.loop_start else "all of them"
            return f"{steps}, {tail} repeating for ever"
        return f"{steps}, then standstill" if self.standstill else steps
