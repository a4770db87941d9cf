"""Cluster-wide settings that admission writes into pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .meta import ApiObject, ApiStruct
from .pod import Toleration
from .quantity import Quantity


class PriorityClass(ApiObject, frozen=True, kw_only=True):
    """A name for a priority."""

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


class RuntimeClass(ApiObject, frozen=True, kw_only=True):
    """A container runtime."""

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
    max_limit_request_ratio: Mapping[str, Quantity] | None = None


class LimitRangeSpec(ApiStruct, frozen=True, kw_only=True):
    """All items of a LimitRange."""

    limits: tuple[LimitRangeItem, ...] = ()


class LimitRange(ApiObject, frozen=True, kw_only=True):
    """What admission adds to the containers of a namespace, and what it refuses."""

    spec: LimitRangeSpec = LimitRangeSpec()
