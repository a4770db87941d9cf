"""Suppressions in manifests: ``kubelemma.dev/ignore: DEP-2 -- a node may crash in between``.

The annotation stands on a workload, or on an object that loaded code acts on, for the findings
about it, or on a ``kind: Check``, for all findings of that scenario. Each line is one suppression;
several properties are separated by commas.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from kubelemma.model.manifests import (
    Check,
    Document,
    Finding,
    InvalidInput,
    Manifest,
    Manifests,
    Problem,
    did_you_mean,
    show,
)
from kubelemma.model.objects.meta import ApiObject
from kubelemma.model.scenario import Kept

from .rules import Rule

IGNORE = "kubelemma.dev/ignore"
"""The annotation."""

_PATH = ("metadata", "annotations", IGNORE)
_OF_PODS = ("spec", "template", *_PATH)
_ENTRY = re.compile(r"(.*?)\s+--(?:\s+(.*))?")
_EXAMPLE = "write ID -- reason, such as DEP-2 -- a node may crash in between"


class _Annotated(NamedTuple):
    """An object and what its annotation says."""

    name: str
    document: Document
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Annotations:
    """The suppressions that the manifests of one Check hold."""

    objects: tuple[_Annotated, ...] = ()
    check: tuple[Rule, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def covering(self, subjects: Collection[str], focus: Collection[str]) -> tuple[Rule, ...]:
        """The rules that bear on one scenario.

        Args:
            subjects: what its properties are about.
            focus: its workloads, and its objects that loaded code acts on. Their annotations cover
                what is about no single one of them too, such as ``all nodes``.
        """
        shared = frozenset(subjects) - frozenset(focus)
        rules = list(self.check)
        for annotated in self.objects:
            own = frozenset(subjects) & {annotated.name}
            covered = own | (shared if annotated.name in focus else frozenset())
            if covered:
                objects = tuple(sorted(covered))
                rules += [replace(rule, objects=objects) for rule in annotated.rules]
        return tuple(rules)

    def without_effect(self, checked: Iterable[str]) -> Iterator[Problem]:
        """Annotations on objects of other kinds than those checked; and all other warnings."""
        yield from self.warnings
        kinds = {name.partition(" ")[0] for name in checked}
        for annotated in self.objects:
            kind = annotated.name.partition(" ")[0]
            if kind not in kinds:
                message = f"has no effect: no property is about a {kind}"
                yield Problem(annotated.document.at(_PATH), show(_PATH), message)


def read_annotations(
    manifests: Manifests,
    check: Check,
    document: Document | None,
    known: Collection[str],
    kept: Collection[Kept] = (),
) -> Annotations:
    """What the manifests and the Check suppress.

    Args:
        manifests: with the workloads.
        check: the Check.
        document: where it stands, if anywhere.
        known: the identifiers of properties.
        kept: the objects that loaded code acts on.

    Raises:
        InvalidInput: an annotation names no property, an unknown one, or gives no reason.
    """
    own = tuple(_rules(check.metadata.annotation_map(), document, known)) if document else ()
    acted_on = {document.at() for _, document in kept}
    texts = [
        *(
            (_name(m), m.document, m.object.metadata.annotation_map())
            for m in manifests.objects
            if m.document.at() not in acted_on
        ),
        *((str(found), document, found.annotations) for found, document in kept),
    ]
    read = [(n, d, tuple(_rules(text, d, known))) for n, d, text in texts if IGNORE in text]
    every = (*(item for _, _, items in read for item in items), *own)
    problems = [item for item in every if isinstance(item, Problem)]
    if problems:
        raise InvalidInput(problems)
    return Annotations(
        tuple(_Annotated(name, where, _only_rules(items)) for name, where, items in read),
        _only_rules(own),
        (
            *map(_misplaced, filter(_is_misplaced, manifests.objects)),
            *(_unheeded(d) for d in manifests.others if d.holds(_PATH) and d.at() not in acted_on),
        ),
    )


def _rules(
    annotations: Mapping[str, str], document: Document, known: Collection[str]
) -> Iterator[Rule | Problem]:
    """What the annotation of one object says, and what is wrong with it."""
    for item in _entries(annotations.get(IGNORE), known):
        if isinstance(item, Finding):
            yield Problem(document.at(item.path), show(item.path), item.message)
        else:
            yield Rule(item.id, item.reason, document.at(_PATH), "inSource")


def _only_rules(items: Iterable[Rule | Problem]) -> tuple[Rule, ...]:
    return tuple(item for item in items if isinstance(item, Rule))


def _name(manifest: Manifest[ApiObject]) -> str:
    """What reports call the object: ``Deployment default/web``."""
    metadata = manifest.object.metadata
    name = f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name
    return f"{manifest.document.data['kind']} {name}"


def _is_misplaced(manifest: Manifest[ApiObject]) -> bool:
    """Whether only the pods are annotated; Kustomize's commonAnnotations annotate both."""
    return manifest.document.holds(_OF_PODS) and not manifest.document.holds(_PATH)


def _misplaced(manifest: Manifest[ApiObject]) -> Problem:
    message = f"has no effect on pods: write it under metadata.annotations of {_name(manifest)}"
    return Problem(manifest.document.at(_OF_PODS), show(_OF_PODS), message)


def _unheeded(document: Document) -> Problem:
    message = f"has no effect: no property is about a {document.data['kind']}"
    return Problem(document.at(_PATH), show(_PATH), message)


class _Entry(NamedTuple):
    id: str
    reason: str


def _entries(text: str | None, known: Collection[str]) -> Iterator[_Entry | Finding]:
    """What the annotation says, line by line, and what is wrong with it."""
    if text is None:
        return
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        yield Finding(_PATH, f"is empty: {_EXAMPLE}")
    for line in lines:
        yield from _line(line, known)


def _line(line: str, known: Collection[str]) -> Iterator[_Entry | Finding]:
    match = _ENTRY.fullmatch(line)
    names, reason = match.groups() if match else (line, None)
    if not reason:
        yield Finding(_PATH, f'"{line}" gives no reason: {_EXAMPLE}')
        return
    second = next((w for w in re.findall(r"(\S+)\s+--\s", reason) if w.strip(",;") in known), None)
    if second is not None:
        yield Finding(
            _PATH, f'"{second}" begins a second entry: write each on its own line (after |)'
        )
        return
    for name in map(str.strip, names.split(",")):
        if name in known:
            yield _Entry(name, reason)
        else:
            message = f'there is no property "{name}"{did_you_mean(name, known)}'
            yield Finding(_PATH, message)
