"""Documents of kubelemma's own that stand alone in a file, beside the manifests.

Like ``kind: Check`` they are closed: a key that such a document does not have is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from kubelemma.model.findings import Finding, did_you_mean, show
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ApiStruct

from .documents import Document, parse
from .own import CHECK_VERSION
from .problems import InvalidInput, Position, Problem
from .shapes import Reading, mismatches, shape_of
from .sources import Source, gather

StructT = TypeVar("StructT", bound=ApiStruct)
_ENVELOPE = ("apiVersion", "kind", "metadata")


class Standalone(NamedTuple, Generic[StructT]):
    """What a document says, and where it is written."""

    value: StructT
    document: Document

    def refuse(self, findings: Iterable[Finding]) -> None:
        """Raise what is wrong with it, if anything is."""
        _refuse(self.document, findings)


def read_standalone(source: Source, kind: str, shape: type[StructT]) -> Standalone[StructT]:
    """The one document of a file, which is of this kind.

    Raises:
        InvalidInput: the file cannot be read, holds something else, or does not fit the shape.
    """
    document = _document(source, kind)
    own = {key: value for key, value in document.data.items() if key not in _ENVELOPE}
    _refuse(document, mismatches(own, shape_of(shape), Reading(document.written, closed=True)))
    return Standalone(decode(own, shape), document)


def _document(source: Source, kind: str) -> Document:
    gathered = gather([source], build=False)
    if gathered.problems:
        raise InvalidInput(gathered.problems)
    documents: list[Document] = []
    for text in gathered.texts:
        parsed = parse(text.file, text.text)
        if parsed.problems:
            raise InvalidInput(parsed.problems)
        documents += parsed.documents
    wanted = f"expected one document of kind {kind} ({CHECK_VERSION})"
    if len(documents) != 1:
        found = f"there are {len(documents)}" if documents else "it is empty"
        raise InvalidInput([Problem(Position(source.name), "", f"{wanted}, but {found}")])
    _refuse(documents[0], _envelope(documents[0].data, kind, wanted))
    return documents[0]


def _envelope(data: Any, kind: str, wanted: str) -> Iterable[Finding]:
    """What tells that a document is of another kind."""
    if not isinstance(data, dict):
        yield Finding((), f"{wanted}, with keys and values")
        return
    for key, value in (("kind", kind), ("apiVersion", CHECK_VERSION)):
        found = data.get(key)
        if found != value:
            hint = did_you_mean(str(found), [value])
            yield Finding((key,), f'{wanted}, found "{found}"{hint}' if found else wanted)
            return


def _refuse(document: Document, findings: Iterable[Finding]) -> None:
    found = [Problem(document.at(f.path), show(f.path), f.message) for f in findings]
    if found:
        raise InvalidInput(found)
