"""What of the input is not modelled, for people: by what follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tabulate import tabulate

from kubelemma.model.manifests.coverage import NotModelled

from .style import enumeration, plural, wrap

_PLACES_SHOWN = 3


def left_out_lines(parts: Iterable[NotModelled], width: int, *, wide: bool) -> Iterator[str]:
    """What is left out, by what follows from it; what follows from nothing is only counted."""
    parts = tuple(parts)
    if wide and parts:
        rows = [(p.position, p.object, p.path or "<all>", p.reason) for p in parts]
        headers = ("LOCATION", "OBJECT", "FIELD", "REASON")
        yield from tabulate(rows, headers, tablefmt="plain", disable_numparse=True).splitlines()
        return
    by_reason: dict[str, list[NotModelled]] = defaultdict(list)
    for part in parts:
        if part.severity == "not modelled":
            by_reason[part.reason].append(part)
    for reason, alike in by_reason.items():
        yield from wrap(reason, width, "  - ")
        yield from _places(alike, width)
    harmless = sum(part.severity == "irrelevant" for part in parts)
    if harmless:
        text = plural(harmless, "field or object", "fields or objects")
        yield from wrap(
            f"{text} without effect on the verdicts (-o wide lists them)", width, "  - "
        )


def _places(parts: list[NotModelled], width: int) -> Iterator[str]:
    """The first few places: whole objects in a row, fields on lines of their own."""
    shown = [f"{p.object} {p.path}".rstrip() for p in parts[:_PLACES_SHOWN]]
    more = len(parts) - len(shown)
    if any(part.path for part in parts):
        for place in [*shown, *[f"and {more} more"] * bool(more)]:
            yield from wrap(place, width, "      ")
    else:
        yield from wrap(enumeration([*shown, *[f"{more} more"] * bool(more)]), width, "      ")
