"""What a report on placement has to say to somebody who reads only what is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.model.manifests.problems import Position
from kubelemma.solver.placement.problem import Afterwards, Answer

from .notice import Level
from .placement import PlacementReport
from .placement_text import QUESTIONS, headline
from .placement_words import overfull, pods


class Rule(NamedTuple):
    """A sort of findings: its identifier, what is asked for, and what to do where it is missed."""

    id: str
    title: str
    help: str


PENDING = Rule(
    "place/pending",
    "Every pod has a place",
    "Add nodes, ask for less, or drop a constraint: the report says which of these is enough.",
)
PREEMPTED = Rule(
    "place/preempted",
    "No pod has to go for others",
    "Add nodes, or give the pods a priority that is no lower than that of those that come.",
)
LOST = Rule(
    "place/lost",
    "No pod has to go for others that nobody creates again",
    "Give it a controller, such as a Deployment or a Job, or a priority that is no lower than that "
    "of those that come.",
)
OVERFULL = Rule(
    "place/overfull",
    "No node holds more than it offers",
    "Move pods to other nodes, or have them request less; a kubelet refuses what does not fit.",
)
WHAT_IF = Rule(
    "place/what-if",
    "Every pod has a place in what was asked about, too",
    "Add nodes until nothing is lost that is needed, or ask for less.",
)
UNDECIDED = Rule(
    "place/undecided",
    "It is known whether every pod has a place",
    "Give it more time, or ask about fewer pods at once.",
)
RULES = (PENDING, PREEMPTED, LOST, OVERFULL, WHAT_IF, UNDECIDED)


class Finding(NamedTuple):
    """Something that is not as it should be: by which rule, about whom, and where that stands."""

    rule: Rule
    level: Level
    subject: str
    sentence: str
    position: Position | None = None

    def fingerprint(self) -> str:
        """The same for the same finding in every run, whatever it says and its line."""
        parts = [self.rule.id, self.subject]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def findings(report: PlacementReport) -> Iterator[Finding]:
    """All of them, the loudest first; none where everything that was asked is feasible."""
    parts = (_overfull, _pending, _whatifs, _undecided, _preempted)
    found = [finding for part in parts for finding in part(report)]
    levels = list(Level)
    yield from sorted(found, key=lambda finding: levels.index(finding.level))


def messages(report: PlacementReport) -> dict[int, str]:
    """What the scheduler would write about pending pods, by workload."""
    return {one.workload: one.message for one in report.decision.pending}


def is_doubtful(report: PlacementReport) -> bool:
    """Whether all that was asked for has a place, and yet something is not as it should be.

    Pods are lost for that, or a node holds more than it offers.
    """
    lost = (Afterwards.GONE, Afterwards.OPEN)
    doubt = bool(report.overfull) or any(row.afterwards in lost for row in report.evictions)
    return report.answer is Answer.YES and doubt


def _overfull(report: PlacementReport) -> Iterator[Finding]:
    for row in report.overfull:
        level = Level.ERROR if row.refused else Level.NOTE
        position = next((refused.position for refused in row.refused), None)
        yield Finding(OVERFULL, level, f"Node {row.node}", overfull(row), position)


def _pending(report: PlacementReport) -> Iterator[Finding]:
    if report.decision.answer is not Answer.NO:
        return
    said, pending = messages(report), False
    for number, row in enumerate(report.workloads):
        if row.pending:
            pending = True
            verb = "is" if row.pending == 1 else "are"
            message = f": {said[number]}" if number in said else ""
            sentence = f"{pods(row.pending)} of {row.name} {verb} pending{message}"
            yield Finding(PENDING, Level.ERROR, row.name, sentence, row.share.position)
    if not pending:
        yield Finding(PENDING, Level.ERROR, QUESTIONS[report.question], headline(report))


def _whatifs(report: PlacementReport) -> Iterator[Finding]:
    for one in report.whatifs:
        if one.answer is not Answer.YES:
            level = Level.ERROR if one.answer is Answer.NO else Level.WARNING
            yield Finding(WHAT_IF, level, one.title, f"{one.title}: {' '.join(one.lines)}")


def _undecided(report: PlacementReport) -> Iterator[Finding]:
    if report.decision.answer is Answer.UNKNOWN:
        subject = QUESTIONS[report.question]
        yield Finding(UNDECIDED, Level.WARNING, subject, headline(report))


def _preempted(report: PlacementReport) -> Iterator[Finding]:
    for row in report.evictions:
        sentence = f"{row.pod}: {row.told}"
        lost = row.afterwards in (Afterwards.GONE, Afterwards.OPEN)
        yield Finding(LOST if lost else PREEMPTED, Level.NOTE, row.pod, sentence, row.position)
