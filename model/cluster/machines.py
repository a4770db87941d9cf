"""What has become of the machine of a node, and what is yet to be done about its Node."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Machine(IntEnum):
    """What the cloud has of the machine of a node, and what has come of that."""

    THERE = 0
    MISSING = 1
    """The cloud says that it does not exist any more."""
    DELETED = 2
    """So the Node object has been deleted."""
    UNREGISTERED = 3
    """Somebody has deleted the Node object, and the machine is there."""
    STOPPED = 4
    """The cloud says that it exists, and is switched off."""


NODELESS = (Machine.DELETED, Machine.UNREGISTERED)
"""Of what machines the API has no Node."""


class Memory(IntEnum):
    """Whether a node has memory enough, as its kubelet finds."""

    ENOUGH = 0
    SHORT = 1
    """Below the threshold: it evicts."""
    EASED = 2
    """Enough again, and its condition MemoryPressure lasts for a while."""


class Unsettled(IntFlag):
    """What a cloud has yet to do about a Node, and what taints say of that."""

    NONE = 0
    UNINITIALIZED = 1
    """It is new: the cloud has not said yet what machine it is."""
    WITHOUT_ROUTE = 2
    """Its condition NetworkUnavailable is True: no route leads to its pods."""
    NETWORK = 4
    """It carries the taint for that, which follows the condition."""
    SHUTDOWN = 8
    """It carries the taint of a machine that is switched off."""
