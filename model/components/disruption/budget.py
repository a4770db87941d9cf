"""A stored PodDisruptionBudget, as its controller and the eviction subresource read and write it.

Both write the status, and both keep its condition by the same rule.

Source: staging/src/k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kubelemma.model.objects.disruption import PodDisruptionBudget, PodDisruptionBudgetSpec
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.times import seconds

DISRUPTION_ALLOWED = "DisruptionAllowed"
"""The type of the condition."""
SUFFICIENT_PODS = "SufficientPods"
INSUFFICIENT_PODS = "InsufficientPods"
SYNC_FAILED = "SyncFailed"


class Condition(NamedTuple):
    """The condition DisruptionAllowed."""

    holds: bool
    reason: str
    message: str = ""


class Disrupted(NamedTuple):
    """A pod whose eviction was granted, and when that was, in seconds."""

    pod: str
    since: int


class Status(NamedTuple):
    """The status of a budget; ``disrupted_pods`` are in the order of their names."""

    observed_generation: int = 0
    expected_pods: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    disruptions_allowed: int = 0
    disrupted_pods: tuple[Disrupted, ...] = ()
    condition: Condition | None = None


class Budget(NamedTuple):
    """A budget as the API server stores it, or as a cache shows it."""

    spec: PodDisruptionBudgetSpec
    generation: int = 0
    status: Status = Status()


def covers(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether a budget's selector matches a pod of its namespace.

    An empty one matches all pods, and none at all matches none. The scheduler reads an empty one
    differently when it counts what preemption would violate.
    """
    return selector is not None and selector.matches(labels)


def allowed_condition(disruptions_allowed: int) -> Condition:
    """The condition that tells this number (``UpdateDisruptionAllowedCondition``)."""
    if disruptions_allowed > 0:
        return Condition(holds=True, reason=SUFFICIENT_PODS)
    return Condition(holds=False, reason=INSUFFICIENT_PODS)


def tells_allowed(condition: Condition | None, disruptions_allowed: int) -> bool:
    """Whether the condition tells this number (``ConditionsAreUpToDate``), whatever its message."""
    return condition is not None and condition[:2] == allowed_condition(disruptions_allowed)[:2]


def stored_budget(thing: PodDisruptionBudget) -> Budget:
    """A budget of the API."""
    given = thing.status
    disrupted = (given.disrupted_pods or {}).items()
    conditions = given.conditions or ()
    status = Status(
        observed_generation=given.observed_generation,
        expected_pods=given.expected_pods,
        current_healthy=given.current_healthy,
        desired_healthy=given.desired_healthy,
        disruptions_allowed=given.disruptions_allowed,
        disrupted_pods=tuple(sorted(Disrupted(pod, seconds(at)) for pod, at in disrupted)),
        condition=next(
            (
                Condition(c.status == "True", c.reason, c.message)
                for c in conditions
                if c.type == DISRUPTION_ALLOWED
            ),
            None,
        ),
    )
    return Budget(thing.spec, thing.metadata.generation, status)
