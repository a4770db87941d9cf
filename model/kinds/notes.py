"""What is said of whatever is left out: kinds, and fields of those that are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

Severity: TypeAlias = Literal["irrelevant", "not modelled"]
"""Whether leaving something out can change a verdict (``not modelled``) or cannot."""


class Note(NamedTuple):
    """Why something is left out, and what follows from it.

    ``opens``: whether it may keep pods from starting, so that what would hold is not decided.
    """

    severity: Severity
    reason: str
    opens: bool = False


class ByValue(NamedTuple):
    """That a value of a field is nothing special, and what is said of every other one.

    Attributes:
        usual: such values.
        note: of them; None where nothing need be said.
        otherwise: of the others; likewise.
    """

    usual: tuple[Any, ...]
    note: Note | None
    otherwise: Note | None

    def of(self, value: Any) -> Note | None:
        """What is said of this value."""
        return self.note if value in self.usual else self.otherwise


class ByKey(NamedTuple):
    """That some keys of a mapping, or items of a list, are read, and what is said of others."""

    read: tuple[str, ...]
    otherwise: Note

    def of(self, value: Any) -> Note | None:
        """What is said of this mapping, or list."""
        known = isinstance(value, dict | list) and all(each in self.read for each in value)
        return None if known else self.otherwise


class Within(NamedTuple):
    """That there are other notes on the types of what is in a field."""

    fields: FieldsByType


FieldNotes: TypeAlias = "Mapping[str, Note | ByValue | ByKey | Within | FieldNotes | None]"
"""Field to what is said of it, perhaps only of some values; or the notes on its parts; or None
where nothing need be said."""

FieldsByType: TypeAlias = "Mapping[type[msgspec.Struct], FieldNotes]"
"""Type of ``model/objects`` to the notes on its fields, those of the API that it does not have
among them. A field that is neither in the type nor here is none of Kubernetes'."""

NO_EFFECT = "has no effect on scheduling or rollout"
NOT_PLACING = "has no effect on where pods are placed"
STATUS = "is what a cluster once observed: the check starts from the specification"
ROLLING = "how pods are replaced matters only to what is asked about rollouts"
DISKS = "its limit for each node is not modelled, nor is where it can be reached from"
NO_PODS = "is not modelled: its pods are missing from the cluster that is checked"


def irrelevant(reason: str, *names: str) -> dict[str, Note]:
    """Fields that cannot change a verdict."""
    return dict.fromkeys(names, Note("irrelevant", reason))


def not_modelled(reason: str, *names: str) -> dict[str, Note]:
    """Fields that might."""
    return dict.fromkeys(names, Note("not modelled", reason))


def opening(reason: str, *names: str) -> dict[str, Note]:
    """Fields that may keep pods from starting."""
    return dict.fromkeys(names, Note("not modelled", reason, opens=True))


def without(notes: FieldNotes, *names: str) -> FieldNotes:
    """The notes on the other fields, for a purpose that does read these."""
    return {name: note for name, note in notes.items() if name not in names}
