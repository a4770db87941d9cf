"""The answer to a question of placement as Markdown, for a comment on a pull request.

Whoever reads a comment wants to know who has no place and why; all else is folded away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kubelemma.solver.placement.problem import Answer

from .markdown import LONGEST, escape, folded, grid, itemised
from .placement import PlacementReport, Share
from .placement_notice import is_doubtful, messages
from .placement_text import QUESTIONS, headline
from .placement_words import amount, listed, overfull, pods, share

MARKER = "<!-- kubelemma place -->"
"""The first line, by which a bot finds its earlier comment again."""

_SIGNS = {Answer.YES: "✅", Answer.NO: "❌", Answer.UNKNOWN: "⚠️"}
_ROWS = (200, 50, 10, 3)
"""So many rows of each table, or fewer where the report gets too long."""
_NAMES = 6


def render(report: PlacementReport) -> str:
    """The report as Markdown of at most ``LONGEST`` characters that ends in a line break."""
    report = report.shown()
    texts = ("\n\n".join(_blocks(report, rows)) + "\n" for rows in _ROWS)
    shortest = ""
    for text in texts:
        if len(text) <= LONGEST:
            return text
        shortest = text
    return shortest[:LONGEST].rpartition("\n")[0] + "\n"


def _blocks(report: PlacementReport, rows: int) -> Iterator[str]:
    decision = report.decision
    yield MARKER
    sign = _SIGNS[Answer.UNKNOWN if is_doubtful(report) else report.answer]
    yield f"### {sign} kubelemma place: {escape(headline(report))}"
    if decision.reason is not None:
        yield escape(" ".join(decision.reason.lines))
    for whatif in report.whatifs:
        told = escape(" ".join(whatif.lines))
        yield f"{_SIGNS[whatif.answer]} **{escape(whatif.title)}**: {told}"
    for why in report.whys:
        said = (f"{listed(said.nodes, _NAMES, 'nodes')}: {said.sentence}" for said in why.said)
        yield f"**Why {escape(why.pod)}**"
        yield itemised(map(escape, (*why.where, *said)))
    yield from _titled("What is overfull", list(map(overfull, report.overfull)), rows)
    yield from _titled(
        "Who has to go",
        [f"{row.pod}, priority {row.priority}: {row.told}" for row in report.evictions],
        rows,
    )
    yield from _pending(report, rows)
    yield from _titled("What would help", [r.sentence for r in decision.relaxations], rows)
    yield from folded("Workloads", list(_workloads(report, rows)))
    yield from folded("How full it is then", [_totals(report)])
    setting = (*report.setting, f"question: {QUESTIONS[report.question]}")
    yield from folded("What was assumed", [itemised(map(escape, setting))])
    parts = [str(part) for part in report.not_modelled if part.severity == "not modelled"]
    if parts:
        yield from folded(f"What is not modelled ({len(parts)})", [_items(parts, rows)])
    yield f"kubelemma {escape(report.version)}"


def _titled(title: str, items: Sequence[str], rows: int) -> Iterator[str]:
    if items:
        yield f"**{title}**"
        yield _items(items, rows)


def _items(items: Sequence[str], rows: int) -> str:
    left = len(items) - rows
    return itemised([*map(escape, items[:rows]), *([f"and {left:,} more"] if left > 0 else [])])


def _pending(report: PlacementReport, rows: int) -> Iterator[str]:
    said = messages(report)
    found = [
        (escape(row.name), f"{row.pending:,}", escape(said.get(number, "")), _place(row.share))
        for number, row in enumerate(report.workloads)
        if row.pending
    ]
    if found:
        yield "**What is pending**"
        yield from _table(("Workload", "Pods", "What the scheduler says", "Where"), found, rows)


def _place(found: Share) -> str:
    return escape(found.location)


def _workloads(report: PlacementReport, rows: int) -> Iterator[str]:
    nodes = report.nodes
    found = [
        (
            escape(row.name),
            f"{row.placed:,} of {pods(row.count)}",
            escape(listed([nodes[n].name for n, _ in row.nodes], _NAMES)),
        )
        for row in report.workloads
    ]
    yield from _table(("Workload", "Placed", "Nodes"), found, rows)


def _table(headers: Sequence[str], found: Sequence[Sequence[str]], rows: int) -> Iterator[str]:
    yield grid(headers, found[:rows])
    if len(found) > rows:
        yield f"and {len(found) - rows:,} more"


def _totals(report: PlacementReport) -> str:
    found: Iterable[tuple[str, ...]] = (
        (
            escape(u.resource),
            share(u),
            f"{amount(u.resource, u.used)} of {amount(u.resource, u.total)}",
        )
        for u in report.total()
    )
    return grid(("Resource", "", ""), found)
