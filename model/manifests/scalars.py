"""What a plain YAML scalar means to Kubernetes.

Kubernetes reads YAML 1.1 as go-yaml does and turns it into JSON (``sigs.k8s.io/yaml``): ``yes``,
``on`` and ``y`` are booleans, ``0755`` is octal, timestamps and ``1:30`` stay strings, and a whole
number is an integer however it is written (``3.0``, ``1e3``).
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 400
"""Digits; anything longer is no number that a manifest can mean."""


def read_plain(text: str) -> Scalar:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in "+-.0123456789" else text


def _number(text: str) -> Scalar:
    digits = text.replace("_", "")
    if len(digits) > _LONGEST_NUMBER:
        return text
    match = _INTEGER.fullmatch(digits)
    if match is not None:
        return _integer(*match.groups())
    if _FLOAT.fullmatch(digits) is None:
        return text
    number = float(digits)
    if math.isinf(number):
        return text
    return int(number) if number.is_integer() else number


def _integer(sign: str, *digits: str | None) -> int:
    bases = (16, 2, 8, 10)
    number = next(int(d, base) for d, base in zip(digits, bases, strict=True) if d is not None)
    return -number if sign == "-" else number
