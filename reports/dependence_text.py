"""What depends on what, as two tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

from .style import plural

if TYPE_CHECKING:
    from kubelemma.solver.result import Influence, Used

_NOTHING = "-"
_ALL = "all of it"
_BETWEEN = 2


def influence_lines(found: Influence | None, width: int) -> Iterator[str]:
    """A row for each property, then one for each rule; nothing where nobody asked."""
    if found is None:
        return
    properties = [
        (f"{each.id} {each.subject}", _listed(each.sees), _listed(each.left_out))
        for each in found.properties
    ]
    yield from _table(("PROPERTY", "LOOKS AT", "IS NOT INFLUENCED BY"), properties, width)
    asked = f" (AND WHAT MATTERED IN {plural(found.states, 'STATE', 'STATES')})"
    rules = [(each.rule, _listed(_seen(each))) for each in found.rules]
    yield ""
    header = f"LOOKS AT{asked if found.states else ''}; * IT MAY WRITE"
    yield from _table(("RULE", header), rules, width)


def _seen(used: Used) -> Iterator[str]:
    """All that a rule looks at, each with its parts that made a difference."""
    parts = _parts(used)
    for name in used.sees:
        star = "*" if name in used.writes else ""
        yield f"{name}{star} ({', '.join(parts[name])})" if parts[name] else f"{name}{star}"


def _parts(used: Used) -> dict[str, list[str]]:
    """The parts that made a difference, by what they are parts of."""
    found: dict[str, list[str]] = {name: [] for name in used.sees}
    longest = sorted(used.sees, key=len, reverse=True)
    for path in used.depended_on or ():
        counted = path.startswith("len(")
        inner = path.removeprefix("len(").removesuffix(")") if counted else path
        name = next(name for name in longest if _is_of(inner, name))
        rest = inner.removeprefix(name).removeprefix(".")
        whole = "len" if counted else _ALL
        found[name].append((f"len({rest})" if counted else rest) if rest else whole)
    return found


def _is_of(path: str, name: str) -> bool:
    return path == name or path.startswith((f"{name}.", f"{name}[", f"{name}?"))


def _listed(names: Iterable[str]) -> str:
    return "; ".join(names) or _NOTHING


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """A table whose columns share the width, each as wide as it needs to be where there is room."""
    widths = _shared([max(map(len, column)) for column in zip(headers, *rows, strict=True)], width)
    text = tabulate(rows, headers, "plain", disable_numparse=True, maxcolwidths=widths)
    return text.splitlines()


def _shared(needed: Sequence[int], width: int) -> list[int]:
    """The widths of columns: the narrow ones as they are, the others alike."""
    left, widths = width - _BETWEEN * (len(needed) - 1), dict[int, int]()
    for at in sorted(range(len(needed)), key=needed.__getitem__):
        share = left // (len(needed) - len(widths))
        widths[at] = min(needed[at], max(share, 1))
        left -= widths[at]
    return [widths[at] for at in range(len(needed))]
