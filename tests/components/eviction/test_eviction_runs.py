"""What the real API server wrote and answered in recorded runs, against what evictions decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from recordings import History, Line, Objects, budget_of, evicted_pod, is_covered

from kubelemma.model.components.disruption.budget import Budget
from kubelemma.model.components.eviction.decision import (
    Answer,
    Refuse,
    Remove,
    Spend,
    after_removal_conflict,
    exhausted_message,
    first_step,
    spend,
)
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.disruption import PodDisruptionBudget

KINDS = frozenset(("PodDisruptionBudget", "Pod"))
Reader = Callable[[frozenset[str]], Iterator[History]]
Reply = tuple[int, str]
"""A code, and why it is 429."""


def test_what_budgets_pay_in_runs(histories: Reader, tally: Any) -> None:
    """Whatever the API server wrote to a budget is what it pays for one eviction."""
    for run in histories(KINDS):
        versions: dict[str, Budget] = {}
        for line in run.lines:
            if line.get("kind") != "PodDisruptionBudget" or line["type"] == "DELETED":
                continue
            after = budget_of(line["object"])
            if line["actor"] == "system:apiserver":
                before = versions[str(line["preRV"])]
                (entry,) = {*after.status.disrupted_pods} - {*before.status.disrupted_pods}
                if spend(before, entry.pod, entry.since) == Spend(after.status):
                    tally.passed("evictions paid in runs")
                else:
                    tally.failed("evictions paid in runs", f"{run.name} {line['rv']}", "differs")
            versions[str(line["rv"])] = after
    tally.verify("evictions paid in runs")


def test_answers_in_runs(histories: Reader, tally: Any) -> None:
    """Every answer is one that an eviction may come to between the request and the answer."""
    for run in histories(KINDS):
        for line in run.lines:
            if not is_eviction(line):
                continue
            causes = line.get("causes") or [{"message": ""}]
            answered = (line["code"], causes[0]["message"] if line["code"] == 429 else "")
            possible = set(replies(run.between(line["t0"], line["t1"]), line["path"]))
            if answered in possible:
                tally.passed("evictions answered in runs")
            else:
                case = f"{run.name} {line['i']}"
                tally.failed("evictions answered in runs", case, f"{answered}, not {possible}")
    tally.verify("evictions answered in runs")


def is_eviction(line: Line) -> bool:
    """Whether a line is the request for an eviction."""
    return line["src"] == "driver" and line.get("path", "").endswith("/eviction")


def replies(moments: list[Objects], path: str) -> Iterator[Reply]:
    """What may be answered, of a pod and budgets that are read one after the other."""
    _, _, _, _, namespace, _, name, _ = path.split("/")
    for early, late in product(moments, moments):
        pods = (p["metadata"] | {"pod": p} for p in early.values() if p["kind"] == "Pod")
        pod = next(
            (p["pod"] for p in pods if (p["namespace"], p["name"]) == (namespace, name)), None
        )
        if pod is None:
            yield Answer.POD_NOT_FOUND.code, ""
        else:
            yield from replies_to(pod, late)


def called(raw: Line) -> tuple[str, str]:
    """The namespace and the name of an object."""
    return raw["metadata"]["namespace"], raw["metadata"]["name"]


def replies_to(pod: Line, objects: Objects) -> Iterator[Reply]:
    """What may be answered where the pod is there; a removal may succeed, or meet a conflict."""
    budgets = dict(matching(pod, objects))
    step = first_step(evicted_pod(pod), [*budgets.values()], pod["metadata"]["name"], now=0)
    if isinstance(step, Refuse):
        yield reply(step.answer, budgets)
        return
    yield Answer.EVICTED.code, ""
    if isinstance(step, Remove) and step.pinned:
        answer = after_removal_conflict(step, attempts=1)
        if answer is not None:
            yield reply(answer, budgets)


def matching(pod: Line, objects: Objects) -> Iterator[tuple[str, Budget]]:
    """The budgets that match a pod, by name."""
    found = (raw for raw in objects.values() if raw["kind"] == "PodDisruptionBudget")
    for raw in found:
        if is_covered(decode(raw, PodDisruptionBudget), pod):
            yield raw["metadata"]["name"], budget_of(raw)


def reply(answer: Answer, budgets: dict[str, Budget]) -> Reply:
    """An answer as it is recorded."""
    if answer.code != 429:
        return answer.code, ""
    [(name, budget)] = budgets.items()
    if answer is Answer.EXHAUSTED:
        return answer.code, exhausted_message(name, budget.status)
    return answer.code, f"The disruption budget {name} is still being processed by the server."
