"""Output of Kustomize and Helm: the files that its objects came from.

Kustomize writes them into an annotation if a kustomization file asks for it (``buildMetadata:
[originAnnotations]``), Helm into a comment above each document. A file of Kustomize's can be read,
so that fields have lines again; of a template of Helm's only the line of the kind is known.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .documents import Document, Parsed, Place, name_of
from .scalars import read_plain

ANNOTATION = "config.kubernetes.io/origin"
_PATH = re.compile(r"^path:\s*(\S.*?)\s*$", re.MULTILINE)
_SOURCE = re.compile(r"#\s*Source:\s*(\S+)\s*")
_REMOTE = re.compile(r"^repo:", re.MULTILINE)

Read: TypeAlias = Callable[[str], "Parsed | None"]
"""Reads a file once; None where there is none."""
Find: TypeAlias = Callable[[str], "str | None"]
"""Where a file of a chart lies; None where it is nowhere to be found."""


def path_in(annotation: object) -> str | None:
    """The file that an annotation names, seen from where Kustomize ran; None if it is remote."""
    if not isinstance(annotation, str) or _REMOTE.search(annotation):
        return None
    match = _PATH.search(annotation)
    path = None if match is None else read_plain(match[1])
    return path if isinstance(path, str) else None


def annotation_of(data: Any) -> object:
    """What the annotation of an object says; None where there is none."""
    metadata = data.get("metadata") if isinstance(data, dict) else None
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations.get(ANNOTATION) if isinstance(annotations, dict) else None


def comment_above(lines: list[str], line: int) -> str | None:
    """The file that Helm names above a document that begins in this line (counted from 1)."""
    for text in reversed(lines[: max(0, line - 1)]):
        match = _SOURCE.fullmatch(text.strip())
        if match is not None:
            return match[1]
        if text.startswith("---") or not text.startswith("#"):
            return None
    return None


def from_manifest(document: Document, file: str, read: Read) -> Document | None:
    """The document as it is written in a file that Kustomize read; None where it is not there."""
    parsed = read(file)
    there = [] if parsed is None else [d for d in parsed.documents if _same(d, document)]
    if not there:
        return None
    names = [_name(d.data) for d in there]
    own = _name(document.data)
    exact = [d for d, name in zip(there, names, strict=True) if name == own]
    inside = [d for d, name in zip(there, names, strict=True) if name and name in own]
    found = (exact or inside or there)[0]
    return Document(file, document.data, _aligned(document.data, found.data, found.place))


def from_template(document: Document, file: str, text: str) -> Document:
    """The document as it may be written in a template of Helm's, whose text may be unknown."""
    kind = document.data.get("kind") if isinstance(document.data, dict) else None
    fits = re.compile(rf"^kind:\s*[\"']?{re.escape(str(kind))}[\"']?\s*(#.*)?$")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if fits.match(line)]
    line = lines[0] if len(lines) == 1 else 0
    return Document(file, document.data, Place(line, 0), name_of(document.data))


def _same(written: Document, built: Document) -> bool:
    keys = ("apiVersion", "kind")
    both = (written.data, built.data)
    if not all(isinstance(data, dict) for data in both):
        return False
    return all(written.data.get(key) == built.data.get(key) for key in keys)


def _name(data: Mapping[str, Any]) -> str:
    metadata = data.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


def _aligned(built: Any, written: Any, place: Place) -> Place:
    """The places of what was built, as far as it is written.

    Lists are compared item by item only where nothing was added to them or taken away.
    """
    children: dict[str | int, Place] = {}
    if isinstance(built, dict) and isinstance(written, dict):
        for key in built.keys() & written.keys() & place.children.keys():
            children[key] = _aligned(built[key], written[key], place.children[key])
    elif isinstance(built, list) and isinstance(written, list) and len(built) == len(written):
        for index, (new, old) in enumerate(zip(built, written, strict=True)):
            if index in place.children:
                children[index] = _aligned(new, old, place.children[index])
    own = place.written if built == written else ""
    return Place(place.line, place.column, own, children)


def resolved(folder: str, path: str) -> str:
    """A path seen from a folder, seen from where the folder is seen from."""
    return posixpath.normpath(posixpath.join(folder, path))
