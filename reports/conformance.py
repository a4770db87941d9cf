"""What became of recorded runs: whether the model could have behaved like them, and where not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from kubelemma.model.manifests.problems import Problem


class Answer(StrEnum):
    """What is said of a run as a whole."""

    ACCEPTED = "accepted"
    """Every write is one that the model could have done there."""
    IN_PART = "in part"
    """Every write is, but for those of what is not modelled."""
    REFUSED = "refused"
    """The model could not have done some write there."""
    UNDECIDED = "undecided"
    """There were too many states to follow, or there was nothing to judge."""
    BROKEN = "broken off"
    """Nothing is refused as far as the file can be read, which is not to its end."""


@dataclass(frozen=True, slots=True)
class Possible:
    """What the model could have done instead, and how the observation would have changed."""

    action: str
    why: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that the model could not have done where it stands.

    Attributes:
        line: where it stands in the file.
        revision: of the store.
        time: in seconds since the run began.
        actor: who wrote; empty where that is not known.
        what: the verb and the kind, such as ``update/status ReplicaSet``.
        object: the name of what was written.
        changes: what was observed before and after it.
        nearest: the outcome that comes nearest to it of all that the actor could have done.
        in_hand: what the actor may have had in memory.
        read_at: the latest revision as of which it would have been possible; None for none of those
            that are still known.
    """

    line: int
    revision: int
    time: float
    actor: str
    what: str
    object: str
    changes: tuple[str, ...]
    nearest: Possible | None
    in_hand: tuple[str, ...]
    read_at: int | None


@dataclass(frozen=True, slots=True)
class Outside:
    """Writes of what is not modelled, which were taken as they came."""

    actor: str
    what: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """One run, as far as it could be read.

    ``writes`` are those of modelled controllers that changed what is observed; ``inputs`` those of
    users and faults. ``states`` is the greatest number of states that was followed at once;
    ``complete`` is False where there were too many. ``problem`` is why it cannot be read further.
    """

    file: str
    scenario: str
    deployments: int
    writes: int
    inputs: int
    refusals: tuple[Refusal, ...]
    outside: tuple[Outside, ...]
    states: int
    seconds: float
    complete: bool = True
    problem: Problem | None = None

    @property
    def answer(self) -> Answer:
        """What is said of the run."""
        if self.refusals:
            return Answer.REFUSED
        if self.problem is not None:
            return Answer.BROKEN
        if not self.complete or not (self.writes or self.inputs or self.outside):
            return Answer.UNDECIDED
        return Answer.IN_PART if self.outside else Answer.ACCEPTED

    @property
    def accepted(self) -> int:
        """How many of the writes the model could have done."""
        return self.writes - len(self.refusals)

    @property
    def name(self) -> str:
        """The name of the file, without its folder and what its format adds."""
        return Path(self.file).name.removesuffix(".gz").removesuffix(".jsonl")


@dataclass(frozen=True, slots=True)
class ConformanceReport:
    """All runs, in the order in which they were given."""

    version: str
    runs: tuple[JudgedRun, ...]

    def number(self, answer: Answer) -> int:
        """How many runs have this answer."""
        return sum(run.answer is answer for run in self.runs)


class RefusalClass(NamedTuple):
    """Refusals of one actor and kind of write.

    ``late`` are those that would have been possible as of an earlier revision.
    """

    actor: str
    what: str
    number: int
    late: int
    runs: int


def refusal_classes(runs: Iterable[JudgedRun]) -> tuple[RefusalClass, ...]:
    """All classes of refusals, the most frequent first."""
    found: dict[tuple[str, str], list[tuple[str, Refusal]]] = {}
    for run in runs:
        for refusal in run.refusals:
            found.setdefault((refusal.actor, refusal.what), []).append((run.file, refusal))
    classes = (
        RefusalClass(
            *key,
            number=len(members),
            late=sum(refusal.read_at is not None for _, refusal in members),
            runs=len({file for file, _ in members}),
        )
        for key, members in found.items()
    )
    return tuple(sorted(classes, key=lambda c: (-c.number, c.actor, c.what)))


def outside_classes(runs: Iterable[JudgedRun]) -> tuple[Outside, ...]:
    """Writes of what is not modelled of all runs, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for run in runs:
        for found in run.outside:
            counts[found.actor, found.what] += found.number
    kinds = (Outside(*key, number) for key, number in counts.items())
    return tuple(sorted(kinds, key=lambda o: (-o.number, o.actor, o.what)))
