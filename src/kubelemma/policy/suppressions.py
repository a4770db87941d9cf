"""Suppressions in a file of their own, which can expire.

::

    apiVersion: kubelemma.dev/v1alpha1
    kind: Suppressions
    suppressions:
    - id: DEP-2
      reason: a node may crash in between, which the on-call team accepts
      expires: 2027-01-31
      object: Deployment shop/*
"""

from __future__ import annotations

import glob
import posixpath
from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

from kubelemma.model.manifests import FieldPath, Finding, Source, did_you_mean
from kubelemma.model.manifests.standalone import read_standalone
from kubelemma.model.objects.meta import ApiStruct

from .rules import Rule

KIND = "Suppressions"


class Entry(ApiStruct, frozen=True, kw_only=True):
    """One item of the file.

    Attributes:
        id: of the property.
        reason: why its violation is accepted.
        expires: the last day on which that counts, such as 2027-01-31; none where it does for ever.
        object, scenario: patterns of names; any, where nothing is said.
        path: a file or folder of manifests, or a pattern of them, seen from the file's own folder.
    """

    id: str
    reason: str
    expires: str = ""
    object: str = "*"
    scenario: str = "*"
    path: str = ""


class _Suppressions(ApiStruct, frozen=True, kw_only=True):
    """``kind: Suppressions``."""

    suppressions: tuple[Entry, ...]


class Place(NamedTuple):
    """A file to read: as it is called in messages, and the absolute path of its folder."""

    file: str
    folder: str


def load_suppressions(place: Place, known: Collection[str], today: date) -> tuple[Rule, ...]:
    """The suppressions of a file; ``known`` are the identifiers of properties.

    Raises:
        InvalidInput: the file cannot be read, or something is wrong with it.
    """
    found = read_standalone(Source(place.file), KIND, _Suppressions)
    entries = found.value.suppressions
    found.refuse(f for at, entry in enumerate(entries) for f in _wrong(entry, at, known))
    return tuple(
        Rule(
            id=entry.id,
            reason=" ".join(entry.reason.split()),
            position=found.document.at(("suppressions", at)),
            objects=(entry.object,),
            scenario=entry.scenario,
            path=_absolute(entry.path, place.folder),
            expires=_day(entry.expires),
            expired=(_day(entry.expires) or today) < today,
        )
        for at, entry in enumerate(entries)
    )


def _wrong(entry: Entry, index: int, known: Collection[str]) -> Iterator[Finding]:
    here: FieldPath = ("suppressions", index)
    if entry.id not in known:
        hint = did_you_mean(entry.id, known)
        yield Finding((*here, "id"), f'there is no property "{entry.id}"{hint}')
    if not entry.reason.strip():
        yield Finding((*here, "reason"), "is empty: say why the violation is accepted")
    if entry.expires and _day(entry.expires) is None:
        message = f'"{entry.expires}" is no day such as 2027-01-31'
        yield Finding((*here, "expires"), message)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _absolute(path: str, folder: str) -> str:
    """A pattern of absolute paths; empty where there is none."""
    if not path:
        return ""
    return posixpath.normpath(posixpath.join(glob.escape(folder), path))
