"""Write docs/fields.md: of each kind and field of the input, what becomes of it.

usage: python tools/fields_page.py [FILE]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubelemma.model.kinds.kind import Kind
from kubelemma.model.kinds.notes import ByKey, ByValue, FieldNotes, Note, Within
from kubelemma.model.kinds.other import OTHER
from kubelemma.model.kinds.registry import KINDS
from kubelemma.model.manifests.purposes import CHECK, PLACE
from kubelemma.model.manifests.shapes import Shape, shape_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "fields.md"

HEAD = (
    "# Kinds and fields of the input\n\n"
    "What a check and a placement make of every kind and field of the Kubernetes API v1.35. *read* "
    "is what is part of the question; *listed* can change a verdict and is not modelled, so that "
    "every report has it under *What is not modelled*; what is *irrelevant* cannot change any. A "
    "field that is none of Kubernetes' is listed as well. This page is written by `make pages`.\n\n"
)
_READ = "read"


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join([*_kinds(), "", *_types()]) + "\n"


def _kinds() -> Iterator[str]:
    yield "## Kinds"
    yield ""
    yield "| kind | check | placement |"
    yield "|---|---|---|"
    for kind in KINDS:
        uses = (_said(use.left_out) for use in (kind.check, kind.placement))
        yield f"| {kind.name} (`{kind.api_version}`) | {' | '.join(uses)} |"
    for other in OTHER:
        names = ", ".join(other.names)
        placed = other.placement or other.check
        yield f"| {names} (`{other.api_version}`) | {_said(other.check)} | {_said(placed)} |"


def _types() -> Iterator[str]:
    """A table for each type, in the order in which the kinds have them."""
    found: dict[type[Any], Shape] = {}
    for kind in KINDS:
        _collect(kind, found)
    for struct, shape in found.items():
        notes = [purpose.fields.get(struct, {}) for purpose in (CHECK, PLACE)]
        yield f"## {struct.__name__}"
        yield ""
        yield "| field | check | placement |"
        yield "|---|---|---|"
        for name in dict.fromkeys((*shape.fields, *notes[0], *notes[1])):
            known = name in shape.fields
            cells = (_cell(name, own, read=known) for own in notes)
            yield f"| `{name}` | {' | '.join(cells)} |"
        yield ""


def _collect(kind: Kind[Any], found: dict[type[Any], Shape]) -> None:
    """All types that a kind is made of, as far as somebody reads them."""
    rest = [shape_of(kind.struct)]
    while rest:
        shape = rest.pop(0)
        if shape.form == "struct" and shape.type not in found:
            found[shape.type] = shape
            rest += list(shape.fields.values())
        elif shape.item is not None:
            rest.append(shape.item)


def _cell(name: str, notes: FieldNotes, *, read: bool) -> str:
    if name not in notes:
        return _READ if read else ""
    note = notes[name]
    if note is None:
        return _READ
    if isinstance(note, ByValue):
        usual = ", ".join(f"`{value}`" for value in note.usual)
        known = "read" if note.note is None else _said(note.note)
        return f"{usual}: {known}; else {_said(note.otherwise)}"
    if isinstance(note, ByKey):
        return f"{', '.join(f'`{key}`' for key in note.read)}: read; else {_said(note.otherwise)}"
    if isinstance(note, Within):
        return f"read; of it {'; '.join(_differing(note))}"
    return _said(note) if isinstance(note, Note) else _parts(note)


def _parts(notes: Mapping[str, Any]) -> str:
    """What is said of the parts of a field, those of which the same is said together."""
    texts: dict[str, list[str]] = {}
    for name in notes:
        if text := _cell(name, notes, read=True):
            texts.setdefault(text, []).append(f"`{name}`")
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in texts.items())


def _differing(note: Within) -> Iterator[str]:
    """What is said otherwise of what is inside than elsewhere."""
    for struct, own in note.fields.items():
        general = CHECK.fields.get(struct, {})
        for name in dict.fromkeys((*own, *general)):
            if own.get(name) != general.get(name):
                yield f"`{name}`: {_cell(name, own, read=True)}"


def _said(note: Note | None) -> str:
    if note is None:
        return _READ
    word = "listed" if note.severity == "not modelled" else "irrelevant"
    return f"{word}: {note.reason}"


if __name__ == "__main__":
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    file.write_text(page(), "utf-8")
