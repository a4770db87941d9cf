"""What of the input the model leaves out, and misspelt fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from kubelemma.model.findings import FieldPath, did_you_mean, show
from kubelemma.model.kinds.notes import (
    ByKey,
    ByValue,
    FieldNotes,
    FieldsByType,
    Note,
    Severity,
    Within,
)
from kubelemma.model.visible import visible

from .problems import Position
from .shapes import Shape

_NOTHING: tuple[object, ...] = (None, "", [], {})
_ENVELOPE = ("apiVersion", "kind")
_NO_NOTES: FieldNotes = {}


class NotModelled(NamedTuple):
    """Something in the input that the check leaves out.

    Attributes:
        position: where it stands.
        object: what it belongs to, such as ``Node node-1``.
        path: the field, such as ``spec.template.spec.volumes[0].csi``; empty for a whole object.
        severity: whether leaving it out can change a verdict.
        reason: what follows from leaving it out.
        opens: whether it may keep pods from starting, so that what would hold is not decided.
    """

    position: Position
    object: str
    path: str
    severity: Severity
    reason: str
    opens: bool = False

    def __str__(self) -> str:
        what = f"{self.object}: {self.path}" if self.path else self.object
        return visible(f"{self.position}: {what}: {self.reason}")


class LeftOut(NamedTuple):
    """A field that is left out, of an object that is yet to be named."""

    path: FieldPath
    note: Note


def left_out(raw: Mapping[str, Any], shape: Shape, notes: FieldsByType) -> Iterator[LeftOut]:
    """Every field of an object that the model leaves out, in the order of the text."""
    own = {key: value for key, value in raw.items() if key not in _ENVELOPE}
    return _walk(own, shape, notes, ())


def shown(found: LeftOut, position: Position, name: str) -> NotModelled:
    """The field as it is reported."""
    return NotModelled(position, name, show(found.path), *found.note)


def _walk(raw: Any, shape: Shape, all_notes: FieldsByType, path: FieldPath) -> Iterator[LeftOut]:
    if shape.form == "struct" and isinstance(raw, dict):
        yield from _struct(raw, shape, all_notes, path)
    elif shape.item is not None and isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _walk(value, shape.item, all_notes, (*path, index))


def _struct(
    raw: Mapping[str, Any], shape: Shape, all_notes: FieldsByType, path: FieldPath
) -> Iterator[LeftOut]:
    notes = all_notes.get(shape.type, _NO_NOTES)
    for key, value in raw.items():
        if value in _NOTHING:
            continue
        note = notes.get(key)
        if isinstance(note, Within):
            inside = {**all_notes, **note.fields}
            yield from _walk(value, shape.fields[key], inside, (*path, key))
        elif key in notes:
            yield from _noted(value, note, (*path, key))
        elif key in shape.fields:
            yield from _walk(value, shape.fields[key], all_notes, (*path, key))
        else:
            yield LeftOut((*path, key), _misspelt(key, (*shape.fields, *notes)))


def _noted(
    raw: Any, note: Note | ByValue | ByKey | Within | FieldNotes | None, path: FieldPath
) -> Iterator[LeftOut]:
    if isinstance(note, ByValue | ByKey):
        note = note.of(raw)
    if isinstance(note, Note):
        yield LeftOut(path, note)
    elif note is not None and isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _noted(value, note, (*path, index))
    elif isinstance(note, Mapping) and isinstance(raw, dict):
        for key, value in raw.items():
            part = note[key] if key in note else _misspelt(key, tuple(note))
            yield from _noted(value, part, (*path, key))


@cache
def _misspelt(key: str, known: tuple[str, ...]) -> Note:
    return Note("not modelled", f"no field of Kubernetes{did_you_mean(key, known)}: it is ignored")
