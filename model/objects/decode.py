"""From plain JSON or YAML data to typed objects."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from .quantity import IntOrPercent, Quantity

T = TypeVar("T")


def _scalar(kind: type, raw: Any) -> Any:
    """Read the scalar kinds that JSON does not have; ``msgspec`` adds the path to the error."""
    if kind is Quantity and isinstance(raw, int | float | str) and not isinstance(raw, bool):
        return Quantity.parse(str(raw))
    if kind is IntOrPercent and isinstance(raw, int | str) and not isinstance(raw, bool):
        return IntOrPercent.parse(raw)
    raise ValueError(f"expected a {_NAMES[kind]}, found {_found(raw)}")


_NAMES = {Quantity: "quantity such as 500m or 2Gi", IntOrPercent: "number or percentage"}


def _found(raw: Any) -> str:
    names = {bool: "a boolean", list: "a list", dict: "an object", type(None): "null"}
    return names.get(type(raw), f"{raw!r}")


def decode(raw: Any, kind: type[T]) -> T:
    """Convert plain data (as ``json.loads`` gives it) to a typed object.

    Raises:
        msgspec.ValidationError: a value does not fit; the message ends in its path, as in
            ``Expected `int`, got `str` - at `$.spec.replicas```.
    """
    return msgspec.convert(raw, type=kind, dec_hook=_scalar, strict=True)
