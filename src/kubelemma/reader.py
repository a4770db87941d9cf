"""From paths to what is asked about: manifests, their Checks, and what is applied to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from .applying import Applying, applying_of
from .model.manifests import (
    Apply,
    Check,
    Document,
    FieldPath,
    InvalidInput,
    Manifest,
    Manifests,
    Position,
    Problem,
    Source,
    Variant,
    choose,
    intake,
    show,
)


class Sources(NamedTuple):
    """What is read, and how.

    Attributes:
        base: what stands before anything is applied; nothing where nothing is.
        prune: whether what stands and is not given is taken away.
        kustomize, strict, variant, namespace: as in a question.
        applies: whether what a Check applies counts.
    """

    base: tuple[Source, ...] = ()
    prune: bool = False
    kustomize: bool = True
    strict: bool = False
    variant: str = ""
    namespace: str = ""
    applies: bool = True


class Read(NamedTuple):
    """One Check with the manifests it is about; ``document`` is None where nobody wrote it."""

    variant: Variant
    manifests: Manifests
    check: Check
    document: Document | None
    applying: Applying | None = None


class Reader:
    """Reads manifests, and remembers what is to be said of them."""

    def __init__(self, sources: Sources) -> None:
        self.warnings: list[Problem] = []
        self.problems: list[Problem] = []
        self._sources = sources
        self._chosen = False
        self._base: Manifests | None = None

    def read(self, sources: Sequence[Source]) -> tuple[Variant, ...]:
        """The alternatives, or the one that is named."""
        asked = self._sources
        found = intake(sources, kustomize=asked.kustomize, strict=asked.strict)
        self.warnings += found.warnings
        self.problems += found.problems
        self._chosen |= len(found.variants) > 1
        return choose(found.variants, asked.variant if len(found.variants) > 1 else "")

    def refuse_variant(self, given: tuple[Variant, ...]) -> None:
        """Refuse to choose where nothing that was read has alternatives.

        Raises:
            InvalidInput: that is so.
        """
        if not self._chosen:
            choose(given, self._sources.variant)

    def groups(self, given: tuple[Variant, ...]) -> Iterator[tuple[Read, ...]]:
        """Each Check with its own resources, or else with all that is given."""
        bare = tuple(variant for variant in given if not variant.manifests.checks)
        checks = {id(c.document): c for variant in given for c in variant.manifests.checks}
        for check in checks.values():
            chosen = tuple(
                variant
                for variant in given
                if any(check.document is c.document for c in variant.manifests.checks)
            )
            if check.check.spec.resources:
                chosen = self.read([Source(path) for path in check.resources()])
            yield tuple(self._about(v, check.check, check.document) for v in chosen)
        if bare:
            yield tuple(self._about(variant, Check(), None) for variant in bare)

    def _about(self, variant: Variant, check: Check, document: Document | None) -> Read:
        manifests = variant.manifests.in_namespace(self._sources.namespace)
        applying = None
        applies = _applies(check) if self._sources.applies else {}
        if applies and document is not None:
            applying = self._applied(manifests, applies, document)
        elif self._sources.base:
            applying = applying_of(self.base(), manifests, prune=self._sources.prune)
        manifests = manifests if applying is None else applying.after
        return Read(variant, manifests, _without_applies(check), document, applying)

    def base(self) -> Manifests:
        """What stands before anything is applied.

        Raises:
            InvalidInput: it cannot be read, or is one of several alternatives.
        """
        if self._base is None:
            found = self.read(self._sources.base)
            if len(found) != 1:
                names = ", ".join(variant.name for variant in found)
                message = f"folders define the same objects ({names}): choose one with --variant"
                raise InvalidInput([Problem(Position("--from"), "", message)])
            self._base = found[0].manifests.in_namespace(self._sources.namespace)
        return self._base

    def _applied(self, base: Manifests, applies: dict[int, Apply], document: Document) -> Applying:
        """What the events of a Check apply to its resources.

        Raises:
            InvalidInput: something of them is not there, or holds nothing; or one object is
                applied twice.
        """
        problems = [*_not_there(applies, document), *self._two_bases(applies, document)]
        if problems:
            raise InvalidInput(problems)
        given = {index: self._resources(index, apply, document) for index, apply in applies.items()}
        problems += _empty(given, document)
        problems += _twice(given, document)
        if problems:
            raise InvalidInput(problems)
        new = Manifests()
        for manifests in given.values():
            new = new.beside(manifests.in_namespace(self._sources.namespace))
        return applying_of(base, new, prune=any(apply.prune for apply in applies.values()))

    def _resources(self, index: int, apply: Apply, document: Document) -> Manifests:
        paths = _paths(apply, document)
        try:
            found = self.read([Source(path) for path in paths])
        except InvalidInput as error:
            whole = all(p.position.file in paths and not p.position.line for p in error.problems)
            if not whole:
                raise
            found = ()
            told = "; ".join(p.message for p in error.problems)
            raise InvalidInput([_at(document, index, told, "resources")]) from error
        if len(found) != 1:
            names = ", ".join(variant.name for variant in found)
            message = f"folders define the same objects ({names}): name one of them"
            raise InvalidInput([_at(document, index, message)])
        return found[0].manifests

    def _two_bases(self, applies: Iterable[int], document: Document) -> Iterator[Problem]:
        for index in applies if self._sources.base else ():
            yield _at(document, index, "what stands is given with --from: leave out one of the two")


def _applies(check: Check) -> dict[int, Apply]:
    """What is applied, by the number of the event."""
    entries = enumerate(check.spec.events or ())
    return {index: entry.apply for index, entry in entries if entry.apply is not None}


def _without_applies(check: Check) -> Check:
    """The Check with the events that are left: nothing beside the change is asked by default."""
    if check.spec.events is None:
        return check
    left = tuple(entry for entry in check.spec.events if entry.apply is None)
    alone = not left and bool(check.spec.events)
    spec = msgspec.structs.replace(check.spec, events=None if alone else left)
    return msgspec.structs.replace(check, spec=spec)


def _paths(apply: Apply, document: Document) -> list[str]:
    folder = Path(document.file).parent
    return [str(folder / path) for path in apply.resources]


def _at(document: Document, index: int, message: str, *path: str | int) -> Problem:
    whole: FieldPath = ("spec", "events", index, "apply", *path)
    return Problem(document.at(whole), show(whole), message)


def _not_there(applies: dict[int, Apply], document: Document) -> Iterator[Problem]:
    for index, apply in applies.items():
        for number, (name, path) in enumerate(
            zip(apply.resources, _paths(apply, document), strict=True)
        ):
            if not Path(path).exists():
                message = f'there is no file or folder "{name}", seen from the folder of this file'
                yield _at(document, index, message, "resources", number)


def _empty(given: dict[int, Manifests], document: Document) -> Iterator[Problem]:
    for index, manifests in given.items():
        if not manifests.objects and not manifests.others:
            yield _at(document, index, "holds no object: nothing is applied", "resources")


def _name(manifest: Manifest[Any]) -> str:
    metadata = manifest.object.metadata
    parts = (metadata.namespace, metadata.name) if metadata.namespace else (metadata.name,)
    return f"{type(manifest.object).__name__} {'/'.join(parts)}"


def _twice(given: dict[int, Manifests], document: Document) -> Iterator[Problem]:
    """One object that several events apply: what comes of it depends on their order."""
    names = {index: {_name(m) for m in manifests.objects} for index, manifests in given.items()}
    often = Counter(name for found in names.values() for name in found)
    for index, found in names.items():
        for name in sorted(name for name in found if often[name] > 1):
            message = f"{name} is applied by another event, too: what comes of that is not modelled"
            yield _at(document, index, message)
