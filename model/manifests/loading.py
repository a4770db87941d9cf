"""Files, directories and texts to typed objects, or everything that is wrong with them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from . import origins
from .admitting import not_admitted
from .documents import Document, Parsed, Place, name_of, parse
from .foreign import foreign, not_skipped, template
from .kustomize import key_of
from .problems import InvalidInput, Position, Problem
from .purposes import CHECK, Purpose
from .reading import Manifests, interpret
from .sources import Gathered, Source, Text, gather, not_read, origin, template_of
from .variants import Variant, duplicates, told, variants


class Intake(NamedTuple):
    """Everything that was read.

    Attributes:
        variants: the alternatives, of which there is at least one.
        warnings: what is to be known of the input as a whole.
        problems: what could not be read, and cost only itself.
    """

    variants: tuple[Variant, ...]
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


def intake(
    sources: Sequence[Source],
    *,
    kustomize: bool = True,
    purpose: Purpose = CHECK,
    strict: bool = False,
) -> Intake:
    """Read manifests and scenarios.

    Args:
        sources: files, directories, and texts that were read already.
        kustomize: whether directories with a kustomization file are built with Kustomize; else
            their files are read as they are.
        purpose: what the manifests are read for, which decides what is modelled.
        strict: whether files in a directory that are no Kubernetes objects are an error.

    Raises:
        InvalidInput: with everything that is wrong with any of them, in reading order.
    """
    gathered = gather(sources, build=kustomize)
    read = _read(gathered, purpose)
    skipped = (*gathered.skipped, *read.skipped)
    problems = (*gathered.problems, *read.problems)
    if strict or not _holds_anything(read.manifests):
        problems = (*problems, *map(not_skipped, skipped))
    unread = (*gathered.unread, *read.unread)
    if problems or (unread and not _holds_anything(read.manifests)):
        raise InvalidInput(_in_reading_order((*problems, *unread), gathered.texts))
    beside = (*gathered.not_modelled, *map(not_read, read.unread))
    gathered = gathered._replace(not_modelled=beside)
    manifests = read.manifests._replace(not_modelled=(*beside, *read.manifests.not_modelled))
    found = _alternatives(manifests, gathered, read, purpose)
    found = told(found, (posixpath.normpath(s.name) for s in sources if s.content is None))
    wrong = () if _is_scoped(manifests) else _wrong_together(found)
    if wrong:
        raise InvalidInput(_in_reading_order(wrong, gathered.texts))
    warnings = (*gathered.warnings, *skipped, *manifests.warnings)
    return Intake(found, warnings, unread)


def load(
    sources: Sequence[Source],
    *,
    kustomize: bool = True,
    purpose: Purpose = CHECK,
    strict: bool = False,
) -> Manifests:
    """Read manifests of which there are no alternatives, and all of which can be read.

    Raises:
        InvalidInput: as `intake`; also where it finds alternatives, or leaves anything out that
            could not be read.
    """
    found = intake(sources, kustomize=kustomize, purpose=purpose, strict=strict)
    (first, *others) = found.variants
    problems = found.problems
    if others:
        message = f"there are alternatives, of which one is to be named: {named(found)}"
        problems = (*problems, Problem(Position(sources[0].name), "", message))
    if problems:
        raise InvalidInput(problems)
    return first.manifests._replace(warnings=found.warnings)


def named(found: Intake) -> str:
    """The names of the alternatives, in one line."""
    return ", ".join(variant.name for variant in found.variants)


def _holds_anything(manifests: Manifests) -> bool:
    return bool(manifests.objects or manifests.checks or manifests.others)


def _is_scoped(manifests: Manifests) -> bool:
    """Whether every scenario names its own resources, so that objects may have one name."""
    checks = manifests.checks
    return bool(checks) and all(check.check.spec.resources for check in checks)


def _alternatives(
    manifests: Manifests, gathered: Gathered, read: _Read, purpose: Purpose
) -> tuple[Variant, ...]:
    texts = () if _is_scoped(manifests) else gathered.texts
    folders = {text.file: posixpath.dirname(text.file) for text in texts if not text.alone}

    def part(there: Callable[[str], bool]) -> Manifests:
        some, _ = interpret((d for d in read.documents if there(d.file)), purpose)
        return some._replace(not_modelled=(*gathered.not_modelled, *some.not_modelled))

    return variants(manifests, folders, part)


def _wrong_together(found: Iterable[Variant]) -> tuple[Problem, ...]:
    """What is defined twice in one variant, or would not be admitted into it, said once."""
    every = (
        problem
        for variant in found
        for problem in (*duplicates(variant.manifests), *not_admitted(variant.manifests))
    )
    return tuple(dict.fromkeys(every))


class _Read(NamedTuple):
    documents: tuple[Document, ...]
    manifests: Manifests
    problems: tuple[Problem, ...]
    skipped: tuple[Problem, ...]
    unread: tuple[Problem, ...]


class _Parsed(NamedTuple):
    """A text, and its documents, unless it is passed over."""

    text: Text
    parsed: Parsed
    skipped: Problem | None = None

    @property
    def unread(self) -> tuple[Problem, ...]:
        """What is beyond a limit in a file of a folder, which costs only that file."""
        costs = self.parsed.beyond and self.skipped is None and not self.text.alone
        return self.parsed.problems if costs else ()

    @property
    def read(self) -> Parsed:
        return Parsed((), ()) if self.skipped is not None or self.unread else self.parsed


def _read(gathered: Gathered, purpose: Purpose) -> _Read:
    looking = _Origins()
    every = [_parsed(text, looking) for text in gathered.texts]
    manifests, wrong = interpret(_documents(every), purpose)
    wrong = (*(problem for each in every for problem in each.read.problems), *wrong)
    if wrong:
        every = [_unless_template(each, wrong) for each in every]
        manifests, again = interpret(_documents(every), purpose)
        wrong = (*(problem for each in every for problem in each.read.problems), *again)
    skipped = (each.skipped for each in every if each.skipped is not None)
    unread = tuple(problem for each in every for problem in each.unread)
    return _Read(tuple(_documents(every)), manifests, wrong, tuple(skipped), unread)


def _documents(every: Iterable[_Parsed]) -> list[Document]:
    return [document for each in every for document in each.read.documents]


def _parsed(text: Text, looking: _Origins) -> _Parsed:
    parsed = parse(text.file, text.text)
    if not parsed.documents and not parsed.problems:
        empty = Problem(Position(text.file), "", "holds no document: nothing to check")
        return _Parsed(text, Parsed((), (empty,)), None if text.alone else empty)
    documents = looking.found(text, parsed.documents)
    if text.generated:
        return _Parsed(text, parsed._replace(documents=tuple(map(_named, documents))))
    skipped = None if text.alone else foreign(text.file, text.text, parsed)
    return _Parsed(text, parsed._replace(documents=documents), skipped)


def _unless_template(each: _Parsed, problems: Iterable[Problem]) -> _Parsed:
    """Pass over a file of a folder that is wrong only because it is a template."""
    text = each.text
    if text.alone or text.generated or each.skipped is not None:
        return each
    return each._replace(skipped=template(text.file, text.text, problems))


def _named(document: Document) -> Document:
    """The document with positions that name its object, for text that nobody wrote."""
    return document._replace(object=name_of(document.data), place=_NOWHERE)


_NOWHERE = Place(0, 0)


class _Origins:
    """Looks for what tools made documents from; each file is read once."""

    def __init__(self) -> None:
        self._parsed: dict[str, Parsed | None] = {}

    def found(self, text: Text, documents: tuple[Document, ...]) -> tuple[Document, ...]:
        """The documents of a text, with where they came from as far as that is known."""
        if not (text.origins or origins.ANNOTATION in text.text or "# Source:" in text.text):
            return documents
        lines = text.text.splitlines()
        return tuple(
            document._replace(origin=self._of(text, lines, document)) for document in documents
        )

    def _of(self, text: Text, lines: list[str], document: Document) -> Document | None:
        path = text.origins.get(key_of(document.data)) or _annotated(text, document)
        if path is not None:
            found = origins.from_manifest(document, path, self._read)
            unknown = None if text.on_disk else origins.from_template(document, path, "")
            return found or unknown
        chart = origins.comment_above(lines, document.place.line)
        if chart is None:
            return None
        file = template_of(chart)
        if file is None and text.on_disk:
            return None
        return origins.from_template(document, file or chart, (file and origin(file)) or "")

    def _read(self, path: str) -> Parsed | None:
        if path not in self._parsed:
            content = origin(path)
            self._parsed[path] = None if content is None else parse(path, content)
        return self._parsed[path]


def _annotated(text: Text, document: Document) -> str | None:
    """The file that the document's annotation names, seen from where its text was made."""
    path = origins.path_in(origins.annotation_of(document.data))
    folder = posixpath.dirname(text.file) if text.generated else ""
    return None if path is None else origins.resolved(folder, path)


def _in_reading_order(problems: Iterable[Problem], texts: Iterable[Text]) -> list[Problem]:
    order = {text.file: index for index, text in enumerate(texts)}
    return sorted(problems, key=lambda p: (order.get(p.position.file, -1), p.position.line))
