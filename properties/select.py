"""Which properties a scenario is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kubelemma.model.components.scheduler.topology import topology_of
from kubelemma.model.scenario import Scenario

from . import deployments, nodes, replicasets, scheduling
from .catalogue import STATEMENTS
from .declared import CustomProperty, properties_of
from .formula import Formula
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
    found = [*_all(scenario), *properties_of(own, scenario.world, scenario.custom)]
    asked = (prop for prop in found if prop.id in wanted)
    return tuple(sorted(asked, key=lambda p: (order.index(p.id), p.subject)))


def _all(scenario: Scenario) -> Iterator[Property]:
    world = scenario.world
    topologies = tuple(topology_of(world, c) for c in world.classes)
    for workload in world.workloads:
        yield from _named(workload.cell, deployments.formulas(world, workload))
        yield from _named(workload.cell, replicasets.formulas(world, workload))
    if world.classes:
        yield from _named("all nodes", scheduling.formulas(world, topologies))
        yield from _named("all nodes", nodes.formulas(world))


def _named(subject: str, formulas: Mapping[str, Formula]) -> Iterator[Property]:
    for identifier, formula in formulas.items():
        yield Property(STATEMENTS[identifier], subject, formula)
