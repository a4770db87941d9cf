"""Nodes and namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from .meta import ApiObject, ApiStruct
from .quantity import Quantity

Effect: TypeAlias = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
"""What a taint does to pods that do not tolerate it."""


class Taint(ApiStruct, frozen=True, kw_only=True):
    """A mark that repels pods that do not tolerate it."""

    key: str
    value: str = ""
    effect: Effect


class NodeSpec(ApiStruct, frozen=True, kw_only=True):
    """What an administrator sets."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] | None = None


class ContainerImage(ApiStruct, frozen=True, kw_only=True):
    """An image on a node, under all its names; size in bytes."""

    names: tuple[str, ...] | None = None
    size_bytes: int = 0


class NodeCondition(ApiStruct, frozen=True, kw_only=True):
    """A condition such as Ready."""

    type: str
    status: str = "Unknown"


class NodeStatus(ApiStruct, frozen=True, kw_only=True):
    """What the kubelet reported."""

    capacity: Mapping[str, Quantity] | None = None
    allocatable: Mapping[str, Quantity] | None = None
    images: tuple[ContainerImage, ...] | None = None
    conditions: tuple[NodeCondition, ...] | None = None


class Node(ApiObject, frozen=True, kw_only=True):
    """A node."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class Namespace(ApiObject, frozen=True, kw_only=True):
    """A namespace; only its labels matter here."""
