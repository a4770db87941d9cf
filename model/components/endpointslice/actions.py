"""What the EndpointSlice controller does, and what becomes of a pod that leaves its Service."""

from __future__ import annotations

from kubelemma.model.system import Action

WRITE_SLICE = Action("write-endpoint-slice", "class")
STOP_SERVING = Action("stop-serving", "class")

ACTIONS = (WRITE_SLICE, STOP_SERVING)
