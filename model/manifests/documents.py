"""Text to documents: plain data in which every value knows its line and column.

The documents of a stream are cut apart at the ``---`` lines first and parsed one by one, as kubectl
does (``staging/src/k8s.io/apimachinery/pkg/util/yaml/decoder.go``), so that a mistake in one
document hides nothing of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import yaml

from kubelemma.model.findings import FieldPath, read_path, show

from .problems import Position, Problem
from .scalars import read_plain
from .syntax import forbidden_character, syntax_problem, template_problem

LARGEST_TEXT = 64 * 2**20
"""Bytes of one file, characters of one text."""
DEEPEST = 200
"""Levels of nesting in one document."""
LARGEST_JSON = 2**30
"""The same of JSON, which is read much faster: ``kubectl get -o json`` of a large cluster."""
WITH_LINES = 2**20
"""Up to this size JSON is read as YAML, so that lines are known; nobody writes more by hand."""
MOST_EXPANDED = 1_000_000
"""Values that the aliases of one document may stand for."""

_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")}
_STRINGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:binary"}
_COLLECTIONS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_NO_PLACES: Mapping[str | int, Place] = MappingProxyType({})


class Place(NamedTuple):
    """Where a value is written: at its key in a mapping, at its first character in a list.

    Attributes:
        line, column: counted from 1.
        written: an unquoted scalar as it stands in the text; empty for quoted ones.
        children: the places of the values inside, by key or index.
    """

    line: int
    column: int
    written: str = ""
    children: Mapping[str | int, Place] = _NO_PLACES


class Document(NamedTuple):
    """One document: plain data as ``json.loads`` gives it, and where each value is written.

    Attributes:
        file: where it was read.
        object: names the object where lines mean nothing to the reader (Kustomize output).
        origin: the same document in the file that a tool made it from, where that is known.
    """

    file: str
    data: Any
    place: Place
    object: str = ""
    origin: Document | None = None

    def at(self, path: FieldPath | str = ()) -> Position:
        """The position of a field, or of the innermost enclosing one that is written."""
        if self.origin is not None:
            return self.origin.at(path)
        if self.object:
            return Position(self.file, self.place.line, object=self.object)
        place = self.deepest(read_path(path) if isinstance(path, str) else path)
        return Position(self.file, place.line, place.column)

    def value(self, path: FieldPath) -> Any:
        """The plain data of a field; None where there is none."""
        value = self.data
        for key in path:
            if isinstance(value, list):
                value = dict(enumerate(value))
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def deepest(self, path: FieldPath) -> Place:
        """The place of a field, or of the innermost enclosing one that is written."""
        return self._places(path)[-1]

    def holds(self, path: FieldPath) -> bool:
        """Whether this very field is written, be it with a null."""
        return len(self._places(path)) > len(path)

    def written(self, path: FieldPath) -> str:
        """The unquoted scalar at this very path as it stands in the text; else empty."""
        return self.deepest(path).written if self.holds(path) else ""

    def _places(self, path: FieldPath) -> list[Place]:
        places = [self.place]
        for key in path:
            if key not in places[-1].children:
                break
            places.append(places[-1].children[key])
        return places


def name_of(data: Any) -> str:
    """What an object is called where lines mean nothing: ``Node node-1``."""
    whole = data if isinstance(data, dict) else {}
    metadata = whole.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{whole.get('kind') or 'document'} {name or 'without a name'}"


class Parsed(NamedTuple):
    """The documents of one text that have content, and what is wrong with the others.

    ``beyond``: something is beyond a limit, so that nothing of it can be told.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    beyond: bool = False


def parse(file: str, text: str) -> Parsed:
    """Read all YAML or JSON documents of one text; never raises, whatever the text is."""
    if len(text) > WITH_LINES and (data := _json(text)) is not None:
        return Parsed((Document(file, data, Place(0, 0), name_of(data)),), ())
    if len(text) > LARGEST_TEXT:
        return Parsed((), (too_large(file),), beyond=True)
    bad = forbidden_character(file, text)
    if bad is not None:
        return Parsed((), (bad,))
    documents: list[Document] = []
    problems: list[Problem] = []
    for lines_before, chunk in _chunks(text):
        builder = _build(file, chunk, lines_before)
        if builder.beyond:
            return Parsed((), tuple(builder.problems), beyond=True)
        documents.extend(document for document in builder.documents if document.data is not None)
        problems.extend(builder.problems)
    return Parsed(tuple(documents), tuple(problems))


def _json(text: str) -> dict[str, Any] | None:
    """The one object of a JSON text; None where it is something else."""
    if not is_json(text[:_PEEK]):
        return None
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def is_json(start: str | bytes) -> bool:
    """Whether a text that begins so is likely JSON."""
    return start.lstrip()[:1] in ("{", b"{")


_PEEK = 100


def too_large(file: str) -> Problem:
    """That a text is larger than is ever read."""
    message = f"larger than {LARGEST_TEXT // 2**20} MiB: split it into several files"
    return Problem(Position(file), "", message)


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Each document's text with the number of lines before it; those without content left out."""
    starts = [match.start() for match in _START.finditer(text)]
    line = 0
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        chunk = text[start:end]
        if not all(_is_blank(row) for row in chunk.splitlines()):
            yield line, chunk
        line += chunk.count("\n")


def _is_blank(line: str) -> bool:
    stripped = line.strip()
    return stripped in ("", "---", "...") or stripped[0] == "#" or line[0] == "%"


def _build(file: str, text: str, lines_before: int) -> _Builder:
    builder = _Builder(file, text, lines_before)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.YAMLError as error:
        builder.refuse(syntax_problem(file, text, lines_before, error))
    except _Refused as refused:
        builder.refuse(refused.problem)
        builder.beyond = isinstance(refused, _Beyond)
    return builder


class _Refused(Exception):
    """Nothing more of this document can be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _Beyond(_Refused):
    """It is more than is ever read."""


class _Frame:
    """A collection that is still open."""

    __slots__ = ("anchor", "children", "key", "merged", "place", "size", "value")

    def __init__(self, value: dict[str, Any] | list[Any], place: Place, anchor: str | None) -> None:
        self.value = value
        self.place = place
        self.anchor = anchor
        self.children: dict[str | int, Place] = {}
        self.key: tuple[str, Place] | None = None
        self.merged: list[tuple[Any, Place]] = []
        self.size = 1


class _Anchor(NamedTuple):
    value: Any
    place: Place
    size: int


class _Builder:
    """Builds documents from parser events, with an own stack, so that no nesting can exhaust it."""

    def __init__(self, file: str, text: str, lines_before: int) -> None:
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self.beyond = False
        self._file = file
        self._text = text
        self._lines_before = lines_before
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchor] = {}
        self._expanded = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event of the stream."""
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._alias(event)

    def refuse(self, problem: Problem) -> None:
        """Drop the document and report only what made it unreadable."""
        self.documents.clear()
        self.problems = [problem]

    def _place(self, event: Any, written: str = "") -> Place:
        mark = event.start_mark
        return Place(mark.line + self._lines_before + 1, mark.column + 1, written)

    def _problem(self, place: Place, path: FieldPath, message: str) -> Problem:
        return Problem(Position(self._file, place.line, place.column), show(path), message)

    def _path(self) -> FieldPath:
        """The path of the value that comes next."""
        keys: list[str | int] = []
        for frame in self._stack:
            if isinstance(frame.value, list):
                keys.append(len(frame.value))
            elif frame.key is not None:
                keys.append(frame.key[0])
        return tuple(keys)

    def _scalar(self, event: Any) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.value, dict):
            frame.key = (self._key(event), self._place(event))
            return
        plain, text = event.implicit[0], event.value
        value: Any = read_plain(text) if plain else text
        if event.tag is not None and not plain:
            value = self._tagged(event, text)
        place = self._place(event, text if plain else "")
        self._put(value, place, 1, event.anchor)

    def _key(self, event: Any) -> str:
        """A key as JSON spells it: numbers and booleans become strings."""
        value = read_plain(event.value) if event.implicit[0] else event.value
        if value is None:
            self.problems.append(
                self._problem(self._place(event), self._path(), "a key is missing before the colon")
            )
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    def _tagged(self, event: Any, text: str) -> Any:
        if event.tag in _STRINGS:
            return text
        if event.tag in _TAGS:
            return read_plain(text)
        self._unknown_tag(event)
        return text

    def _unknown_tag(self, event: Any) -> None:
        message = f"the tag {event.tag} has no meaning in a Kubernetes manifest"
        self.problems.append(self._problem(self._place(event), self._path(), message))

    def _alias(self, event: Any) -> None:
        place = self._place(event)
        if any(frame.anchor == event.anchor for frame in self._stack):
            message = f"*{event.anchor} stands inside &{event.anchor} itself"
            raise _Refused(self._problem(place, self._path(), message))
        if event.anchor not in self._anchors:
            message = f"*{event.anchor} refers to no anchor: there is no &{event.anchor} before it"
            raise _Refused(self._problem(place, self._path(), message))
        anchor = self._anchors[event.anchor]
        self._expanded += anchor.size
        if self._expanded > MOST_EXPANDED:
            message = f"aliases stand for more than {MOST_EXPANDED:,} values (an anchor bomb?)"
            raise _Beyond(self._problem(place, (), message))
        place = Place(place.line, place.column, anchor.place.written, anchor.place.children)
        self._put(anchor.value, place, anchor.size, None)

    def _open(self, event: Any) -> None:
        place = self._place(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and isinstance(frame.value, dict):
            template = template_problem(
                self._file, self._text, self._lines_before, event.start_mark.line
            )
            message = "a key must be a word, not a list or an object"
            raise _Refused(template or self._problem(place, self._path(), message))
        if len(self._stack) >= DEEPEST:
            raise _Beyond(self._problem(place, (), f"nested more than {DEEPEST} levels deep"))
        if event.tag is not None and event.tag not in _COLLECTIONS:
            self._unknown_tag(event)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Frame(value, place, event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        for value, place in frame.merged:
            self._merge(frame, value, place)
        place = Place(frame.place.line, frame.place.column, "", frame.children)
        self._put(frame.value, place, frame.size, frame.anchor)

    def _merge(self, frame: _Frame, value: Any, place: Place) -> None:
        """Add what the mapping does not say itself; of several merged ones the first wins."""
        pairs = [(value, place)]
        if isinstance(value, list):
            pairs = [(item, place.children[i]) for i, item in enumerate(value)]
        for source, source_place in pairs:
            if not isinstance(source, dict) or not isinstance(frame.value, dict):
                message = "<< takes an alias of an object, or a list of them"
                self.problems.append(self._problem(place, self._path(), message))
                continue
            for key in source.keys() - frame.value.keys():
                frame.value[key] = source[key]
                frame.children[key] = source_place.children[key]

    def _put(self, value: Any, place: Place, size: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchor(value, place, size)
        if not self._stack:
            self.documents.append(Document(self._file, value, place))
            return
        frame = self._stack[-1]
        frame.size += size
        if isinstance(frame.value, list):
            frame.children[len(frame.value)] = place
            frame.value.append(value)
        else:
            self._put_key(frame, frame.value, value, place)

    def _put_key(
        self, frame: _Frame, mapping: dict[str, Any], value: Any, value_place: Place
    ) -> None:
        if frame.key is None:
            message = "a key must be a word, not an alias"
            raise _Refused(self._problem(value_place, self._path(), message))
        key, key_place = frame.key
        place = Place(key_place.line, key_place.column, value_place.written, value_place.children)
        if key == "<<":
            frame.merged.append((value, place))
        elif key in mapping:
            first = frame.children[key].line
            separator = " (is --- missing between two documents?)" if key == "apiVersion" else ""
            message = f"given twice (first in line {first}){separator}"
            self.problems.append(self._problem(key_place, self._path(), message))
        else:
            mapping[key] = value
            frame.children[key] = place
        frame.key = None
