"""The answer to a question of placement for people: the verdict first, then why, then where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

from tabulate import tabulate

from kubelemma.solver.placement.decision import PendingReason
from kubelemma.solver.placement.problem import Afterwards, Answer, Question

from .left_out import left_out_lines
from .placement import NodeRow, PlacementReport, Usage, Why, WorkloadRow, totals
from .placement_words import amount, bar, listed, overfull, pods, share, short
from .style import Paint, Role, bullets, laid_out, painter, plural, wrap

By: TypeAlias = Literal["workload", "node"]

_ROLES = {Answer.YES: Role.GOOD, Answer.NO: Role.BAD, Answer.UNKNOWN: Role.UNSURE}
_WORDS = {Answer.YES: "FEASIBLE", Answer.NO: "INFEASIBLE", Answer.UNKNOWN: "UNKNOWN"}
FULL = "FULL"
"""The verdict on a number that is asked for, and is none."""
_ORDERS = {
    Answer.YES: "One order that works",
    Answer.NO: "One order that gets stuck",
    Answer.UNKNOWN: "One order that was tried",
}
_MOST_ROWS = 30
"""More rows than this are summed up, unless all are asked for."""
_MOST_NAMES = 4
_MOST_STEPS = 12
_STOPS = {"time-limit": "the time limit was hit"}
_BAR_COLUMNS = 90
"""On narrower terminals the bars are left out."""


def render(
    report: PlacementReport,
    *,
    by: By = "workload",
    wide: bool = False,
    colour: bool = False,
    width: int = 100,
) -> str:
    """The whole report as text that ends in a line break.

    Args:
        report: what was found out.
        by: whether the table tells for each workload its nodes, or for each node its pods.
        wide: every row, and every field that is not modelled.
        colour: add terminal colours.
        width: how long lines may be, in characters.
    """
    page = _Page(report.shown(), by, painter(colour=colour), width, wide=wide)
    return laid_out(page.lines())


class _Page:
    """One report on its way to text."""

    def __init__(
        self, report: PlacementReport, by: By, paint: Paint, width: int, *, wide: bool
    ) -> None:
        self._report = report
        self._by = by
        self._paint = paint
        self._width = width
        self._wide = wide
        names = [row.name for row in report.workloads]
        self._taken = {name for name, n in Counter(map(short, names)).items() if n > 1}

    def lines(self) -> Iterator[str]:
        """Everything."""
        yield from self._verdict()
        for title, section in (
            ("What would help", self._relaxations()),
            *((f"Why {why.pod}", self._why(why)) for why in self._report.whys),
            ("What is overfull", self._overfull()),
            ("Who has to go", self._evictions()),
            ("What is pending", self._pending()),
            (_ORDERS[self._report.decision.answer], self._order()),
            ("Where it gets stuck", self._stuck()),
            (*self._table(),),
            ("How full it is then", self._totals()),
            ("What was assumed", bullets(self._setting(), self._width)),
            ("How it was decided", self._statistics()),
        ):
            yield from self._section(title, section)
        parts = self._report.not_modelled
        lines = left_out_lines(parts, self._width, wide=self._wide)
        yield from self._section("What is not modelled", lines)

    def _section(self, title: str, lines: Iterable[str]) -> Iterator[str]:
        body = list(lines)
        if body:
            yield from ("", self._paint(title, Role.HEADING), *body)

    def _verdict(self) -> Iterator[str]:
        report, decision = self._report, self._report.decision
        yield from self._headline(report.verdict, headline(report))
        if decision.reason is not None:
            for line in decision.reason.lines:
                yield from wrap(line, self._width, "  ")
        for whatif in report.whatifs:
            first, *more = whatif.lines or ("",)
            text = f"{whatif.title}: {first}"
            yield from self._headline(whatif.answer, text, FULL if whatif.full else "")
            for line in more:
                yield from wrap(line, self._width, "  ")

    def _headline(self, answer: Answer, text: str, instead: str = "") -> Iterator[str]:
        word = instead or _WORDS[answer]
        first, *more = wrap(f"{word}: {text}", self._width, rest="  ")
        yield self._paint(word, _ROLES[answer]) + first[len(word) :]
        yield from more

    def _relaxations(self) -> Iterator[str]:
        yield from bullets((r.sentence for r in self._report.decision.relaxations), self._width)

    def _pending(self) -> Iterator[str]:
        """For each pending workload what the scheduler would write; the largest first."""
        found = sorted(self._report.decision.pending, key=lambda p: (-p.pods, p.workload))
        shown = found if self._wide else found[:_MOST_ROWS]
        for reason in shown:
            name = self._report.workloads[reason.workload].name
            yield from wrap(f"{name}, {pods(reason.pods)}", self._width, "  ")
            yield from wrap(reason.message, self._width, "      ")
            if self._wide:
                yield from self._examples(reason)
        if len(found) > len(shown):
            yield f"  and {plural(len(found) - len(shown), 'more workload')} (-o wide lists them)"

    def _why(self, why: Why) -> Iterator[str]:
        """Where a pod is, and what each node says to it."""
        for line in why.where:
            yield from wrap(line, self._width, "  ")
        for said in why.said:
            most = len(said.nodes) if self._wide else _MOST_STEPS
            names = listed(list(said.nodes), most, "nodes")
            yield from wrap(f"{names}: {said.sentence}", self._width, "  - ")

    def _evictions(self) -> Iterator[str]:
        """The pods that are driven out, the most important first."""
        found = sorted(self._report.evictions, key=lambda row: -row.priority)
        shown = found if self._wide else found[:_MOST_ROWS]
        for row in shown:
            yield from wrap(f"{row.pod}, priority {row.priority}", self._width, "  ")
            yield from wrap(row.told, self._width, "      ")
        if len(found) > len(shown):
            yield f"  and {plural(len(found) - len(shown), 'more pod')} (-o wide lists them)"

    def _overfull(self) -> Iterator[str]:
        """The nodes that hold too much, those where pods are refused first."""
        found = sorted(self._report.overfull, key=lambda row: -len(row.refused))
        shown = found if self._wide else found[:_MOST_ROWS]
        most = max((len(row.pods) for row in shown), default=0) if self._wide else _MOST_NAMES
        yield from bullets((overfull(row, most) for row in shown), self._width)
        if len(found) > len(shown):
            yield f"  and {plural(len(found) - len(shown), 'more node')} (-o wide lists them)"

    def _examples(self, reason: PendingReason) -> Iterator[str]:
        nodes = self._report.nodes
        for (words, count), node in zip(reason.counts, reason.examples, strict=False):
            name = nodes[node].name
            yield from wrap(f"{words}: {count:,}, such as {name}", self._width, "        ")

    def _order(self) -> Iterator[str]:
        """The order of scheduling, equal steps in a row told once."""
        steps = [(step, len(list(same))) for step, same in groupby(self._report.decision.order)]
        shown = steps if self._wide else steps[:_MOST_STEPS]
        nodes = self._report.nodes
        for number, ((workload, node), times) in enumerate(shown, 1):
            name = self._short(workload)
            more = f", {times} times" if times > 1 else ""
            yield f"  {number:>3}  {name} to {nodes[node].name}{more}"
        if len(steps) > len(shown):
            yield f"       and so on, {pods(len(self._report.decision.order))} in all (-o wide)"

    def _stuck(self) -> Iterator[str]:
        stuck = self._report.decision.stuck
        if stuck is None:
            return
        size = sum(one.count for one in stuck.assignments)
        what = f"{pods(size)} of {self._report.pods:,}"
        text = f"With these placed, one at a time, no other finds a node: {what}"
        yield from wrap(text, self._width, "  ")
        rows: dict[int, list[str]] = defaultdict(list)
        nodes = self._report.nodes
        for one in stuck.assignments:
            rows[one.workload].append(_times(nodes[one.node].name, one.count))
        shown = list(rows.items()) if self._wide else list(rows.items())[:_MOST_STEPS]
        for workload, where in shown:
            most = len(where) if self._wide else _MOST_STEPS
            text = f"{self._short(workload)}: {listed(where, most, 'nodes')}"
            yield from wrap(text, self._width, "  - ")
        if len(rows) > len(shown):
            yield f"  - and {plural(len(rows) - len(shown), 'more workload')} (-o wide lists them)"

    def _table(self) -> tuple[str, Iterable[str]]:
        if not self._report.workloads and self._by == "workload":
            return "Nodes", self._by_node()
        if self._by == "node":
            return "Nodes", self._by_node()
        return "Workloads", self._by_workload()

    def _by_workload(self) -> Iterator[str]:
        rows = sorted(self._report.workloads, key=lambda row: -row.pending)
        shown = rows if self._wide else rows[:_MOST_ROWS]
        pending = any(row.pending for row in rows)
        headers = ["WORKLOAD", "PODS", "PLACED", *["PENDING"] * pending, "NODES"]
        table = [self._workload(row, pending=pending) for row in shown]
        yield from self._columns(table, headers)
        if len(rows) > len(shown):
            rest = rows[len(shown) :]
            count = sum(row.count for row in rest)
            placed = sum(row.placed for row in rest)
            more = plural(len(rest), "more workload")
            yield f"and {more}: {placed:,} of {pods(count)} placed (-o wide lists them)"

    def _workload(self, row: WorkloadRow, *, pending: bool) -> list[str]:
        nodes = self._report.nodes
        most = len(row.nodes) if self._wide else _MOST_NAMES
        names = [_times(nodes[i].name, count) for i, count in row.nodes[: most + 1]]
        left = len(row.nodes) - most
        where = ", ".join(names[:most]) + (f", and {left:,} more" if left > 0 else "")
        waiting = self._paint(f"{row.pending:,}", Role.BAD) if row.pending else "0"
        numbers = [f"{row.count:,}", f"{row.placed:,}"]
        return [row.name, *numbers, *[waiting] * pending, where or "<none>"]

    def _by_node(self) -> Iterator[str]:
        rows = self._report.nodes
        if len(rows) > _MOST_ROWS and not self._wide:
            yield from self._by_class()
            return
        zones = any(row.zone for row in rows)
        bars = self._width >= _BAR_COLUMNS
        headers = ["NODE", *["ZONE"] * zones, "PODS", *_headings(rows), "NEW PODS"]
        table = []
        for row in rows:
            name = row.name if row.schedulable else f"{row.name} (cordoned)"
            new = [_times(self._short(workload), count) for workload, count in row.placed]
            most = len(new) if self._wide else _MOST_NAMES
            usage = [_cell(u, bars=bars) for u in row.usage[1:]]
            usage += [""] * (len(_headings(rows)) - len(usage))
            where = listed(new, most) or "<none>"
            own = [name, *[row.zone or "<none>"] * zones, _of(row.usage[0]), *usage, where]
            table.append(own)
        yield from self._columns(table, headers)

    def _by_class(self) -> Iterator[str]:
        """Nodes that look alike from outside in one row: how full they are, from and to."""
        groups: dict[_Class, list[NodeRow]] = defaultdict(list)
        for row in self._report.nodes:
            groups[_class_of(row)].append(row)
        table = []
        for kind, rows in sorted(groups.items())[:_MOST_ROWS]:
            spans = [_span(rows, index) for index in range(1, len(rows[0].usage))]
            summed = totals(rows)
            table.append([f"{len(rows):,}", *kind[:2], _of(summed[0]), *spans])
        resources = max((len(r.usage) for r in self._report.nodes), default=1)
        longest = next((r for r in self._report.nodes if len(r.usage) == resources), None)
        names = _headings([longest]) if longest else []
        yield from self._columns(table, ["NODES", "TYPE", "ZONE", "PODS", *names])
        left = len(groups) - _MOST_ROWS
        more = f"and {plural(left, 'more kind')} of nodes; " if left > 0 else ""
        yield f"{more}how full they are, from the emptiest to the fullest (-o wide lists all nodes)"

    def _totals(self) -> Iterator[str]:
        rows = []
        for usage in self._report.total():
            name = usage.resource
            of = f"{amount(name, usage.used)} of {amount(name, usage.total)}"
            rows.append((name, bar(usage, 20), share(usage), of))
        plain = tabulate(
            rows, tablefmt="plain", disable_numparse=True, colalign=("left", "left", "right")
        )
        yield from (f"  {line}" for line in plain.splitlines())

    def _setting(self) -> Iterator[str]:
        yield from self._report.setting
        yield f"question: {QUESTIONS[self._report.question]}"

    def _statistics(self) -> Iterator[str]:
        found = self._report.decision.statistics
        shapes = plural(found.shapes, "shape")
        classes = plural(found.classes, "class", "classes")
        asked = f"{pods(found.pods)} of {plural(found.workloads, 'workload')} in {shapes}"
        parts = [f"{asked}, {plural(found.nodes, 'node')} in {classes}"]
        if found.headroom is not None:
            parts.append(_headroom(found.headroom))
        if found.stopped_by:
            parts.append(f"given up: {_STOPS.get(found.stopped_by, found.stopped_by)}")
        if self._wide and found.rungs:
            parts.append(f"tried: {', '.join(found.rungs)}")
        parts += [
            f"priority {level.priority} and above alone: {_WORDS[level.answer].lower()}"
            for level in self._report.decision.levels
        ]
        yield from bullets(parts, self._width)

    def _short(self, workload: int) -> str:
        return short(self._report.workloads[workload].name, self._taken)

    def _columns(self, table: Sequence[Sequence[str]], headers: Sequence[str]) -> Iterator[str]:
        """A table whose last column is as wide as the terminal lets it be."""
        if not table:
            return
        plain = {"tablefmt": "plain", "disable_numparse": True}
        *_, last = headers
        if not self._wide:
            used = tabulate(table, headers, **plain).index(last)  # type: ignore[arg-type]  # options of one kind each
            widths = [None] * (len(headers) - 1) + [max(self._width - used, 20)]
            text = tabulate(table, headers, maxcolwidths=widths, **plain)  # type: ignore[arg-type]  # as above
        else:
            text = tabulate(table, headers, **plain)  # type: ignore[arg-type]  # as above
        yield from text.splitlines()


QUESTIONS = {
    Question.FINAL: "is there a legal final state, in whatever order it comes about",
    Question.REACHABLE: "is there an order in which the scheduler can place one pod at a time",
    Question.ANY_ORDER: "does every order of scheduling one pod at a time place all pods",
}
"""What is asked, in words."""


def headline(report: PlacementReport) -> str:
    """The verdict in one sentence."""
    first = _headline_of_pending(report)
    if not report.overfull:
        return first
    names = [row.node for row in report.overfull]
    are = "node {} is" if len(names) == 1 else "nodes {} are"
    which = f"{are.format(listed(names, _MOST_NAMES))} overfull from the start"
    refused = sum(len(row.refused) for row in report.overfull)
    if not refused:
        return f"{first}; {which}"
    where = f"{pods(refused)} {'is' if refused == 1 else 'are'} refused"
    return f"{which}, where {where}; beside that, {first}"


def _headline_of_pending(report: PlacementReport) -> str:
    decision, total = report.decision, report.pods
    left = total - report.placed
    if report.evictions and decision.answer is not Answer.UNKNOWN:
        gone = f"{pods(len(report.evictions))} had to go for others"
        every = f"all {pods(total)} have" if total > 1 else "1 pod has"
        waiting = f"{left:,} of {pods(total)} {'is' if left == 1 else 'are'} pending"
        first = f"{waiting}, as {gone}" if left else f"{every} a place, once {gone}"
        return "; ".join((first, *_lost(report)))
    if decision.answer is Answer.YES:
        what = {
            Question.FINAL: "has a place" if total == 1 else "have a place",
            Question.REACHABLE: "can be placed one at a time",
            Question.ANY_ORDER: "are placed in whatever order they are scheduled",
        }[decision.question]
        return (
            f"{'all ' if total > 1 else ''}{pods(total)} {what}" if total else "nothing is pending"
        )
    if decision.answer is Answer.UNKNOWN:
        if left:
            open_ones = f"{left:,} of {pods(total)}"
            return f"no place was found for {open_ones}, and no proof that there is none"
        return f"not decided: {QUESTIONS[decision.question]}?"
    if decision.question is Question.FINAL or left == total:
        how = (
            "the scheduler, with the most important first,"
            if decision.by_importance
            else "the best placement found"
        )
        best = f"; {how} leaves out {left:,}" if left < total else ""
        return f"there is no place for {'all ' * (total > 1)}{pods(total)}{best}"
    asked = {
        Question.REACHABLE: "no order of scheduling one pod at a time places all",
        Question.ANY_ORDER: "not every order of scheduling places all",
    }
    return f"{asked.get(decision.question, 'there is no place for all')} {pods(total)}"


def _lost(report: PlacementReport) -> Iterator[str]:
    """How many of those that had to go do not come back, or nobody knows."""
    found = Counter(row.afterwards for row in report.evictions)
    alone = len(report.evictions) == 1
    if lost := found[Afterwards.GONE]:
        every = lost == len(report.evictions)
        which = "it" if alone else "them" if every else f"{lost:,} of them"
        yield f"nobody creates {which} again"
    if unknown := found[Afterwards.OPEN]:
        which = "it" if alone else f"{unknown:,} more" if lost else f"{unknown:,} of them"
        yield f"{which} may not come back"


class _Class(NamedTuple):
    """Nodes that look alike from outside."""

    type: str
    zone: str
    total: tuple[tuple[str, int], ...]


def _class_of(row: NodeRow) -> _Class:
    offered = ", ".join(f"{u.resource} {amount(u.resource, u.total)}" for u in row.usage[1:3])
    cordoned = "" if row.schedulable else " (cordoned)"
    total = tuple((u.resource, u.total) for u in row.usage)
    return _Class((row.type or offered) + cordoned, row.zone or "<none>", total)


def _span(rows: Sequence[NodeRow], index: int) -> str:
    usages = sorted((row.usage[index] for row in rows), key=lambda u: u.used)
    least, most = share(usages[0]), share(usages[-1])
    summed = Usage(usages[0].resource, sum(u.used for u in usages), sum(u.total for u in usages))
    span = least if least == most else f"{least}-{most}"
    return f"{bar(summed, 8)} {span}"


def _headings(rows: Iterable[NodeRow]) -> list[str]:
    """The resources of the columns; those beyond cpu and memory where any node has them."""
    names = dict.fromkeys(u.resource for row in rows for u in row.usage[1:])
    return [name.upper() for name in names]


def _cell(usage: Usage, *, bars: bool) -> str:
    of = f"{amount(usage.resource, usage.used)}/{amount(usage.resource, usage.total)}"
    return f"{bar(usage, 8)} {share(usage):>4} {of}" if bars else f"{share(usage)} {of}"


def _of(usage: Usage) -> str:
    return f"{usage.used:,}/{usage.total:,}"


def _headroom(share_left: float) -> str:
    """How much room there would be if pods could be cut into pieces."""
    per_cent = round(share_left * 100, 1)
    if per_cent < 0:
        return f"headroom: none; capacity is short by {-per_cent:.1f}% at best"
    if per_cent == 0:
        return "headroom: none to speak of; some node is full at best"
    return f"headroom: at best {per_cent:.1f}% of every node could stay free"


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{name} ({count:,})"
