"""What the network of a cluster does by itself."""

from __future__ import annotations

from kubelemma.model.system import Action

REUSE_ADDRESS = Action("reuse-address", "class")
ZONE_SPLIT = Action("zone-split")
