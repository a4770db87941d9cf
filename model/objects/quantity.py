"""Resource quantities and integers-or-percentages, read exactly.

Source: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go and
staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil
from typing import final

_SUFFIXES: dict[str, Fraction] = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
    "Pi": Fraction(2**50),
    "Ei": Fraction(2**60),
}
_NUMBER = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:([eE][+-]?[0-9]{1,3})|([A-Za-z]*))")
_PERCENT = re.compile(r"[0-9]{1,9}%")
_LONGEST = 400
_LARGEST_INT32 = 2**31 - 1


@final
class Quantity:
    """An exact amount, such as ``500m`` or ``2Gi``, in base units (cores, bytes).

    A plain class, because ``msgspec`` hands only kinds it does not know to our reader.
    """

    __slots__ = ("_amount",)

    def __init__(self, amount: Fraction | int) -> None:
        self._amount = Fraction(amount)

    @property
    def amount(self) -> Fraction:
        """The exact amount in base units."""
        return self._amount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self._amount == other._amount

    def __hash__(self) -> int:
        return hash(self._amount)

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    @staticmethod
    def parse(text: str) -> Quantity:
        """Read a quantity as the API server does.

        Raises:
            ValueError: the text is no quantity; the message names the likely cause.
        """
        if len(text) > _LONGEST:
            raise ValueError(f'"{text[:20]}..." is longer than any quantity')
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise ValueError(f'"{text}" is not a quantity such as 500m, 2 or 4Gi{_hint(text)}')
        sign, digits, exponent, suffix = match.groups()
        if suffix is None:
            scale = Fraction(10) ** int(exponent[1:])
        elif suffix in _SUFFIXES:
            scale = _SUFFIXES[suffix]
        else:
            raise ValueError(f'"{text}" has the unknown unit "{suffix}"{_hint(text)}')
        amount = Fraction(digits) * scale
        return Quantity(-amount if sign == "-" else amount)

    def value(self) -> int:
        """Whole base units, rounded up (``Quantity.Value`` in Go)."""
        return ceil(self.amount)

    def milli_value(self) -> int:
        """Thousandths of the base unit, rounded up (``Quantity.MilliValue`` in Go)."""
        return ceil(self.amount * 1000)

    def __str__(self) -> str:
        if self.amount.denominator != 1:
            return f"{self.milli_value()}m"
        whole = self.amount.numerator
        for suffix in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
            unit = _SUFFIXES[suffix].numerator
            if whole and whole % unit == 0:
                return f"{whole // unit}{suffix}"
        return str(whole)


def _hint(text: str) -> str:
    if any(c.isspace() for c in text):
        return " (a blank inside?)"
    if "," in text:
        return " (a decimal comma?)"
    match = _NUMBER.fullmatch(text)
    unit = match[4] if match is not None and match[4] is not None else ""
    number = text.removesuffix(unit)
    if unit in ("K", "KB", "kB"):
        return f' ("{number}k" for thousands, "{number}Ki" for 1024?)'
    bare = unit.rstrip("bB")
    likely = bare if bare in ("M", "G", "T", "P", "E") else _unit_like(bare)
    if likely is None or not unit:
        return ""
    why = "Kubernetes units have no B: " if bare != unit else ""
    return f' ({why}"{number}{likely}"?)'


def _unit_like(unit: str) -> str | None:
    """The unit that differs in case only; the largest, as bytes are what is misspelt most."""
    return next((u for u in reversed(_SUFFIXES) if u.lower() == unit.lower()), None)


@final
class IntOrPercent:
    """A number, or a share of a total in per cent: ``maxSurge: 1`` or ``maxSurge: 25%``."""

    __slots__ = ("_number", "_percent")

    def __init__(self, number: int, *, percent: bool = False) -> None:
        self._number = number
        self._percent = percent

    @property
    def number(self) -> int:
        """The number, or the per cents."""
        return self._number

    @property
    def percent(self) -> bool:
        """Whether ``number`` is a share in per cent."""
        return self._percent

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntOrPercent) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash((self._number, self._percent))

    def __repr__(self) -> str:
        return f"IntOrPercent({str(self)!r})"

    @staticmethod
    def parse(raw: int | str) -> IntOrPercent:
        """Read what a manifest gives.

        Raises:
            ValueError: neither an integer nor a percentage, or negative.
        """
        if isinstance(raw, int):
            if raw < 0:
                raise ValueError(f"{raw} is negative")
            if raw > _LARGEST_INT32:
                raise ValueError(f"{raw} is more than a 32-bit integer holds")
            return IntOrPercent(raw)
        if _PERCENT.fullmatch(raw):
            return IntOrPercent(int(raw[:-1]), percent=True)
        raise ValueError(f'"{raw}" is neither an integer nor a percentage{_percent_hint(raw)}')

    def scaled(self, total: int, *, round_up: bool) -> int:
        """The absolute number out of ``total`` (``GetScaledValueFromIntOrPercent``)."""
        if not self.percent:
            return self.number
        part = self.number * total
        return -(-part // 100) if round_up else part // 100

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)


def rounded(bound: IntOrPercent | None, total: int, *, up: bool) -> tuple[bool, ...]:
    """Whether a bound allows some of a total, and all of it, and whether its share is whole.

    It is the same for totals for which the bound means the same; () where there is none.
    """
    if bound is None:
        return ()
    number = bound.scaled(total, round_up=up)
    return number > 0, number >= total, number == bound.scaled(total, round_up=not up)


def _percent_hint(raw: str) -> str:
    if re.search(r"\s%", raw):
        return " (a blank before the percent sign?)"
    if re.fullmatch(r"[0-9]+", raw):
        return f" (a quoted number; write {raw} without quotes)"
    if re.fullmatch(r"[0-9]*\.[0-9]+%?", raw):
        return " (fractions are not allowed)"
    if raw.startswith("-"):
        return " (negative)"
    return ""
