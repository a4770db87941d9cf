"""Files, directories and texts to typed objects, or everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .documents import Document, name_of, parse
from .problems import InvalidInput, Position, Problem
from .purposes import CHECK, Purpose
from .reading import Manifests, interpret
from .sources import Gathered, Source, Text, gather


def load(
    sources: Sequence[Source], *, kustomize: bool = True, purpose: Purpose = CHECK
) -> Manifests:
    """Read manifests and scenarios.

    Args:
        sources: files, directories, and texts that were read already.
        kustomize: whether directories with a kustomization file are built with Kustomize; else
            their files are read as they are.
        purpose: what the manifests are read for, which decides what is modelled.

    Raises:
        InvalidInput: with everything that is wrong with any of them, in reading order.
    """
    gathered = gather(sources, build=kustomize)
    manifests, problems = _read(gathered, purpose)
    if problems:
        raise InvalidInput(_in_reading_order(problems, gathered.texts))
    return manifests


def _read(gathered: Gathered, purpose: Purpose) -> tuple[Manifests, tuple[Problem, ...]]:
    documents: list[Document] = []
    problems = list(gathered.problems)
    warnings = list(gathered.warnings)
    for text in gathered.texts:
        parsed = parse(text.file, text.text)
        problems.extend(parsed.problems)
        documents.extend(map(_named, parsed.documents) if text.generated else parsed.documents)
        if not parsed.documents and not parsed.problems:
            empty = Problem(Position(text.file), "", "holds no document: nothing to check")
            (problems if text.alone else warnings).append(empty)
    manifests, wrong = interpret(documents, purpose)
    manifests = manifests._replace(
        warnings=(*warnings, *manifests.warnings),
        not_modelled=(*gathered.not_modelled, *manifests.not_modelled),
    )
    return manifests, (*problems, *wrong)


def _named(document: Document) -> Document:
    """The document with positions that name its object, for text that nobody wrote."""
    return document._replace(object=name_of(document.data))


def _in_reading_order(problems: Iterable[Problem], texts: Iterable[Text]) -> list[Problem]:
    order = {text.file: index for index, text in enumerate(texts)}
    return sorted(problems, key=lambda p: (order.get(p.position.file, -1), p.position.line))
