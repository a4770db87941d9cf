"""A counterexample as data: who did what and why, what changed, where it breaks the promise.

Renderers turn a `Story` into text, JSON and whatever comes later; none of them knows the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from kubelemma.model.manifests.problems import Position

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
class Fact:
    """One thing that a decision, or the verdict on a promise, rests on.

    ``name`` is what people call it, such as ``maxSurge``, ``value`` is as they would write it.
    ``position`` is where the input of the check says so; None for what the cluster came to.
    ``since`` is the index of the step after which it has been so; 0 where it was so at the start,
    or that is not known.
    """

    name: str
    value: str
    position: Position | None = None
    since: int = 0


Judgement: TypeAlias = Literal["chosen", "feasible", "outscored", "filtered"]


@dataclass(frozen=True, slots=True)
class NodeReview:
    """What the scheduler makes of some nodes for one pod.

    Attributes:
        nodes: their names, in order.
        judgement: ``outscored`` nodes pass every filter, as ``feasible`` ones do, but others score
            higher.
        plugin: which filtered them; empty unless they are ``filtered``.
        reasons: the plugin's, in the scheduler's words.
        detail: what these say of these very nodes, such as ``cpu: 600m asked for, 400m of 1 left``.
        score: the weighted total, where scores decide.
        position: the field of the pod's template that the plugin goes by, where there is one.
    """

    nodes: tuple[str, ...]
    judgement: Judgement
    plugin: str = ""
    reasons: tuple[str, ...] = ()
    detail: str = ""
    score: int | None = None
    position: Position | None = None

    @property
    def words(self) -> str:
        """The judgement in a sentence without its nodes."""
        if self.judgement == "filtered":
            detail = f" ({self.detail})" if self.detail else ""
            return f"filtered by {self.plugin}: {', '.join(self.reasons)}{detail}"
        score = f", score {self.score}" if self.score is not None else ""
        return f"{self.judgement}{score}"


@dataclass(frozen=True, slots=True)
class Missed:
    """Something that happened after its actor had read, or that it could not see.

    ``step`` is the index of the step that did it, 0 where it was so at the start; ``words`` are a
    sentence without its full stop.
    """

    step: int
    words: str


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step: who did what, to what, why, and what changed by it.

    ``index`` counts from 1. ``summary`` is one sentence, ``why`` is empty where there is nothing
    to add. ``environment`` marks users and faults: what may happen, in contrast to what must.
    ``unseen`` is what the actor did not see when it acted, one sentence each, where that is known.
    ``follows`` is the index of the step that made it possible; 0 where it was so at the start, and
    for users and faults. ``missed`` is what makes a step one that rests on an older state.
    ``picture`` is what the step changes in the picture of the cluster, where the story has one.
    ``facts`` are what the decision read, ``nodes`` what the scheduler made of each node.
    ``position`` is the field of the input that the step comes from: an event, or what a controller
    goes by.
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
    facts: tuple[Fact, ...] = ()
    nodes: tuple[NodeReview, ...] = ()
    position: Position | None = None
    follows: int = 0
    missed: tuple[Missed, ...] = ()


@dataclass(frozen=True, slots=True)
class Decisive:
    """The step after which a promise is broken, or cannot be kept any more, by its index.

    ``words`` say in which way it decides, a sentence without its full stop.
    """

    step: int
    words: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """How a state, or the step that led to it, belies a property, with numbers.

    ``claim`` is the promise with its values, such as ``available 0 < promised 1``; ``terms`` are
    what it is made of; ``step`` is the index of the step after which it is so, 0 for the start.
    """

    claim: str
    terms: tuple[Fact, ...]
    step: int


class Hindrance(StrEnum):
    """What the facts are called that tell a pod's own reasons to wait, or to stand with others."""

    MACHINE = "machine that is down"
    RUNTIME = "container runtime that does not answer"
    MISSING = "configuration that is missing"
    UNANSWERED = "Service that its init container waits for"
    UNASKED = "port that its probe asks for"
    FOR_EVER = "NoExecute taints tolerated for ever"
    STRATEGY = "spec.strategy.type"
    SURGE = "maxSurge"
    UNAVAILABLE = "maxUnavailable"
    INIT_CONTAINER = "init container that decides the request"
    UNKNOWN_KEY = "topologyKey that no node has"
    TAINTS_POLICY = "nodeTaintsPolicy"
    EVERY_REVISION = "pods of every revision count"
    REPLICAS = "spec.replicas"
    APART = "rule that keeps its pods apart"
    WISH = "rule that is only a wish"
    CLAIM = "claim that keeps its containers from starting"
    ATTACHED = "claim whose volume is attached elsewhere"
    SERVES_FOR = "once deleted the pod serves for"
    PUBLISHED = "publishNotReadyAddresses"
    SENDERS = "still sending to it"
    HEARD = "all of these have heard of it within"
    ENOUGH = "a preStop pause that is enough"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pod that is not available where nobody acts any more, and what it waits for.

    ``message`` is the scheduler's where the pod has no node; ``nodes`` then has what it makes of
    each. ``facts`` are its own reasons, each called by a `Hindrance`.
    """

    pod: str
    message: str
    nodes: tuple[NodeReview, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Idle:
    """A component, and why it does nothing where nobody acts any more.

    ``held_up`` tells that its work is not done, but cannot go on.
    """

    actor: str
    reason: str
    held_up: bool = False


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
        contradictions: the property's terms with their values; several where several objects do.
        waiting: what every pod waits for that is not available at a standstill.
        idle: why nobody acts there.
        decisive: the step that decides; None where there is none, or it is not known.
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
    contradictions: tuple[Contradiction, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    idle: tuple[Idle, ...] = ()
    decisive: Decisive | None = None

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
