"""What a decision consists of. Only data, for reports to render."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from kubelemma.model.objects.pod import Pod
from kubelemma.solver.limits import Clock

from .certificate_data import Certificate
from .problem import Afterwards, Answer, Eviction, Placement, Question


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a decision may take; all of it is counted, so that runs can be repeated.

    ``seconds`` (with a ``clock`` that gives seconds) makes it stop early as UNKNOWN. ``rounds``
    scales the moves and swaps that repair an incomplete placement, ``repackings`` are exact
    re-packings of a few nodes, ``exact_ways`` the placements that an exhaustive search may look at,
    ``solver_steps`` what Z3 may use up (its ``rlimit``). ``relaxations`` is whether a NO to a
    question that is not too large comes with the smallest changes that turn it into a YES.
    """

    seconds: float | None = None
    clock: Clock | None = None
    rounds: int = 400
    repackings: int = 40
    exact_ways: int = 200_000
    solver_steps: int = 20_000_000
    relaxations: bool = True

    def now(self) -> float:
        """The time by the clock; 0 where there is none."""
        return self.clock() if self.clock else 0.0

    def since(self, started: float) -> Effort:
        """What is left of an effort that began then: the same, with fewer seconds."""
        if self.seconds is None or self.clock is None:
            return self
        return replace(self, seconds=max(0.0, self.seconds - (self.clock() - started)))


class ReasonKind(StrEnum):
    """Why not, from coarse to fine."""

    NO_NODE = "no-node"
    """Not one pod of the workload fits on any node, even with nothing else to place."""
    ALONE = "alone"
    """The workload does not fit, even with nothing else to place."""
    TOTAL = "total"
    """What is asked of one resource exceeds what the nodes that come into question have left."""
    CONFLICT = "conflict"
    """Workloads that exclude one another need more domains than there are."""
    COMBINED = "combined"
    """Several shortages together: a weighted sum of resources over several nodes."""
    FRAGMENTED = "fragmented"
    """There is enough in total, but in pieces that are too small."""
    EXHAUSTED = "exhausted"
    """Every way was tried."""
    ORDER = "order"
    """Legal states there may be, but scheduling one pod at a time stops before, or may stop."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the answer is NO: the coarsest explanation that suffices.

    ``workloads`` and ``nodes`` are indexes into the problem. ``needed`` and ``available`` are
    amounts of ``resource``, in millicores for cpu and its own unit else, or numbers of pods where
    ``resource`` is ``pods``; None where no single amount says it. ``lines`` say it for people, in
    at most three lines.
    """

    kind: ReasonKind
    workloads: tuple[int, ...]
    nodes: tuple[int, ...]
    lines: tuple[str, ...]
    resource: str | None = None
    needed: int | None = None
    available: int | None = None

    @property
    def sentence(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


class RelaxationKind(StrEnum):
    """What is changed."""

    ADD_NODES = "add-nodes"
    FEWER_PODS = "fewer-pods"
    LESS_REQUEST = "less-request"
    SOFTEN = "soften"


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A change after which the answer is YES: it was decided again to make sure.

    ADD_NODES: ``count`` more nodes like ``node``, an index. FEWER_PODS: ``count`` pods less of
    ``workload``. LESS_REQUEST: each pod of ``workload`` asks for ``count`` less of ``resource``
    (millicores, bytes). SOFTEN: the ``constraint`` of ``workload`` is dropped. ``smallest`` says
    that one less of it is proved not to suffice.
    """

    kind: RelaxationKind
    sentence: str
    count: int = 0
    workload: int | None = None
    node: int | None = None
    resource: str | None = None
    constraint: str | None = None
    smallest: bool = False


@dataclass(frozen=True, slots=True)
class PendingReason:
    """Why pods of a workload would be pending, beside the pods that were placed.

    ``counts`` gives, in the scheduler's own words, on how many nodes each reason applies;
    ``examples`` a node for each. A node may have several reasons. ``preemption`` is what the
    scheduler adds about driving out others; empty where that was not looked at.
    """

    workload: int
    pods: int
    nodes: int
    counts: tuple[tuple[str, int], ...]
    examples: tuple[int, ...] = ()
    preemption: str = ""

    @property
    def sentence(self) -> str:
        """The message that the scheduler would write into the pod's condition."""
        parts = ", ".join(f"{n} {words}" for words, n in self.counts)
        return f"0/{self.nodes} nodes are available: {parts}." if parts else "no nodes available"

    @property
    def message(self) -> str:
        """The sentence, with what is said of preemption."""
        return (
            f"{self.sentence} preemption: {self.preemption}" if self.preemption else self.sentence
        )


class Shortage(NamedTuple):
    """A resource of which pods hold more than there is: in millicores, bytes, or its own unit."""

    resource: str
    held: int
    offered: int


class Refusal(NamedTuple):
    """A pod that a kubelet does not admit, and its ``status.reason``."""

    pod: Pod
    reason: str


class Overfull(NamedTuple):
    """A node that holds too much; ``pods`` are those that hold any of what is short."""

    node: int
    short: tuple[Shortage, ...]
    pods: tuple[Pod, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """The answer for the workloads of at least this priority, as preemption would have it."""

    priority: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Statistics:
    """How large the question was, and how it was answered.

    ``headroom`` is the share of all nodes' capacity that the fractional relaxation leaves free on
    each, at best; below 0 it is a shortage. None where it was not computed.
    """

    workloads: int = 0
    pods: int = 0
    nodes: int = 0
    shapes: int = 0
    classes: int = 0
    rungs: tuple[str, ...] = ()
    headroom: float | None = None
    stopped_by: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a question of placement, with what proves it.

    ``placement`` is the best that was found; it is complete if the answer to FINAL or REACHABLE is
    YES, and then a legal final state, or where ``order`` leads. ``unplaced`` counts the pods left
    over by workload. NO has a ``reason``, and, unless orders were tried, a ``certificate`` that was
    verified in exact arithmetic. ``order`` is the witness of REACHABLE: (workload, node), one pod
    at a time. ``stuck`` is a placement in which scheduling stops before all pods are placed; then
    ``order`` leads there. ``evictions`` are existing pods that have to go for others; see
    ``preempted``. ``by_importance``: whether the placement is where the scheduler gets, with the
    most important first, and not the best that was found.
    """

    answer: Answer
    question: Question
    placement: Placement
    unplaced: tuple[int, ...]
    reason: Reason | None = None
    certificate: Certificate | None = None
    relaxations: tuple[Relaxation, ...] = ()
    pending: tuple[PendingReason, ...] = ()
    order: tuple[tuple[int, int], ...] = ()
    stuck: Placement | None = None
    evictions: tuple[Eviction, ...] = ()
    by_importance: bool = False
    levels: tuple[Level, ...] = ()
    statistics: Statistics = field(default_factory=Statistics)

    def lost(self) -> tuple[Eviction, ...]:
        """Those that have to go, and that nobody creates again, as far as is known."""
        gone = (Afterwards.GONE, Afterwards.OPEN)
        return tuple(one for one in self.evictions if one.afterwards in gone)
