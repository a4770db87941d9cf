"""What a check or a placement makes of manifests, as something that can be compared."""

from __future__ import annotations

import json
from typing import Any

from kubelemma import api
from kubelemma.model.manifests import InvalidInput
from kubelemma.model.scenario import Scenario
from kubelemma.placing.answering import answers
from kubelemma.placing.asking import Asked

REFUSED = "refused"
STEPS = 25
"""So many states of a system are looked at, the nearest first."""


def text_of(documents: list[Any]) -> str:
    """The documents as one file."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})


def checked(documents: list[Any]) -> object:
    """What may happen in the systems that a check explores, as far as a few steps go."""
    try:
        asked = api.ask(api.Question(paths=(api.STDIN,), stdin=text_of(documents)))
    except InvalidInput:
        return REFUSED
    return tuple((c.scenario.subject, remarks(c), happenings(c.scenario)) for c in asked.cases)


def remarks(case: api.Case) -> frozenset[str]:
    """What is said to be left out that may change a verdict."""
    noted = case.manifests.not_modelled
    return frozenset(each.reason for each in noted if each.severity == "not modelled")


def happenings(scenario: Scenario) -> tuple[object, ...]:
    """The first states of a system, and what leads on from each."""
    system = scenario.system
    seen = {system.initial: None}
    found: list[object] = [system.initial]
    agenda = [system.initial]
    for state in agenda:
        for step in system.successors(state):
            after = system.canonical(step.state)
            found.append((step.outcome.action, step.outcome.arguments, after))
            if after not in seen and len(seen) < STEPS:
                seen[after] = None
                agenda.append(after)
    return tuple(found)


def placed(documents: list[Any]) -> object:
    """Who is placed where, and who has to go."""
    try:
        (answered,) = answers(Asked(paths=("-",), stdin=text_of(documents)))
    except InvalidInput:
        return REFUSED
    report, decision = answered.report, answered.report.decision
    return (
        frozenset(n.reason for n in report.not_modelled if n.severity == "not modelled"),
        decision.answer,
        decision.unplaced,
        decision.pending,
        [(one.pod.metadata.name, one.node) for one in decision.evictions],
        [(row.name, row.usage, row.placed) for row in report.nodes],
    )
