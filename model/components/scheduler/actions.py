"""What the scheduler does."""

from __future__ import annotations

from kubelemma.model.system import Action

BIND = Action("bind", "class")

ACTIONS = (BIND,)
