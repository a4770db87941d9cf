"""What the disruption controller does."""

from __future__ import annotations

from kubelemma.model.system import Action

WRITE_BUDGET = Action("write-budget")
GIVE_BACK_EVICTION = Action("give-back-eviction", "class")
COUNT_DISRUPTIONS = Action("count-disruptions")
"""Told apart from the write in recorded runs alone."""

ACTIONS = (WRITE_BUDGET, GIVE_BACK_EVICTION, COUNT_DISRUPTIONS)
