"""What a case is, as far as that can change its verdicts: the key under which they are remembered.

Not the text of the manifests counts but what the model made of it. A system is made from the recipe
of its scenario and nothing else, and a property from the world in that recipe; so equal recipes
have equal verdicts, as long as the code that makes them is the same: kubelemma's own, and that of
loaded files with what they import.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import msgspec

from kubelemma import __version__, model, properties, solver
from kubelemma.model.components.kubelet.decision import StartTime, Unreliable
from kubelemma.model.components.registry import ANNOTATIONS
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.pod import Container
from kubelemma.model.objects.quantity import IntOrPercent, Quantity
from kubelemma.model.objects.service import Service
from kubelemma.model.scenario import Scenario
from kubelemma.question import Case

FORMAT = 2
"""Of what is kept on file; another format is another key."""

IMAGE = frozenset({"image"})
PULLING = frozenset({"image_pull_policy"})
STARTING = frozenset({"liveness_probe", "startup_probe"})
ENDING = frozenset({"lifecycle"})
NEVER_READ = frozenset({"readiness_probe"})
"""What no rule reads of a container: such a probe succeeds or fails by the scenario's events, and
whether it asks for a port that there is tells the behaviour of its class."""

DIGEST_BYTES = 20


class NoIdentity(Exception):
    """Nothing can be remembered of a case, as something in it cannot be told from others."""


def identity(case: Case) -> str:
    """The key of a case, in hexadecimal digits.

    Limits of the search are no part of it: they say when to give up looking for what is known by
    then.

    Raises:
        NoIdentity: something in the recipe has none, such as a function.
    """
    asked = [(prop.id, prop.subject) for prop in case.properties]
    sources = (*case.extension.files, *case.extension.imported)
    digests = sorted({source.digest for source in sources})
    loaded = frozenset(Path(source.path).absolute() for source in sources)
    parts = (FORMAT, __version__, source_digest(), digests, asked, case.scenario.recipe)
    plain = _Reading(_unread(case.scenario), loaded).plain(parts)
    return _digest(json.dumps(plain).encode())


@cache
def source_digest() -> str:
    """Of the code that gives the verdicts: a version under development is another one each time."""
    return _digest(*(part for package in (model, properties, solver) for part in _files(package)))


def _files(package: ModuleType) -> Iterator[bytes]:
    for root in map(Path, package.__path__):
        for path in sorted(root.rglob("*.py")):
            yield path.relative_to(root).as_posix().encode()
            yield path.read_bytes()


def _digest(*parts: bytes) -> str:
    found = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.hexdigest()


def _unread(scenario: Scenario) -> frozenset[str]:
    """The fields of containers that no rule reads.

    Images, and when they are pulled, count where a node says what it has, or the registry may be
    away; what may kill a container that starts where the scenario says how long that takes; what it
    does before it ends where there are Services.
    """
    world = scenario.world
    pulled, timed = world.objects_of(Unreliable), world.objects_of(StartTime)
    known = any(shape.node.status.images for shape in world.shapes)
    return frozenset().union(
        NEVER_READ,
        () if known or pulled else IMAGE,
        () if known or pulled else PULLING,
        () if timed else STARTING,
        () if world.objects_of(Service) else ENDING,
    )


class _Reading:
    """Values as what JSON can say, the same for equal values in every process.

    Objects are remembered for one reading, as many nodes hold the same pods. A function has an
    identity if it stands in a loaded file, which is known by what it holds.
    """

    def __init__(self, unread: frozenset[str], loaded: frozenset[Path]) -> None:
        self._unread = unread
        self._loaded = loaded
        self._known: dict[int, Any] = {}

    def plain(self, value: Any) -> Any:
        """The value as lists, strings, numbers, booleans and None.

        Raises:
            NoIdentity: it is of a kind that has none.
        """
        if isinstance(value, Enum):
            return value.value
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, Fraction):
            return ["Fraction", str(value)]
        if isinstance(value, tuple | list):
            return [type(value).__name__, *map(self.plain, value)]
        if isinstance(value, frozenset | set):
            return ["set", *sorted(map(self.plain, value), key=json.dumps)]
        if isinstance(value, Mapping):
            items = ((self.plain(name), self.plain(held)) for name, held in value.items())
            return ["map", *sorted(items, key=lambda item: json.dumps(item[0]))]
        if id(value) not in self._known:
            self._known[id(value)] = type(value).__qualname__  # where a function refers to itself
            fields = self._code if isinstance(value, FunctionType) else self._fields
            self._known[id(value)] = [type(value).__qualname__, *fields(value)]
        return self._known[id(value)]

    def _code(self, function: FunctionType) -> Iterator[Any]:
        code = function.__code__
        if Path(code.co_filename).absolute() not in self._loaded:
            raise NoIdentity(f"the function {function.__qualname__} is of no loaded file")
        yield from (function.__qualname__, code.co_firstlineno)
        yield self.plain(function.__defaults__)
        yield self.plain(function.__kwdefaults__)
        yield self.plain([cell.cell_contents for cell in function.__closure__ or ()])

    def _fields(self, value: Any) -> Iterator[Any]:
        for name in _names(value):
            if isinstance(value, Container) and name in self._unread:
                continue
            held = getattr(value, name)
            if isinstance(value, Container) and name == "env":
                held = [each for each in held or () if each.value_from is not None] or None
            if isinstance(value, ObjectMeta) and name == "annotations":
                held = {k: v for k, v in (held or {}).items() if k in ANNOTATIONS}
            yield self.plain(held)


def _names(value: Any) -> tuple[str, ...]:
    """The fields of a structure.

    Raises:
        NoIdentity: it is none.
    """
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    if isinstance(value, Quantity | IntOrPercent):
        return type(value).__slots__
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(field.name for field in fields(value))
    raise NoIdentity(f"a {type(value).__name__} has no identity")
