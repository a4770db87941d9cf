"""What the garbage collector does with an object, by what it finds of the object's owners.

Source: pkg/controller/garbagecollector/garbagecollector.go, ``attemptToDeleteItem``.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Owner(Enum):
    """How an owner that an object refers to is found, by its UID."""

    SOLID = "there"
    DANGLING = "not there, or another object of that name"
    WAITING = "being deleted in the foreground"


class Verdict(Enum):
    """What becomes of the object."""

    KEEP = "it stays"
    UNREFERENCE = "references to owners that are gone are taken from it"
    DELETE = "it is deleted"


def attempt_to_delete(owners: Iterable[Owner]) -> Verdict:
    """Whether an object goes: it does once no owner that it has is left."""
    found = tuple(owners)
    if not found:
        return Verdict.KEEP
    if Owner.SOLID not in found:
        return Verdict.DELETE
    return Verdict.UNREFERENCE if set(found) != {Owner.SOLID} else Verdict.KEEP
