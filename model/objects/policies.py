"""Cluster-wide settings that admission writes into pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .meta import ApiStruct, ObjectMeta
from .pod import Toleration
from .quantity import Quantity


class PriorityClass(ApiStruct, frozen=True, kw_only=True):
    """A name for a priority."""

    metadata: ObjectMeta = ObjectMeta()
    value: int = 0
    global_default: bool = False
    preemption_policy: str | None = None


class Overhead(ApiStruct, frozen=True, kw_only=True):
    """What a runtime needs for each pod, beside the containers."""

    pod_fixed: Mapping[str, Quantity] | None = None


class RuntimeScheduling(ApiStruct, frozen=True, kw_only=True):
    """Where a runtime is to be found."""

    node_selector: Mapping[str, str] | None = None
    tolerations: tuple[Toleration, ...] | None = None


class RuntimeClass(ApiStruct, frozen=True, kw_only=True):
    """A container runtime."""

    metadata: ObjectMeta = ObjectMeta()
    handler: str = ""
    overhead: Overhead | None = None
    scheduling: RuntimeScheduling | None = None


class LimitRangeItem(ApiStruct, frozen=True, kw_only=True):
    """Defaults and bounds for containers, pods or claims of a namespace."""

    type: Literal["Container", "Pod", "PersistentVolumeClaim"]
    default: Mapping[str, Quantity] | None = None
    default_request: Mapping[str, Quantity] | None = None
    max: Mapping[str, Quantity] | None = None
    min: Mapping[str, Quantity] | None = None


class LimitRangeSpec(ApiStruct, frozen=True, kw_only=True):
    """All items of a LimitRange."""

    limits: tuple[LimitRangeItem, ...] = ()


class LimitRange(ApiStruct, frozen=True, kw_only=True):
    """What admission adds to the containers of a namespace, and what it refuses."""

    metadata: ObjectMeta = ObjectMeta()
    spec: LimitRangeSpec = LimitRangeSpec()
