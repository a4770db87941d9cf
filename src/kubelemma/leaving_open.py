"""What a search does not decide although it saw every state: where something is left open.

That is what is not modelled and may keep pods from starting, who is held still, and starts that
were not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .asked import Case
from .properties.statement import Kind
from .solver.result import CheckResult, PropertyResult, Verdict

_WHO_PLACES = frozenset({"scheduler", "kubectl-drain", "all"})
"""Of promises that need room for pods to be kept, one of these is among the components."""


def with_doubts(result: CheckResult, case: Case) -> CheckResult:
    """What a search of the case found, without what is left open."""
    return replace(result, properties=tuple(doubted(each, case) for each in result.properties))


def doubted(found: PropertyResult, case: Case) -> PropertyResult:
    """What is found, but that something comes to its end is not decided where others are held.

    Nor is it where something that is not modelled may keep pods from starting; nor is anything
    where it may begin in ways that were not looked at.
    """
    scenario = case.scenario
    if found.verdict is not Verdict.HOLDS:
        return found
    if scenario.unseen:
        return replace(found, verdict=Verdict.INCONCLUSIVE, vacuous=False, reason=scenario.unseen)
    reason = "; ".join(filter(None, (scenario.held, *in_the_way(case))))
    if not reason:
        return found
    statement = found.property.statement
    if statement.kind is not Kind.LIVENESS or _WHO_PLACES.isdisjoint(statement.components):
        return found
    return replace(found, verdict=Verdict.INCONCLUSIVE, vacuous=False, reason=reason)


def in_the_way(case: Case) -> Iterator[str]:
    """What may be in the way of the workloads of a case, each in a sentence.

    A field is that of its own workload; an object of a namespace is in the way of all there.
    """
    focus = frozenset(case.scenario.focus)
    namespaces = {name.partition(" ")[2].rpartition("/")[0] for name in focus}
    for part in case.manifests.not_modelled:
        if not part.opens:
            continue
        namespace, slash, _ = part.object.partition(" ")[2].rpartition("/")
        if part.object in focus if part.path else not slash or namespace in namespaces:
            yield f"{part.object}{f', {part.path}' if part.path else ''}: {part.reason}"
