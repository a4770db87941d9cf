"""Smaller sizes of a workload at which its bounds mean what they mean at its own."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any

from msgspec import structs

from kubelemma.model.cluster.world import Rollout
from kubelemma.model.components.registry import COMPONENTS
from kubelemma.model.objects.quantity import rounded

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
    pod = kind_of(owner).pod(owner, 0)
    rollout = _of_rollout(kind_of(owner).rollout(owner), replicas)
    return rollout, *(each.rounds(application.objects, pod, replicas) for each in COMPONENTS)


def _of_rollout(rollout: Rollout | None, replicas: int) -> Hashable:
    if rollout is None or rollout.recreate:
        return None
    return (
        rounded(rollout.max_surge, replicas, up=True),
        rounded(rollout.max_unavailable, replicas, up=False),
    )
