"""A document as it is shown: with all of its texts as `kubelemma.model.visible` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from kubelemma.model.manifests.problems import Position
from kubelemma.model.visible import visible

T = TypeVar("T")


def shown(document: T) -> T:
    """The document with every text in it made visible; what needs no change is the same object.

    It looks into dataclasses, tuples, lists and mappings. Positions stay: they are places, which
    programs open, and show themselves visibly (``str``).
    """
    found: T = _shown(document)
    return found


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Position):
        return value
    if isinstance(value, tuple | list):
        return _sequence(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _record(value)
    return value


def _sequence(value: Any) -> Any:
    items = [_shown(item) for item in value]
    if all(new is old for new, old in zip(items, value, strict=True)):
        return value
    return type(value)._make(items) if hasattr(value, "_make") else type(value)(items)


def _mapping(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    items = {_shown(key): _shown(item) for key, item in value.items()}
    same = all(a is b and items[a] is value[b] for a, b in zip(items, value, strict=False))
    return value if same and len(items) == len(value) else items


def _record(value: Any) -> Any:
    before = {field.name: getattr(value, field.name) for field in fields(value)}
    changed = {name: new for name, old in before.items() if (new := _shown(old)) is not old}
    return replace(value, **changed) if changed else value
