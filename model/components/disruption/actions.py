"""What the disruption controller does."""

from __future__ import annotations

from kubelemma.model.system import Action

WRITE_BUDGET = Action("write-budget")
COUNT_DISRUPTIONS = Action("count-disruptions")

ACTIONS = (WRITE_BUDGET, COUNT_DISRUPTIONS)
