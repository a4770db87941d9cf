"""Which properties a scenario is asked about."""

from __future__ import annotations

from collections.abc import Iterable

from kubelemma.model.manifests.options import Faults
from kubelemma.model.scenario import Scenario

from .catalogue import COMPONENTS, STATEMENTS
from .declared import CustomProperty, properties_of
from .statement import Property

ALL = "all"
"""Stands for every identifier."""


def usual_for(
    scenario: Scenario, declared: Iterable[CustomProperty] = (), also: Iterable[str] = ()
) -> tuple[Property, ...]:
    """The properties that are asked where nobody names any: those that a user can do something for.

    What only a defect of Kubernetes breaks is asked where its identifier is among ``also``, and
    where faults of the control plane are in play or somebody's own controllers.
    """
    found = properties_for(scenario, (), declared)
    if scenario.check.spec.faults != Faults() or _is_extended(scenario):
        return found
    wanted = frozenset(also)
    return tuple(p for p in found if not p.statement.defect_only or p.id in wanted)


def _is_extended(scenario: Scenario) -> bool:
    """Whether controllers are loaded."""
    return any(not controller.managed for controller in scenario.custom.controllers)


def properties_for(
    scenario: Scenario, ids: Iterable[str] = (), declared: Iterable[CustomProperty] = ()
) -> tuple[Property, ...]:
    """All properties that apply, or those of the given identifiers, of which `ALL` is every one.

    They come in the catalogue's order, and after them those that were ``declared`` by loaded code,
    if that is part of the scenario.
    """
    asked_for = frozenset(ids)
    own = tuple(declared) if scenario.custom.predicates else ()
    order = [*STATEMENTS, *(prop.statement.id for prop in own)]
    wanted = frozenset(order) if not asked_for or ALL in asked_for else asked_for
    built_in = (prop for component in COMPONENTS for prop in component.formulas(scenario))
    found = [*built_in, *properties_of(own, scenario.world, scenario.custom)]
    asked = (prop for prop in found if prop.id in wanted)
    return tuple(sorted(asked, key=lambda p: (order.index(p.id), p.subject)))
