"""A pod that is deleted, and what is still believed of it: by slices, and by who reads them.

Of all pods that are on their way out at a time one is followed. What becomes of it does not depend
on the others, and a request that is lost is lost at one pod; so whatever may go wrong goes wrong
with one that is followed, in some order of events. Who becomes Ready is taken to be known at once:
see docs/decisions.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from kubelemma.model.objects.service import Service

from .decision import Conditions, conditions

LEAVING = "a pod that leaves its Service"
"""The cell with a `Leaving`."""


class Entry(IntEnum):
    """What a slice, or whoever has read it, says of a pod."""

    ABSENT = 0
    READY = 1
    TERMINATING = 2
    """Not ready, and serving still: the last resort."""


class Leaving(NamedTuple):
    """The pod that is followed: at which front, and of which class; -1 where there is none.

    ``serving``: its containers take connections. ``slices`` is the `Entry` of the EndpointSlices,
    ``heard`` that of whoever has heard least of all who send by the front's way. ``balancer``: it
    was the last ready pod of its node, to which a load balancer still sends that goes by where
    ready pods are. ``reused``: its address is another pod's by now.
    """

    front: int = -1
    pod_class: int = -1
    serving: bool = False
    slices: int = Entry.ABSENT
    heard: int = Entry.ABSENT
    balancer: bool = False
    reused: bool = False


NOBODY = Leaving()


def left(front: int, pod_class: int, *, balancer: bool = False) -> Leaving:
    """A pod that was Ready and has just been deleted: nobody knows yet."""
    ready = Entry.READY
    return Leaving(front, pod_class, True, ready, ready, balancer)  # noqa: FBT003


def due(service: Service, leaving: Leaving) -> Entry:
    """What the slices are to say of the pod, as it is now.

    Its object stays a while after its containers were asked to stop, with its last condition Ready.
    One that is ready as long as it is there is followed until it is gone.
    """
    found = entry(
        conditions(
            ready=True,
            terminating=True,
            publish_not_ready=service.spec.publish_not_ready_addresses,
        )
    )
    return Entry.ABSENT if found is Entry.READY and not leaving.serving else found


def entry(found: Conditions) -> Entry:
    """What may be made of an endpoint with these conditions."""
    if found.ready:
        return Entry.READY
    return Entry.TERMINATING if found.serving and found.terminating else Entry.ABSENT
