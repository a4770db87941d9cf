"""What the attach/detach controller does."""

from __future__ import annotations

from kubelemma.model.system import Action

ATTACH = Action("attach", "volume")
DETACH = Action("detach", "volume")
FORCE_DETACH = Action("force-detach", "volume")

ACTIONS = (ATTACH, DETACH, FORCE_DETACH)
