"""Disruption budgets.

Source: staging/src/k8s.io/api/policy/v1/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from .meta import ApiObject, ApiStruct, LabelSelector
from .quantity import IntOrPercent

UnhealthyPodEvictionPolicy: TypeAlias = Literal["IfHealthyBudget", "AlwaysAllow"]
"""When pods that are not ready may be evicted; IfHealthyBudget where nothing is said."""


class PodDisruptionBudgetSpec(ApiStruct, frozen=True, kw_only=True):
    """Which pods, and how many of them must stay available."""

    selector: LabelSelector | None = None
    min_available: IntOrPercent | None = None
    max_unavailable: IntOrPercent | None = None
    unhealthy_pod_eviction_policy: UnhealthyPodEvictionPolicy | None = None


class PodDisruptionBudgetCondition(ApiStruct, frozen=True, kw_only=True):
    """The condition DisruptionAllowed."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""


class PodDisruptionBudgetStatus(ApiStruct, frozen=True, kw_only=True):
    """What the disruption controller last reported; evictions on their way are under their pods."""

    observed_generation: int = 0
    disrupted_pods: Mapping[str, str] | None = None
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: tuple[PodDisruptionBudgetCondition, ...] | None = None


class PodDisruptionBudget(ApiObject, frozen=True, kw_only=True):
    """A disruption budget."""

    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()
