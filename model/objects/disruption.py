"""Disruption budgets."""

from __future__ import annotations

from collections.abc import Mapping

from .meta import ApiStruct, LabelSelector, ObjectMeta
from .quantity import IntOrPercent


class PodDisruptionBudgetSpec(ApiStruct, frozen=True, kw_only=True):
    """Which pods, and how many of them must stay available."""

    selector: LabelSelector | None = None
    min_available: IntOrPercent | None = None
    max_unavailable: IntOrPercent | None = None


class PodDisruptionBudgetStatus(ApiStruct, frozen=True, kw_only=True):
    """What the disruption controller last reported; evictions on their way are under their pods."""

    disruptions_allowed: int = 0
    disrupted_pods: Mapping[str, str] | None = None


class PodDisruptionBudget(ApiStruct, frozen=True, kw_only=True):
    """A disruption budget."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()
