"""What of the input is not modelled, for people: by what follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

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
    for reason, alike in by_reason(parts).items():
        yield from wrap(reason, width, "  - ")
        yield from _lines(places(alike), width)
    harmless = sum(part.severity == "irrelevant" for part in parts)
    if harmless:
        text = plural(harmless, "field or object", "fields or objects")
        yield from wrap(
            f"{text} without effect on the verdicts (-o wide lists them)", width, "  - "
        )


def by_reason(parts: Iterable[NotModelled]) -> dict[str, list[NotModelled]]:
    """What has consequences for the verdicts, by what these are."""
    found: dict[str, list[NotModelled]] = defaultdict(list)
    for part in parts:
        if part.severity == "not modelled":
            found[part.reason].append(part)
    return found


def places(alike: Sequence[NotModelled]) -> tuple[str, ...]:
    """The first few places: whole objects in one text, fields in texts of their own."""
    shown = [f"{p.object} {p.path}".rstrip() for p in alike[:_PLACES_SHOWN]]
    more = len(alike) - len(shown)
    if any(part.path for part in alike):
        return (*shown, *[f"and {more} more"] * bool(more))
    return (enumeration([*shown, *[f"{more} more"] * bool(more)]),)


def _lines(texts: Iterable[str], width: int) -> Iterator[str]:
    for text in texts:
        yield from wrap(text, width, "      ")
