"""What there is to tell of a component: one value, which a registry lists.

A step is told by its sentence, what the actor had read (facts), what it had not seen, what it
changed, and where in the input it comes from. A run ends with why nobody acts any more, and with
the claims that it belies. A state is told by boxes in a picture, and by lines in a state graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import NodeState
from kubelemma.model.cluster.world import Workload
from kubelemma.model.manifests.problems import Position
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import Action
from kubelemma.reports.picture import AnyBox
from kubelemma.reports.story import Change, Fact, Idle, NodeReview

from .cast import Cast
from .scene import Belied, Claim, Scene, Seen, Standstill
from .written import Written

Reviews: TypeAlias = Callable[[Scene], tuple[NodeReview, ...]]
Boxes: TypeAlias = Callable[[Seen, Cast], Iterator[AnyBox]]
Waits: TypeAlias = tuple[str, tuple[NodeReview, ...]]
"""What a pod waits for, and what there is to say of the nodes."""


def _nothing(*_shown: Any) -> Iterator[Any]:
    return iter(())


def _no_reviews(_scenario: Scenario, _written: Written) -> Reviews:
    return lambda _scene: ()


def _no_boxes(_scenario: Scenario, _written: Written) -> Boxes:
    return _nothing


def _does_not_say(_end: Standstill, _place: Place) -> Waits | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """How a component is told. What it has nothing to say of is left out.

    Attributes:
        name: as the component's folder is called.
        sentences: by action, what was done, where the actor is not named again. Besides ``{pod}``,
            ``{where}`` and ``{node}`` they may have the words of all tellers.
        words: what stands in sentences, by name.
        spoken: the argument of a step that is its sentence, where steps bring one along.
        facts: by action, what the actor had read; users and faults read nothing.
        decisive: by action, the fact whose field is the one behind the step.
        causes: by action of users and faults, where the input allows it.
        reviews: of a scenario, a function that reviews the nodes for the pod of a step.
        unseen: what the actor of a step had not seen, a sentence for each thing.
        changes: the fields of its objects that differ between two states.
        ends: by action, the status of a pod that is no longer followed.
        fields: the fields of a Node that it cares for, with their values.
        conditions: what is out of the ordinary about a node, in a word or two.
        idle: why it does nothing where nobody acts any more.
        since: by property, after how many steps of a run it was due what never comes, where that
            cannot be told from the formula alone.
        waits: what a pod at a place waits for there, if it can say.
        hinders: what of its specification makes a pod at a place wait there, given what the
            scheduler makes of the nodes.
        claims: by property, how a state belies it.
        remarks: the same for whatever property.
        boxes: of a scenario, a function that gives the boxes of a state.
        lines_of: of a state and a workload, lines that come first.
        lines: lines of a state that come after workloads and nodes.
    """

    name: str
    sentences: Mapping[Action, str] = field(default_factory=dict)
    words: Mapping[str, Callable[[Scene], str]] = field(default_factory=dict)
    spoken: str = ""
    facts: Mapping[Action, Callable[[Scene], Iterator[Fact]]] = field(default_factory=dict)
    decisive: Mapping[Action, Callable[[Scene], str]] = field(default_factory=dict)
    causes: Mapping[Action, Callable[[Scene], Position | None]] = field(default_factory=dict)
    reviews: Callable[[Scenario, Written], Reviews] = _no_reviews
    unseen: Callable[[Scene], Iterator[str]] = _nothing
    changes: Callable[[Seen, Seen], Iterator[Change]] = _nothing
    ends: Mapping[Action, str] = field(default_factory=dict)
    fields: Callable[[NodeState], Iterator[tuple[str, str]]] = _nothing
    conditions: Callable[[NodeState], Iterator[str]] = _nothing
    idle: Callable[[Standstill], Iterator[Idle]] = _nothing
    since: Mapping[str, Callable[[Sequence[Seen]], int]] = field(default_factory=dict)
    waits: Callable[[Standstill, Place], Waits | None] = _does_not_say
    hinders: Callable[[Standstill, Place, Sequence[NodeReview]], Iterator[Fact]] = _nothing
    claims: Mapping[str, Callable[[Belied], Iterator[Claim]]] = field(default_factory=dict)
    remarks: Callable[[Belied], Iterator[Claim]] = _nothing
    boxes: Callable[[Scenario, Written], Boxes] = _no_boxes
    lines_of: Callable[[Seen, Workload], Iterator[str]] = _nothing
    lines: Callable[[Seen], Iterator[str]] = _nothing
