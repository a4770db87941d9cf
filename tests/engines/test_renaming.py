"""What is found of a cluster does not depend on names, nor on the order of documents.

All sorts of manifests, as they are drawn for the brute force, against themselves under other names
and in another order: for checks and for placements. To try more than a test run does::

    python tests/engines/test_renaming.py 1000 [FIRST_SEED]

prints what differs, how often which case was met, and exits 1 if anything differs.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

from drawn_manifests import Drawn, seeded_manifests
from test_placement_brute_force import at_least

from kubelemma import api
from kubelemma.placing.answering import answers
from kubelemma.placing.asking import Asked
from kubelemma.solver.placement.problem import Question
from kubelemma.solver.result import Verdict

ASKED = ("DEP-4", "STUCK", "RS-1", "SCH-3")
STATES = 4_000
"""Larger systems are not compared: what a limit leaves open depends on what comes first."""
NAME = re.compile(r"\b(n|w|old)([0-9])(?=$|-h)")
"""The names of nodes, of workloads and of lone pods."""


class TooLargeError(Exception):
    """The system has too many states."""


def naming(random: Random) -> Mapping[str, str]:
    """What everything is called instead."""
    found = {}
    for prefix in ("n", "w", "old"):
        names = [f"{prefix}{number}" for number in range(10)]
        others = random.sample(names, len(names))
        found |= dict(zip(names, others, strict=True))
    return found


def renamed(thing: Any, names: Mapping[str, str]) -> Any:
    """The same with other names, wherever they stand."""
    if isinstance(thing, str):
        return NAME.sub(lambda match: names[match[0]], thing)
    if isinstance(thing, list):
        return [renamed(each, names) for each in thing]
    if isinstance(thing, dict):
        return {key: renamed(value, names) for key, value in thing.items()}
    return thing


def text_of(documents: list[Any]) -> str:
    """The documents as ``kubectl get`` gives them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})


def placed(text: str) -> list[tuple[Any, ...]]:
    """What place says to each question, and how many pods it finds no place for."""
    found = []
    for question in Question:
        for preemption in (False, True):
            asked = Asked(paths=("-",), stdin=text, preemption=preemption, question=question)
            (answered,) = answers(asked)
            decision = answered.report.decision
            found.append((question, preemption, decision.answer, len(decision.evictions)))
    return found


def checked(text: str, names: Mapping[str, str]) -> Counter[tuple[str, str, Verdict]]:
    """How often what is found of which workload, by its usual name.

    Raises:
        TooLargeError: not all of it is decided.
    """
    back = {other: name for name, other in names.items()}
    found: Counter[tuple[str, str, Verdict]] = Counter()
    question = api.Question(
        paths=(api.STDIN,),
        stdin=text,
        events=(f"rollout={names['w0']}", "node-crash"),
        workloads=(names["w0"],),
        properties=ASKED,
        max_states=STATES,
    )
    for case in api.ask(question).cases:
        for result in api.explore(case, engine="plain").result.properties:
            if result.verdict is Verdict.INCONCLUSIVE and not case.scenario.held:
                raise TooLargeError
            found[renamed(result.property.subject, back), result.property.id, result.verdict] += 1
    return found


class Comparison:
    """What differs, and how often which case was met."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.differences: list[str] = []

    def compare(self, name: str, drawn: Drawn, random: Random) -> None:
        """Ask both."""
        documents = drawn.documents()
        names = naming(random)
        others = renamed(documents, names)
        random.shuffle(others)
        usual, other = text_of(documents), text_of(others)
        self._compare(name, "place", placed(usual), placed(other))
        if "own" not in drawn.owners[0].template["metadata"]["labels"]:
            return
        try:
            before = checked(usual, {name: name for name in names})
        except TooLargeError:
            self.counts["check: too large"] += 1
            return
        self._compare(name, "check", before, checked(other, names))
        self.counts["check: something violated"] += any(v is Verdict.VIOLATED for *_, v in before)
        self.counts["check: several starts"] += max(before.values(), default=0) > 1

    def _compare(self, name: str, what: str, one: object, other: object) -> None:
        self.counts[what] += 1
        if one != other:
            self.differences.append(f"{name}: {what} says {one}, and else {other}")


def test_names_and_order_change_nothing() -> None:
    """Renamed, and in another order, the same is found."""
    comparison = Comparison()
    for seed in range(at_least(200) // 10):
        comparison.compare(f"seed {seed}", seeded_manifests(seed), Random(seed))  # noqa: S311
    assert comparison.differences == []


def main(count: int, first: int = 0) -> int:
    """Compare so many clusters by seed; the exit code is 1 if anything differs."""
    comparison = Comparison()
    for seed in range(first, first + count):
        comparison.compare(f"seed {seed}", seeded_manifests(seed), Random(seed))  # noqa: S311
    lines = [f"{number:8} {what}" for what, number in sorted(comparison.counts.items())]
    found = comparison.differences
    print(*lines, f"{len(found)} differences", *found[:50], sep="\n")  # noqa: T201 - a script
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
