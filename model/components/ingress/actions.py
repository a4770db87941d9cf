"""What Ingress controllers do."""

from __future__ import annotations

from kubelemma.model.system import Action

HEAR_OF_BACKENDS = Action("hear-of-backends", "class")
LOAD_BACKENDS = Action("load-backends", "entrance")

ACTIONS = (HEAR_OF_BACKENDS, LOAD_BACKENDS)
