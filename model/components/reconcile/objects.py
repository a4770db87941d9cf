"""API objects as loaded code sees them: frozen, hashable, and by name.

Kubernetes' own workloads are counts in the model; what loaded controllers act on is kept as whole
objects, so that their code can be written as it is against the real API.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn, TypeAlias

from kubelemma.model.findings import did_you_mean

Frozen: TypeAlias = Any
"""What stands in a field: JSON, with tuples for lists and frozen maps for objects."""


class NotJson(TypeError):
    """A value that cannot stand in a field of an API object; the message names the field."""


class UnknownName(LookupError):
    """Loaded code asks for a kind or field that it may not use; the message says which."""


class FrozenMap(Mapping[str, Any]):
    """An immutable mapping that can be hashed; its keys are sorted."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self._items: dict[str, Any] = dict(sorted(dict(items).items()))
        self._hash: int | None = None

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(tuple(self._items.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return hash(self) == hash(other) and self._items == other._items
        return self._items == other

    def __setitem__(self, key: str, value: object) -> NoReturn:
        raise TypeError(
            f'sets "{key}" in place, but objects are frozen: send patch(...) or patch_status(...)'
        )

    def __repr__(self) -> str:
        return repr(self._items)


EMPTY = FrozenMap()


def freeze(value: Any, where: str) -> Frozen:
    """The value as it is kept: lists become tuples, dicts become frozen maps.

    Raises:
        NotJson: it is not JSON; the message begins with ``where``.
    """
    if isinstance(value, FrozenMap) or value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list | tuple):
        return tuple(freeze(item, f"{where}[{i}]") for i, item in enumerate(value))
    if isinstance(value, Mapping):
        return FrozenMap({_key(k, where): freeze(v, f"{where}.{k}") for k, v in value.items()})
    raise NotJson(
        f"{where} is {value!r}, of type {type(value).__name__}; fields of API objects hold JSON: "
        "numbers, strings, booleans, None, and lists and dicts of them"
    )


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise NotJson(f"{where} has the key {key!r}, which is no string")
    return key


GENERATION = 2
"""The ``metadata.generation`` of every Deployment: what matters is whether it was observed."""


class Owner(NamedTuple):
    """An owner reference, within the namespace of the object that has it."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True, order=False)
class Object:
    """An API object.

    Attributes:
        owners: its owner references.
        finalizers: who must agree before it goes.
        deleting: whether ``metadata.deletionTimestamp`` is set.
        spec, status, data: the parts of that name, empty where they are absent.
    """

    kind: str
    namespace: str
    name: str
    labels: FrozenMap = EMPTY
    annotations: FrozenMap = EMPTY
    owners: tuple[Owner, ...] = ()
    finalizers: tuple[str, ...] = ()
    deleting: bool = False
    spec: FrozenMap = EMPTY
    status: FrozenMap = EMPTY
    data: FrozenMap = EMPTY

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it among the objects of its kind."""
        return (self.namespace, self.name)

    @property
    def generation(self) -> int:
        """``metadata.generation``, to be compared with ``status.observedGeneration`` only.

        Raises:
            UnknownName: the object is no Deployment.
        """
        if self.kind != "Deployment":
            raise UnknownName(
                f"reads the generation of a {self.kind}, but generations are not followed: compare "
                "spec with what the status says of it"
            )
        return GENERATION

    def __str__(self) -> str:
        return title(self.kind, self.namespace, self.name)


def leaves(path: str, value: Frozen) -> Iterator[tuple[str, str]]:
    """The fields below a path that hold something, each with its value as YAML would have it."""
    if isinstance(value, FrozenMap):
        for key, inner in value.items():
            yield from leaves(f"{path}.{key}", inner)
    elif value != ():
        yield path, _plain(value)


def _plain(value: Frozen) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, FrozenMap):
        return f"{{{', '.join(f'{key}: {_plain(inner)}' for key, inner in value.items())}}}"
    return "null" if value is None else str(value)


Objects: TypeAlias = tuple[Object, ...]
"""All objects of one kind, sorted by namespace and name."""


def title(kind: str, namespace: str, name: str) -> str:
    """What an object is called in messages and stories: ``Shop default/corner``."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def find(objects: Objects, key: tuple[str, str]) -> Object | None:
    """The object of this namespace and name."""
    return next((found for found in objects if found.key == key), None)


def within_reach(objects: Objects, namespace: str, name: str) -> Object | None:
    """The object of this name in the namespace, or else in none, as kinds of the cluster are."""
    return find(objects, (namespace, name)) or find(objects, ("", name))


@dataclass(frozen=True, slots=True)
class Cluster:
    """What loaded code sees of the cluster: the objects of the kinds that it declares.

    ``namespace`` is where ``get`` looks unless told otherwise: that of the object in question.
    """

    kinds: Mapping[str, Objects] = field(repr=False)
    namespace: str = "default"

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object of this name, or None where there is none."""
        where = self.namespace if namespace is None else namespace
        return within_reach(self.all(kind), where, name)

    def all(self, kind: str) -> Objects:
        """All objects of a kind, in all namespaces, by namespace and name.

        Raises:
            UnknownName: the kind is not among those that were declared.
        """
        if kind not in self.kinds:
            hint = did_you_mean(kind, self.kinds)
            declared = ", ".join(self.kinds) or "none"
            raise UnknownName(
                f'reads "{kind}"{hint}, which it does not declare; it has: {declared}'
            )
        return self.kinds[kind]

    def owned_by(self, owner: Object, kind: str) -> Objects:
        """The objects of a kind that have an owner reference to this object."""
        reference = Owner(owner.kind, owner.name)
        return tuple(
            found
            for found in self.all(kind)
            if owner.namespace in ("", found.namespace) and reference in found.owners
        )
