"""Amounts, bars and names as they are shown in reports on placement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .placement import CPU, PODS, OverfullRow, Usage
from .style import plural

_UNITS = ("", "Ki", "Mi", "Gi", "Ti", "Pi")
_FULL, _EMPTY = "█", "░"


def amount(resource: str, value: int) -> str:
    """``3.5`` cores, ``7.8Gi`` of memory, ``4`` of anything else."""
    if resource == CPU:
        return f"{value / 1000:,.3f}".rstrip("0").rstrip(".")
    if resource == PODS or "/" in resource:
        return f"{value:,}"
    return _bytes(value)


def _bytes(value: int) -> str:
    size, unit = float(value), 0
    while abs(size) >= 1024 and unit + 1 < len(_UNITS):  # noqa: PLR2004 - the step between units
        size, unit = size / 1024, unit + 1
    return f"{size:.1f}".removesuffix(".0") + _UNITS[unit]


def share(usage: Usage) -> str:
    """``62%``; of a resource that is not there, ``-``. Never 100% while something is free."""
    if not usage.total:
        return "-" if not usage.used else "over"
    per_cent = usage.used * 100 / usage.total
    if usage.used < usage.total:
        return f"{min(per_cent, 99):.0f}%"
    return f"{per_cent:.0f}%"


def bar(usage: Usage, width: int = 10) -> str:
    """How full it is, as a bar; full only if nothing is left."""
    if not usage.total:
        return _EMPTY * width
    filled = min(usage.used * width // usage.total, width)
    return _FULL * filled + _EMPTY * (width - filled)


def overfull(row: OverfullRow, most: int = 4) -> str:
    """What a node has too much of, who holds it, and what its kubelet does about it."""
    much = ", ".join(
        f"{u.resource} {amount(u.resource, u.used)} of {amount(u.resource, u.total)}"
        for u in row.short
    )
    first = f"node {row.node} is overfull from the start: {much}, held by {listed(row.pods, most)}"
    if not row.refused:
        return f"{first}; they run, but if its kubelet starts again, it may refuse some of them"
    refused = listed([f"{pod} ({reason})" for pod, reason, _ in row.refused], most)
    return f"{first}; its kubelet refuses {refused}"


def short(name: str, taken: Iterable[str] = ()) -> str:
    """A workload without its kind: ``shop/web``; whole where that would not tell it apart."""
    _, _, rest = name.partition(" ")
    return rest if rest and rest not in taken else name


def listed(items: Sequence[str], most: int, more: str = "more") -> str:
    """The first few, and how many are left out."""
    shown = ", ".join(items[:most])
    left = len(items) - most
    return f"{shown}, and {left:,} {more}" if left > 0 else shown


def pods(count: int) -> str:
    """``1 pod``, ``2,000 pods``."""
    return plural(count, "pod")
