"""What the values of cells are made of, by the types that cells declare.

To an engine a value is a number that tells nothing of what is in it. A codec tells: it takes a
value apart into small integers, each at a *path*, so that it can be computed which of them a rule
depends on. Declared types are put together of ``int``, ``bool``, enumerations, ``X | None``,
``tuple[X, ...]``, ``tuple[A, B]`` and NamedTuples of these. Whatever else there is, such as the
objects of loaded controllers, is *opaque*: one number, the same for equal values.

Paths are written like ``pods[0].size``; besides, ``len(pods)`` is how many there are, and
``status?`` whether there is any. The path of a whole value is empty.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from .errors import ModelError

Part: TypeAlias = tuple[str, int]
"""A path within a value, and the number that is there."""


class Misfit(ModelError):
    """A value is not of the type that was declared: where, what is there, what should be."""

    def __init__(self, path: str, found: Any, expected: str) -> None:
        super().__init__(f"{path or 'it'} is {found!r}, where {expected} is declared")


class Form(ABC):
    """What values of one type are made of."""

    @abstractmethod
    def parts(self, value: Any, path: str) -> Iterator[Part]:
        """The numbers that a value at this path is made of; raises `Misfit`."""

    @abstractmethod
    def read(self, numbers: Iterator[int]) -> Any:
        """The value that the next numbers make; raises `StopIteration` where there are too few."""

    def paths(self, path: str) -> Iterator[tuple[str, bool]]:
        """The paths that parts of values may have, and whether what is there is opaque."""
        yield path, False


@dataclass(frozen=True, slots=True)
class Number(Form):
    """An integer, or an enumeration of integers, which is known by its value."""

    kind: type[int]

    def parts(self, value: Any, path: str) -> Iterator[Part]:
        """One number."""
        _check_kind(value, int, path, self.kind)
        try:
            number = int(self.kind(value))
        except ValueError:
            raise Misfit(path, value, self.kind.__name__) from None
        yield path, number

    def read(self, numbers: Iterator[int]) -> Any:
        """From one number."""
        return self.kind(next(numbers))


@dataclass(frozen=True, slots=True)
class Truth(Form):
    """Yes or no."""

    def parts(self, value: Any, path: str) -> Iterator[Part]:
        """One number."""
        if not isinstance(value, bool):
            raise Misfit(path, value, "bool")
        yield path, int(value)

    def read(self, numbers: Iterator[int]) -> Any:
        """From one number."""
        return bool(next(numbers))


@dataclass(frozen=True, slots=True)
class Choice(Form):
    """An enumeration of anything else, which is known by the place of its member."""

    kind: type[Enum]

    def parts(self, value: Any, path: str) -> Iterator[Part]:
        """One number."""
        try:
            number = tuple(self.kind).index(self.kind(value))
        except ValueError:
            raise Misfit(path, value, self.kind.__name__) from None
        yield path, number

    def read(self, numbers: Iterator[int]) -> Any:
        """From one number."""
        return tuple(self.kind)[next(numbers)]


@dataclass(frozen=True, slots=True)
class Maybe(Form):
    """Something, or None."""

    form: Form

    def parts(self, value: Any, path: str) -> Iterator[Part]:
        """Whether there is anything, and what."""
        yield f"{path}?", int(value is not None)
        if value is not None:
            yield from self.form.parts(value, path)

    def read(self, numbers: Iterator[int]) -> Any:
        """From whether there is anything, and what."""
        return self.form.read(numbers) if next(numbers) else None

    def paths(self, path: str) -> Iterator[tuple[str, bool]]:
        """Whether there is anything, and those of what may be there."""
        yield f"{path}?", False
        yield from self.form.paths(path)


@dataclass(frozen=True, slots=True)
class Several(Form):
    """Any number of things of one type."""

    form: Form

    def parts(self, value: Any, path: str) -> Iterator[Part]:
        """How many there are, and each."""
        _check_kind(value, tuple, path)
        yield f"len({path})", len(value)
        for place, each in enumerate(value):
            yield from self.form.parts(each, f"{path}[{place}]")

    def read(self, numbers: Iterator[int]) -> Any:
        """From how many there are, and each."""
        return tuple([self.form.read(numbers) for _ in range(next(numbers))])

    def paths(self, path: str) -> Iterator[tuple[str, bool]]:
        """How many there are, and those of each."""
        yield f"len({path})", False
        yield from self.form.paths(f"{path}[*]")


@dataclass(frozen=True, slots=True)
class Fixed(Form):
    """So many things, each of its type: a tuple, or a NamedTuple, whose fields are ``names``."""

    kind: type
    forms: tuple[Form, ...]
    names: tuple[str, ...] = ()

    def parts(self, value: Any, path: str) -> Iterator[Part]:
        """Each."""
        _check_kind(value, self.kind, path)
        if len(value) != len(self.forms):
            raise Misfit(path, value, f"a tuple of {len(self.forms)}")
        for each, form, below in zip(value, self.forms, self._below(path), strict=True):
            yield from form.parts(each, below)

    def read(self, numbers: Iterator[int]) -> Any:
        """From each."""
        values = [form.read(numbers) for form in self.forms]
        return self.kind(*values) if self.names else tuple(values)

    def paths(self, path: str) -> Iterator[tuple[str, bool]]:
        """Those of each."""
        for form, below in zip(self.forms, self._below(path), strict=True):
            yield from form.paths(below)

    def _below(self, path: str) -> Iterator[str]:
        if not self.names:
            return (f"{path}[{place}]" for place in range(len(self.forms)))
        return (f"{path}.{name}" if path else name for name in self.names)


@dataclass(frozen=True, slots=True)
class Opaque(Form):
    """What cannot be taken apart; ``known`` has all values met, whose places are their numbers."""

    known: dict[Any, int] = field(default_factory=dict, compare=False)
    members: list[Any] = field(default_factory=list, compare=False)

    def parts(self, value: Any, path: str) -> Iterator[Part]:
        """One number."""
        if value not in self.known:
            self.known[value] = len(self.members)
            self.members.append(value)
        yield path, self.known[value]

    def read(self, numbers: Iterator[int]) -> Any:
        """From one number, of a value that was met."""
        return self.members[next(numbers)]

    def paths(self, path: str) -> Iterator[tuple[str, bool]]:
        """One."""
        yield path, True


def _check_kind(value: Any, kind: type, path: str, declared: type | None = None) -> None:
    if not isinstance(value, kind):
        raise Misfit(path, value, (declared or kind).__name__)


@dataclass(frozen=True, slots=True)
class Codec:
    """What the values of a cell, or of the members of a family, are made of."""

    name: str
    form: Form

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that parts of values may have; ``[*]`` stands for whatever place."""
        return tuple(path for path, _ in self.form.paths(""))

    @property
    def opaque(self) -> tuple[str, ...]:
        """The paths of what cannot be taken apart."""
        return tuple(path for path, opaque in self.form.paths("") if opaque)

    def parts(self, value: Any) -> tuple[Part, ...]:
        """Every number that a value is made of, with its path.

        Raises:
            ModelError: the value is not of the declared type; names cell, value and path.
        """
        try:
            return tuple(self.form.parts(value, ""))
        except Misfit as misfit:
            raise ModelError(f'"{self.name}" holds {value!r}: {misfit}') from None

    def encode(self, value: Any) -> tuple[int, ...]:
        """The numbers alone; raises as `parts` does."""
        return tuple([number for _, number in self.parts(value)])

    def decode(self, numbers: tuple[int, ...]) -> Any:
        """The value that was encoded."""
        return self.form.read(iter(numbers))


def codec_of(name: str, holds: Any) -> Codec:
    """The codec of a cell of this name that holds values of this type."""
    return Codec(name, form_of(holds))


def form_of(holds: Any) -> Form:
    """What values of a declared type are made of."""
    match get_origin(holds), get_args(holds):
        case (origin, (one, two)) if origin in (Union, UnionType) and NoneType in (one, two):
            return Maybe(form_of(two if one is NoneType else one))
        case (origin, (one, two)) if origin is tuple and two is ...:
            return Several(form_of(one))
        case (origin, each) if origin is tuple:
            return Fixed(tuple, tuple(map(form_of, each)))
    return _form_of_class(holds) if isinstance(holds, type) else Opaque()


def _form_of_class(kind: Any) -> Form:
    if kind is bool:
        return Truth()
    if kind is int or (issubclass(kind, int) and issubclass(kind, Enum)):
        return Number(kind)
    if issubclass(kind, Enum):
        return Choice(kind)
    fields = fields_of(kind)
    return Fixed(kind, tuple(map(form_of, fields.values())), tuple(fields)) if fields else Opaque()


@cache
def fields_of(holds: Any) -> dict[str, Any]:
    """The types of a NamedTuple's fields by name; none where it is something else."""
    if not (isinstance(holds, type) and issubclass(holds, tuple)):
        return {}
    names: tuple[str, ...] = getattr(holds, "_fields", ())
    hints = get_type_hints(holds) if names else {}
    return {name: hints.get(name, object) for name in names}
