"""What users take away whole, and what the garbage collector removes then."""

from __future__ import annotations

from kubelemma.model.system import Action

PRUNE = Action("prune", changes=("Deployment",))

COLLECT_POD = Action("collect-pod", "class")

ACTIONS = (COLLECT_POD,)
"""Without events, which have theirs."""
