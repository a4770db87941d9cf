"""Restarts of the controller manager."""

from __future__ import annotations

from kubelemma.model.components.controllermanager.actions import CONTROLLER_RESTART, FORGET

from .causes import faults
from .names import revision_name
from .scene import Scene
from .teller import Teller


def _about(scene: Scene) -> str:
    """Whose sync is forgotten, where it is one's."""
    template = scene.argument("template")
    if scene.workload is None or template < 0:
        return ""
    return f" with ReplicaSet {revision_name(scene.world, scene.workload, template)}"


TELLER = Teller(
    name="controllermanager",
    sentences={
        CONTROLLER_RESTART: "the controller manager restarts",
        FORGET: "starts anew{about}",
    },
    words={"about": _about},
    causes={CONTROLLER_RESTART: faults},
)
