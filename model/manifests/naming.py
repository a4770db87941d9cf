"""Names that the API server makes up: those of objects that are created with ``generateName``.

The server draws them at random. Here they follow from what is written and in which file, so that
the same input gives the same names; nothing but messages depends on them.

Source: ``staging/src/k8s.io/apiserver/pkg/storage/names/generate.go``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from msgspec.structs import replace

from kubelemma.model.kinds.registry import kind_of
from kubelemma.model.objects.meta import ApiObject

from .documents import Document
from .problems import Problem

ObjectT = TypeVar("ObjectT", bound=ApiObject)

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_RANDOM, _LONGEST = 5, 63


def named(thing: ObjectT, document: Document, taken: Iterable[str] = ()) -> ObjectT:
    """The object with a name that is not ``taken``, if it has none and may leave it out."""
    metadata = thing.metadata
    if metadata.name or not metadata.generate_name or not kind_of(thing).generated:
        return thing
    base = metadata.generate_name[: _LONGEST - _RANDOM]
    names = (f"{base}{suffix}" for suffix in _suffixes(document))
    free = next(name for name in names if name not in taken)
    return replace(thing, metadata=replace(metadata, name=free))


def _suffixes(document: Document) -> Iterator[str]:
    text = json.dumps([document.file, document.data], sort_keys=True, default=str)
    times = 0
    while True:
        digest = hashlib.sha256(f"{times}{text}".encode("utf-8", "surrogatepass")).digest()
        yield "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_RANDOM])
        times += 1


def is_made_up(thing: ApiObject, written: ApiObject) -> bool:
    """Whether the name of the object, as it is stored, was not written."""
    return bool(thing.metadata.name) and not written.metadata.name


def said_of(thing: ApiObject, document: Document) -> Problem:
    """A warning that the name is not the one that the server would make up."""
    path: Any = ("metadata", "generateName")
    message = f'the API server makes up a name; here it is called "{thing.metadata.name}"'
    return Problem(document.at(path), "metadata.generateName", message)
