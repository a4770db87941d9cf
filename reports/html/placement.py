"""The answer to a question of placement as a page: the verdict, why, and the nodes as a picture."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.pod import Pod
from kubelemma.model.visible import visible
from kubelemma.reports.placement import NodeRow, PlacementReport, Usage, Why
from kubelemma.reports.placement_text import FULL, QUESTIONS, headline
from kubelemma.reports.placement_text import render as text
from kubelemma.reports.placement_words import amount, overfull, pods, share, short
from kubelemma.reports.style import plural
from kubelemma.solver.placement.problem import Answer

from .markup import Content, Markup, element
from .pieces import badge, bullets, cell, folded, masthead, table
from .sections import left_out
from .shell import page

_SCRIPTS = ("dom.js", "usage.js", "placement.js", "main.js")
_WORDS = {Answer.YES: "feasible", Answer.NO: "infeasible", Answer.UNKNOWN: "unknown"}
_LOOKS = {Answer.YES: "good", Answer.NO: "bad", Answer.UNKNOWN: "unsure"}
_MOST_ROWS = 500
"""Rows of a table or a list; the picture has all nodes, and the JSON report has everything."""


def render(report: PlacementReport) -> str:
    """The whole page; it ends in a line break."""
    report = report.shown()
    word = _WORDS[report.verdict]
    header = masthead(
        "kubelemma place",
        badge(word, _LOOKS[report.verdict]),
        element("p", _sentence(headline(report)), class_="outcome"),
        *(element("p", line) for line in _reasons(report)),
        element("p", f"kubelemma {report.version}", class_="quiet"),
    )
    sections = (
        *_whatifs(report),
        *_section("What would help", _relaxations(report)),
        *(part for why in report.whys for part in _section(f"Why {why.pod}", _why(why))),
        *_section("What is overfull", _overfull(report)),
        *_section("Who has to go", _evictions(report)),
        *_section("What is pending", _pending(report)),
        *_section("One order that works", _order(report)),
        *_section("Where it gets stuck", _stuck(report)),
        *_section("Nodes", _nodes(report)),
        *_section("How full it is then", [_totals(report)]),
        *_section("Workloads", _workloads(report)),
        *folded("What was assumed", [bullets(_assumed(report))], opened=True),
        left_out(report.not_modelled),
    )
    return page(f"kubelemma place: {word}", header, sections, _data(report), _SCRIPTS)


def _assumed(report: PlacementReport) -> tuple[str, ...]:
    return (*report.setting, f"question: {QUESTIONS[report.question]}")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _reasons(report: PlacementReport) -> tuple[str, ...]:
    reason = report.decision.reason
    return reason.lines if reason is not None else ()


def _section(title: str, content: Iterator[Content] | list[Markup]) -> Iterator[Markup]:
    """A section; nothing where it is empty."""
    parts = list(content)
    if parts:
        yield element("section", element("h2", title), *parts)


def _whatifs(report: PlacementReport) -> Iterator[Markup]:
    for found in report.whatifs:
        word = FULL.lower() if found.full else _WORDS[found.answer]
        verdict = badge(word, _LOOKS[found.answer])
        lines = [element("p", line) for line in found.lines]
        yield element("section", element("h2", f"{found.title} ", verdict), *lines)


def _relaxations(report: PlacementReport) -> Iterator[Markup]:
    if report.decision.relaxations:
        yield bullets(relaxation.sentence for relaxation in report.decision.relaxations)


def _pending(report: PlacementReport) -> Iterator[Markup]:
    """What the scheduler would write, the largest first."""
    found = sorted(report.decision.pending, key=lambda p: (-p.pods, p.workload))
    if found:
        yield bullets(
            f"{report.workloads[one.workload].name}, {pods(one.pods)}: {one.message}"
            for one in found[:_MOST_ROWS]
        )
    if len(found) > _MOST_ROWS:
        yield element("p", f"and {plural(len(found) - _MOST_ROWS, 'more workload')}")


def _why(why: Why) -> Iterator[Markup]:
    """Where a pod is, and what each node says to it."""
    yield from (element("p", line) for line in why.where)
    yield bullets(f"{', '.join(said.nodes)}: {said.sentence}" for said in why.said)


def _overfull(report: PlacementReport) -> Iterator[Markup]:
    """The nodes that hold more than they offer before anything is placed."""
    if report.overfull:
        yield bullets(overfull(row) for row in report.overfull[:_MOST_ROWS])
    if len(report.overfull) > _MOST_ROWS:
        yield element("p", f"and {plural(len(report.overfull) - _MOST_ROWS, 'more node')}")


def _evictions(report: PlacementReport) -> Iterator[Markup]:
    """The pods that are driven out, the most important first."""
    found = sorted(report.evictions, key=lambda row: -row.priority)
    if found:
        yield bullets(
            f"{row.pod}, priority {row.priority}: {row.told}" for row in found[:_MOST_ROWS]
        )
    if len(found) > _MOST_ROWS:
        yield element("p", f"and {plural(len(found) - _MOST_ROWS, 'more pod')}")


def _order(report: PlacementReport) -> Iterator[Markup]:
    """The order of scheduling, equal steps in a row told once."""
    steps = [(step, len(list(same))) for step, same in groupby(report.decision.order)]
    nodes = report.nodes
    if steps:
        items = [
            f"{report.workloads[workload].name} to {_times(nodes[node].name, times)}"
            for (workload, node), times in steps[:_MOST_ROWS]
        ]
        yield element("ol", *(element("li", item) for item in items))
    if len(steps) > _MOST_ROWS:
        yield element("p", f"and so on, {pods(len(report.decision.order))} in all")


def _stuck(report: PlacementReport) -> Iterator[Markup]:
    """What is placed when no other pod finds a node any more."""
    stuck = report.decision.stuck
    if stuck is None:
        return
    placed = pods(sum(one.count for one in stuck.assignments))
    yield element(
        "p",
        f"With these placed, one at a time, no other finds a node: {placed} of {report.pods:,}.",
    )
    nodes = [node.name for node in report.nodes]
    yield bullets(
        f"{report.workloads[one.workload].name} on {_times(nodes[one.node], one.count)}"
        for one in stuck.assignments[:_MOST_ROWS]
    )
    if len(stuck.assignments) > _MOST_ROWS:
        yield element("p", "and so on")


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{name}, {plural(count, 'time')}"


def _nodes(report: PlacementReport) -> Iterator[Markup]:
    if report.nodes:
        yield element("div", class_="placement")
        yield element("pre", text(report, by="node"), class_="paper")


def _totals(report: PlacementReport) -> Markup:
    rows = [
        element(
            "tr",
            cell("Resource", usage.resource),
            cell("Requested", amount(usage.resource, usage.used)),
            cell("Of", amount(usage.resource, usage.total)),
            cell("Share", share(usage)),
        )
        for usage in report.total()
    ]
    return table(("Resource", "Requested", "Of", "Share"), rows)


def _workloads(report: PlacementReport) -> Iterator[Markup]:
    """Those with pending pods first."""
    ordered = sorted(report.workloads, key=lambda row: (-row.pending, row.name))
    rows = [
        element(
            "tr",
            cell("Workload", row.name),
            cell("Pods", f"{row.count:,}"),
            cell("Placed", f"{row.placed:,}"),
            cell("Pending", badge(f"{row.pending:,}", "bad") if row.pending else "0"),
            cell("Written in", row.share.location),
        )
        for row in ordered[:_MOST_ROWS]
    ]
    if rows:
        yield table(("Workload", "Pods", "Placed", "Pending", "Written in"), rows)
    if len(ordered) > _MOST_ROWS:
        yield element("p", f"and {plural(len(ordered) - _MOST_ROWS, 'more workload')}")


def _data(report: PlacementReport) -> dict[str, Any]:
    """What the picture shows."""
    names = Counter(short(row.name) for row in report.workloads)
    taken = {name for name, times in names.items() if times > 1}
    here = _standing(report.problem.cluster.pods)
    owners = {name: at for at, name in enumerate(sorted({o for own in here.values() for o in own}))}
    return {
        "workloads": [short(row.name, taken) for row in report.workloads],
        "owners": list(owners),
        "pending": [[i, row.pending] for i, row in enumerate(report.workloads) if row.pending],
        "nodes": [_node(row, here[row.name], owners) for row in report.nodes],
    }


def _standing(pods: Iterable[Pod]) -> defaultdict[str, Counter[str]]:
    """The pods that are on nodes already, by node and by the name of whoever they belong to."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for pod in pods:
        found[visible(pod.spec.node_name)][_owner(pod.metadata)] += 1
    return found


def _owner(metadata: ObjectMeta) -> str:
    """Its controller, of a ReplicaSet the Deployment; else the pod itself."""
    owner = next((o for o in metadata.owner_references or () if o.controller), None)
    suffix = f"-{metadata.label_map().get('pod-template-hash', '')}"
    name = owner.name.removesuffix(suffix) if owner is not None else metadata.name
    return f"{metadata.namespace}/{name}"


def _node(row: NodeRow, here: Counter[str], owners: Mapping[str, int]) -> dict[str, Any]:
    new = sum(count for _, count in row.placed)
    return {
        "name": row.name,
        "zone": row.zone,
        "type": row.type,
        "conditions": [] if row.schedulable else ["cordoned"],
        "usage": [_usage(usage) for usage in row.usage],
        "placed": [list(pair) for pair in row.placed],
        "standing": max(row.usage[0].used - new, 0),
        "here": [[owners[name], count] for name, count in sorted(here.items())],
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "resource": usage.resource,
        "requested": amount(usage.resource, usage.used),
        "allocatable": amount(usage.resource, usage.total),
        "share": round(usage.used / usage.total, 4) if usage.total else 0,
    }
