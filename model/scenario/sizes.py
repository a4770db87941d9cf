"""Smaller sizes of a workload at which its bounds mean what they mean at its own."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any

from msgspec import structs

from kubelemma.model.cluster.world import Rollout
from kubelemma.model.components.disruption.rules import is_covered
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.quantity import IntOrPercent

from .application import Application
from .scenario import Scenario
from .templates import key_of, kind_of, replicas_of

_SMALLEST = 2
"""One replica has nobody to take its place."""


def smaller_sizes(application: Application, scenario: Scenario) -> tuple[int, ...]:
    """The sizes for which a usual question may be asked as well, the smallest first.

    There are some where it is about one workload of which the input has no pods.
    """
    owner = _owner(application, scenario)
    return () if owner is None else tuple(alike(application, owner))


def with_replicas(application: Application, scenario: Scenario, replicas: int) -> Application:
    """The application in which the one workload of a scenario asks for so many."""
    owner = _owner(application, scenario)
    return application if owner is None else resized(application, owner, replicas)


def _owner(application: Application, scenario: Scenario) -> Any | None:
    """The one workload that a usual question is about; None where its pods are given."""
    changing = application.changes or application.pods
    if not scenario.question or len(scenario.focus) != 1 or changing:
        return None
    return next(o for o in application.owners if key_of(o) == scenario.first)


def alike(application: Application, owner: Any) -> Iterator[int]:
    """The sizes below that of an owner at which all bounds round alike, the smallest first.

    Surge and unavailability are of the same kind (none, or some, and a share is whole or not); and
    so is what a budget allows.
    """
    own = _kind(application, owner, replicas_of(owner))
    for size in range(_SMALLEST, replicas_of(owner)):
        if _kind(application, owner, size) == own:
            yield size


def resized(application: Application, owner: Any, replicas: int) -> Application:
    """The application in which an owner asks for so many."""
    key = key_of(owner)
    return replace(
        application,
        owners=tuple(
            structs.replace(each, spec=structs.replace(each.spec, replicas=replicas))
            if key_of(each) == key
            else each
            for each in application.owners
        ),
    )


def _kind(application: Application, owner: Any, replicas: int) -> Hashable:
    rollout = kind_of(owner).rollout(owner)
    pod = kind_of(owner).pod(owner, 0)
    budgets = [
        bound
        for budget in application.objects
        if isinstance(budget, PodDisruptionBudget) and is_covered(budget, pod)
        for bound in (
            _of(budget.spec.max_unavailable, replicas, round_up=True),
            _left(budget.spec.min_available, replicas),
        )
    ]
    return (_of_rollout(rollout, replicas), *budgets)


def _of_rollout(rollout: Rollout | None, replicas: int) -> Hashable:
    if rollout is None or rollout.recreate:
        return None
    return (
        _of(rollout.max_surge, replicas, round_up=True),
        _of(rollout.max_unavailable, replicas, round_up=False),
    )


def _of(bound: IntOrPercent | None, replicas: int, *, round_up: bool) -> Hashable:
    """Whether a bound allows none, some or all, and whether it is a share that is rounded."""
    if bound is None:
        return None
    number = bound.scaled(replicas, round_up=round_up)
    whole = number == bound.scaled(replicas, round_up=not round_up)
    return number > 0, number >= replicas, whole


def _left(bound: IntOrPercent | None, replicas: int) -> Hashable:
    """The same of what must stay."""
    if bound is None:
        return None
    number = bound.scaled(replicas, round_up=True)
    whole = number == bound.scaled(replicas, round_up=False)
    return number > 0, replicas > number, whole
