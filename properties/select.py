"""Which properties a scenario is asked about."""

from __future__ import annotations

from collections.abc import Iterable

from kubelemma.model.scenario import Scenario

from .catalogue import COMPONENTS, STATEMENTS
from .declared import CustomProperty, properties_of
from .statement import Property


def properties_for(
    scenario: Scenario, ids: Iterable[str] = (), declared: Iterable[CustomProperty] = ()
) -> tuple[Property, ...]:
    """All properties that apply, or those of the given identifiers.

    They come in the catalogue's order, and after them those that were ``declared`` by loaded code,
    if that is part of the scenario.
    """
    own = tuple(declared) if scenario.custom.predicates else ()
    order = [*STATEMENTS, *(prop.statement.id for prop in own)]
    wanted = frozenset(ids) or frozenset(order)
    built_in = (prop for component in COMPONENTS for prop in component.formulas(scenario))
    found = [*built_in, *properties_of(own, scenario.world, scenario.custom)]
    asked = (prop for prop in found if prop.id in wanted)
    return tuple(sorted(asked, key=lambda p: (order.index(p.id), p.subject)))
