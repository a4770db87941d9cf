"""What a restart of the controller manager does."""

from __future__ import annotations

from kubelemma.model.system import Action

CONTROLLER_RESTART = Action("controller-restart", changes=("Deployment",))

FORGET = Action("forget", "template", "class", changes=("Deployment",))

ACTIONS = (FORGET,)
"""Without events, which have theirs."""
