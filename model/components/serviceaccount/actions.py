"""What becomes of accounts, and of pods that have none."""

from __future__ import annotations

from kubelemma.model.system import Action

DELETE_SERVICE_ACCOUNT = Action("delete-serviceaccount", "account", changes=("ServiceAccount",))

REFUSE_POD = Action("refuse-pod", "class")

ACTIONS = (REFUSE_POD,)
"""Without events, which have theirs."""
