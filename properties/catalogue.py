"""The catalogue: whose promises there are, and every statement by identifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Protocol

from kubelemma.model.scenario import Scenario

from . import (
    attachdetach,
    cloudnode,
    cloudnodelifecycle,
    cloudroute,
    deployment,
    disruption,
    dns,
    drain,
    endpointslice,
    ingress,
    kubelet,
    kubeproxy,
    network,
    nodelifecycle,
    persistentvolume,
    podgc,
    replicaset,
    scheduler,
    serviceaccount,
    servicelb,
    statefulset,
    targets,
    volumeprotection,
)
from .statement import Property, Statement


class Promises(Protocol):
    """What a component promises: a module of this shape for each."""

    @property
    def STATEMENTS(self) -> tuple[Statement, ...]:  # noqa: N802 - a constant of the module
        """The statements."""

    def formulas(self, scenario: Scenario) -> Iterator[Property]:
        """The statements about each object of a scenario that they are about."""


COMPONENTS: tuple[Promises, ...] = (
    deployment,
    replicaset,
    statefulset,
    scheduler,
    kubelet,
    nodelifecycle,
    podgc,
    cloudnodelifecycle,
    cloudnode,
    cloudroute,
    disruption,
    drain,
    endpointslice,
    kubeproxy,
    dns,
    ingress,
    network,
    servicelb,
    targets,
    serviceaccount,
    persistentvolume,
    volumeprotection,
    attachdetach,
)
"""All that promise anything, in the order in which reports list them."""

STATEMENTS: Mapping[str, Statement] = MappingProxyType(
    {statement.id: statement for component in COMPONENTS for statement in component.STATEMENTS}
)
