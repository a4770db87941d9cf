"""What clients of headless Services do."""

from __future__ import annotations

from kubelemma.model.system import Action

RESOLVE_AGAIN = Action("resolve-again", "class")

ACTIONS = (RESOLVE_AGAIN,)
