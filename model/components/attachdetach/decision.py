"""When a volume is attached to a node, and when it is detached.

Source: pkg/controller/volume/attachdetach/reconciler/reconciler.go (``attachDesiredVolumes``,
``reconcile``) and cache/desired_state_of_world.go: what pods that are bound to a node use is
desired there, until their objects are gone.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

MAX_WAIT_FOR_UNMOUNT_SECONDS = 360
"""``ReconcilerMaxWaitForUnmountDuration``: six minutes."""


class Forced(NamedTuple):
    """What the controller manager is told by ``--disable-force-detach-on-timeout``.

    ``on_timeout``: whether volumes are taken from a node that has not been healthy for six minutes.
    """

    on_timeout: bool = True


class Detachment(Enum):
    """What becomes of an attached volume."""

    STAYS = "stays"
    SAFE = "safe"
    TIMED_OUT = "timed out"
    OUT_OF_SERVICE = "out of service"


def attaches(*, desired: bool, here: bool, elsewhere: bool, exclusive: bool) -> bool:
    """Whether a volume is attached to a node where pods desire it.

    One that goes to one node at a time has to be detached from any other first: until then it is a
    multi-attach error.
    """
    return desired and not here and not (exclusive and elsewhere)


def detachment(
    *, desired: bool, mounted: bool, healthy: bool, out_of_service: bool, forces: bool = True
) -> Detachment:
    """Whether a volume is detached from a node, and on what grounds.

    What the node still reports as in use stays, unless the node is not healthy for six minutes
    (where the controller ``forces`` it then) or is declared to be out of service.
    """
    if desired:
        return Detachment.STAYS
    if not mounted:
        return Detachment.SAFE
    if out_of_service:
        return Detachment.OUT_OF_SERVICE
    return Detachment.STAYS if healthy or not forces else Detachment.TIMED_OUT
