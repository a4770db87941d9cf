"""Evictions against what the real API server's own tests expect.

The tables have a store whose answers are scripted (``storeScript``), which is played here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from recordings import budget_of, evicted_pod, is_covered

from kubelemma.model.components.disruption.budget import Budget
from kubelemma.model.components.eviction.decision import (
    AFTER_SPENDING,
    Answer,
    EvictedPod,
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

Case = dict[str, Any]

NOW = 1000
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.: TooManyRequests: "
CONFLICT = 'Operation cannot be fulfilled on tests "2": message: Conflict'
BAD_REQUEST = "test designed to error: BadRequest"
TWO_NAMES = "nobody here names one pod in the request and another in its body"
SETTLED = "1000"
"""The version from which on the scripted store accepts a pinned DELETE."""


def test_evictions(upstream: Callable[[str], list[Case]], tally: Any) -> None:
    """The answer, its text and the number of DELETEs are those of the real API server."""
    for case in upstream("eviction_api"):
        told = case["expect"]
        if case["input"].get("badNameInURL"):
            tally.skipped("eviction_api", TWO_NAMES)
            continue
        found = granted(case["input"]) if "evict" in case["input"] else evicted(case["input"])
        differing = {key: value for key, value in found.items() if told.get(key, value) != value}
        if differing or not found.keys() & told.keys():
            tally.failed("eviction_api", case["id"], f"{differing} instead of {told}")
        else:
            tally.passed("eviction_api")
    tally.verify("eviction_api")


@dataclass(slots=True)
class Store:
    """The scripted store: a pod, and what its DELETEs come to."""

    script: str
    pod: EvictedPod
    version: str = ""
    stays_pending: bool = False
    deletes: int = 0

    def delete(self, demanded: str | None) -> str | None:
        """One DELETE with a version or without; the error, or None."""
        self.deletes += 1
        if self.script.startswith("every DELETE conflicts"):
            return CONFLICT
        if self.script.startswith("DELETE returns BadRequest"):
            return BAD_REQUEST
        if not self.script.startswith("1st DELETE conflicts"):
            return None
        if self.deletes == 1:
            self.version = "999"
            if not self.stays_pending:
                self.pod = self.pod._replace(phase="Running")
            return CONFLICT
        if demanded in (None, SETTLED):
            return None
        self.version = SETTLED
        return CONFLICT


class Request(NamedTuple):
    """An eviction, with the name and the version of the pod that its body has."""

    pod: str
    version: str | None
    budgets: dict[str, Budget]


def evicted(given: Case) -> Case:
    """What an eviction comes to."""
    pod = given["pod"]
    name = pod["metadata"]["name"]
    store = Store(
        given.get("storeScript", ""), evicted_pod(pod), stays_pending=name in ("t1", "t5")
    )
    preconditions = given["eviction"].get("deleteOptions", {}).get("preconditions", {})
    request = Request(name, preconditions.get("resourceVersion"), dict(matching(given)))
    return told(carried_out(request, store), store.deletes)


def told(error: str | None, deletes: int) -> Case:
    """An answer as the table has it."""
    return {"error": error, "deleted": error is None, "deleteCalls": deletes}


def carried_out(request: Request, store: Store) -> str | None:
    """Do what the decisions say until there is an answer; its text, or None for success."""
    versioned = request.version is not None
    while True:
        read = replace(store)
        step = first_step(
            read.pod, [*request.budgets.values()], request.pod, NOW, versioned=versioned
        )
        if isinstance(step, Refuse):
            return text(step.answer, request.budgets)
        removal = AFTER_SPENDING if isinstance(step, Spend) else step
        error = store.delete(read.version if removal.pinned else request.version)
        if error != CONFLICT:
            return error
        answer = after_removal_conflict(removal, store.deletes, versioned=versioned)
        if answer is not None:
            return text(answer, request.budgets)


def text(answer: Answer, budgets: dict[str, Budget]) -> str:
    """An answer in the words of the table."""
    if answer is Answer.CONFLICT:
        return CONFLICT
    [(name, budget)] = budgets.items()
    if answer is Answer.NOT_PROCESSED:
        return f"{REFUSED}The disruption budget {name} is still being processed by the server."
    assert answer is Answer.EXHAUSTED
    return REFUSED + exhausted_message(name, budget.status)


def matching(given: Case) -> Any:
    """The budgets that match the pod, by name."""
    for raw in given["pdbs"]:
        if is_covered(decode(raw, PodDisruptionBudget), given["pod"]):
            yield raw["metadata"]["name"], budget_of(raw)


def granted(given: Case) -> Case:
    """What a budget says after it has paid for an eviction."""
    step = spend(budget_of(given["pdb"]), given["evict"], NOW)
    assert isinstance(step, Spend)
    condition = step.status.condition
    assert condition is not None
    return {
        "disruptionsAllowed": step.status.disruptions_allowed,
        "conditionReason": condition.reason,
    }


def test_the_script_is_played(upstream: Callable[[str], list[Case]]) -> None:
    """The table has every kind of scripted answer, and removals that start over."""
    scripts = {case["input"].get("storeScript", "")[:10] for case in upstream("eviction_api")}
    assert scripts == {"", "1st DELETE", "every DELE", "DELETE alw", "DELETE ret"}
    assert Remove(pinned=True, again=True) == first_step(EvictedPod("Pending", False), [], "p", NOW)
