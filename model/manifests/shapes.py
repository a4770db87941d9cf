"""The types of ``model/objects`` as data, and plain data held against them.

``decode`` stops at the first value that does not fit. Here every such value is found, with its
exact path: containers are walked, and each single value is given to ``decode`` itself, so that
there is one authority for what fits.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec

from kubelemma.model.findings import FieldPath, Finding, did_you_mean, not_one_of, template_hint
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.quantity import IntOrPercent, Quantity
from kubelemma.model.objects.service import PortReference


class Shape(NamedTuple):
    """One type, taken apart.

    Attributes:
        form: a struct's ``fields``, a list's or a mapping's ``item``, or a single value.
        type: what ``decode`` is to make of it, without ``None``.
        fields: a struct's fields by their names on the wire.
        required: those that have no default.
    """

    form: Literal["struct", "list", "mapping", "value"]
    type: Any
    item: Shape | None = None
    fields: Mapping[str, Shape] = types.MappingProxyType({})
    required: frozenset[str] = frozenset()


@cache
def shape_of(kind: Any) -> Shape:
    """Take a type of ``model/objects`` apart; no such type contains itself."""
    options = [a for a in typing.get_args(kind) if a is not type(None)]
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union) and len(options) == 1:
        return shape_of(options[0])
    if origin is tuple:
        return Shape("list", kind, item=shape_of(options[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping) and options[1] is not Any:
        return Shape("mapping", kind, item=shape_of(options[1]))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = msgspec.structs.fields(kind)
        return Shape(
            "struct",
            kind,
            fields={f.encode_name: shape_of(f.type) for f in fields},
            required=frozenset(f.encode_name for f in fields if f.required),
        )
    return Shape("value", kind)


def without_nulls(raw: Any, shape: Shape) -> Any:
    """The data as the API server reads it: a null field is an absent field.

    In a map of strings a null is an empty string (Go's zero value).
    """
    if shape.form == "struct" and isinstance(raw, dict):
        fields = shape.fields
        return {
            key: without_nulls(value, fields[key]) if key in fields else value
            for key, value in raw.items()
            if value is not None
        }
    if shape.item is not None and isinstance(raw, list):
        return [without_nulls(value, shape.item) for value in raw]
    if shape.item is not None and isinstance(raw, dict):
        zero = "" if shape.item.type is str else None
        return {k: zero if v is None else without_nulls(v, shape.item) for k, v in raw.items()}
    return raw


class Reading(NamedTuple):
    """How plain data is to be held against a shape.

    Attributes:
        written: the unquoted scalar at a path as it stands in the text; empty where unknown.
        closed: whether a key that the type does not have is a mistake.
    """

    written: Callable[[FieldPath], str] = lambda _: ""
    closed: bool = False


_PLAIN = Reading()


def mismatches(
    raw: Any, shape: Shape, reading: Reading = _PLAIN, path: FieldPath = ()
) -> Iterator[Finding]:
    """Every value that does not fit; nothing at all exactly where ``decode`` would succeed."""
    if shape.form == "struct" and isinstance(raw, dict):
        yield from _struct_mismatches(raw, shape, reading, path)
    elif shape.form == "list" and isinstance(raw, list) and shape.item is not None:
        for index, value in enumerate(raw):
            yield from mismatches(value, shape.item, reading, (*path, index))
    elif shape.form == "mapping" and isinstance(raw, dict) and shape.item is not None:
        for key, value in raw.items():
            yield from mismatches(value, shape.item, reading, (*path, key))
    else:
        yield from _value_mismatch(raw, shape, reading.written(path), path)


def _struct_mismatches(
    raw: Mapping[str, Any], shape: Shape, reading: Reading, path: FieldPath
) -> Iterator[Finding]:
    for key in shape.fields:
        if key in shape.required and key not in raw:
            yield Finding((*path, key), "is required")
    for key, value in raw.items():
        if key in shape.fields:
            yield from mismatches(value, shape.fields[key], reading, (*path, key))
        elif reading.closed:
            yield Finding((*path, key), f"unknown field{did_you_mean(key, shape.fields)}")


def _value_mismatch(raw: Any, shape: Shape, written: str, path: FieldPath) -> Iterator[Finding]:
    try:
        decode(raw, shape.type)
    except msgspec.ValidationError as error:
        yield Finding(path, _explain(raw, shape, written, str(error)))


def _explain(raw: Any, shape: Shape, written: str, complaint: str) -> str:
    if typing.get_origin(shape.type) is Literal and isinstance(raw, str):
        return not_one_of(raw, [option for option in typing.get_args(shape.type) if option])
    if shape.type in (Quantity, IntOrPercent) and _is_number_or_string(raw):
        return complaint + template_hint(raw)
    return f"expected {_expected(shape)}, found {found(raw, written)}{_hint(raw, shape, written)}"


def _is_number_or_string(raw: Any) -> bool:
    return isinstance(raw, int | float | str) and not isinstance(raw, bool)


_EXPECTED: Mapping[Any, str] = {
    int: "an integer",
    float: "a number",
    str: "a string",
    bool: "a boolean (true or false)",
    Quantity: "a quantity such as 500m or 2Gi",
    IntOrPercent: "an integer or a percentage",
    PortReference: "the number or the name of a port",
}


def _expected(shape: Shape) -> str:
    if shape.form == "list":
        return "a list"
    if typing.get_origin(shape.type) is Literal:
        return "one of " + ", ".join(o for o in typing.get_args(shape.type) if o)
    return _EXPECTED.get(shape.type, "an object")


def found(raw: Any, written: str = "") -> str:
    """What was found instead of what was expected, as it is written where that is known."""
    if isinstance(raw, bool):
        return f"the boolean {written or str(raw).lower()}"
    if isinstance(raw, int | float):
        return f"the number {written or raw}"
    if isinstance(raw, str):
        return f'the string "{raw}"' if raw else "an empty string"
    if isinstance(raw, list):
        return "a list"
    return "an object" if isinstance(raw, dict) else "nothing (null)"


_LOOKS_LIKE = {
    int: re.compile(r"\s*[-+]?[0-9]+\s*"),
    float: re.compile(r"\s*[-+]?[0-9]+(\.[0-9]*)?\s*"),
    bool: re.compile(r"true|false|True|False|yes|no|on|off"),
}
_YES_AND_NO = frozenset(("yes", "no", "on", "off", "y", "n"))


def _hint(raw: Any, shape: Shape, written: str) -> str:
    if isinstance(raw, str):
        return _string_hint(raw, shape)
    if shape.type is str and written.lower() in _YES_AND_NO:
        return f" (an unquoted {written} is a boolean in YAML: quote it)"
    if shape.type is str and isinstance(raw, bool | int | float):
        return f' (quote it: "{written or str(raw).lower()}")'
    if shape.form == "list" and isinstance(raw, dict):
        return ' (a "- " is missing before its first key?)'
    if shape.form in ("struct", "mapping") and isinstance(raw, list):
        return ' (a "- " too many?)'
    return ""


def _string_hint(raw: str, shape: Shape) -> str:
    looks = _LOOKS_LIKE.get(shape.type)
    if looks is not None and looks.fullmatch(raw):
        return " (remove the quotes)"
    if shape.form in ("struct", "mapping") and "=" in raw:
        key, _, value = raw.partition("=")
        return f" (write {key}: {value})"
    return template_hint(raw)
