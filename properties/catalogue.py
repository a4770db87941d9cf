"""The catalogue: every statement, by identifier, in the order in which reports list them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import deployments, nodes, replicasets, scheduling
from .statement import Statement

STATEMENTS: Mapping[str, Statement] = MappingProxyType(
    {
        statement.id: statement
        for area in (deployments, replicasets, scheduling, nodes)
        for statement in area.STATEMENTS
    }
)
