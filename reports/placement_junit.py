"""The answer to a question of placement as JUnit XML: what was asked, and each workload, is a case.

What is not decided is an error, so that no reader of such files takes it for a success.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kubelemma.model.manifests.problems import Position
from kubelemma.solver.placement.problem import Answer

from .junit import clean
from .notice import file_of
from .placement import PlacementReport
from .placement_notice import messages
from .placement_text import QUESTIONS, headline
from .placement_words import overfull, pods

_OUTCOMES = {Answer.NO: ("failure", "infeasible"), Answer.UNKNOWN: ("error", "undecided")}


def render(report: PlacementReport) -> str:
    """The report as an XML document that ends in a line break."""
    report = report.shown()
    root = Element("testsuites", name="kubelemma")
    suite = SubElement(root, "testsuite", name="place")
    about = SubElement(suite, "properties")
    SubElement(about, "property", name="kubelemma.version", value=clean(report.version))
    for sentence in report.setting:
        SubElement(about, "property", name="kubelemma.setting", value=clean(sentence))
    for case in _cases(report):
        suite.append(case)
    gone = [f"{row.pod}: {row.told}" for row in report.evictions]
    full = [overfull(row) for row in report.overfull if not row.refused]
    beside = [f"{w.title}: {' '.join(w.lines)}" for w in report.whatifs if w.answer is Answer.YES]
    if gone or full or beside:
        SubElement(suite, "system-out").text = clean("\n".join((*gone, *full, *beside)))
    counts = {"tests": "testcase", "failures": "*/failure", "errors": "*/error"}
    for element in (root, suite):
        for name, path in counts.items():
            element.set(name, str(len(suite.findall(path))))
        element.set("skipped", "0")
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def _cases(report: PlacementReport) -> Iterator[Element]:
    decision = report.decision
    lines = decision.reason.lines if decision.reason is not None else ()
    helps = [f"What would help: {r.sentence}" for r in decision.relaxations]
    question = QUESTIONS[report.question]
    verdict = _Outcome(report.verdict, headline(report), (*lines, *helps))
    yield _case(question, "place", verdict)
    for full in report.overfull:
        answer = Answer.NO if full.refused else Answer.YES
        name = f"pods on node {full.node} are admitted"
        position = next((refused.position for refused in full.refused), None)
        yield _case(name, f"Node {full.node}", _Outcome(answer, overfull(full)), position)
    said = messages(report)
    for number, row in enumerate(report.workloads):
        answer = decision.answer if row.pending else Answer.YES
        waiting = f"{row.pending:,} of {pods(row.count)} pending"
        name = f"{pods(row.count)} placed"
        detail = (said[number],) if number in said else ()
        yield _case(name, row.name, _Outcome(answer, waiting, detail), row.share.position)
    for whatif in report.whatifs:
        first, *more = whatif.lines or ("",)
        yield _case(whatif.title, "place", _Outcome(whatif.answer, first, tuple(more)))


class _Outcome(NamedTuple):
    """How a case came out, in a sentence, and in more of them."""

    answer: Answer
    message: str
    detail: tuple[str, ...] = ()


def _case(name: str, about: str, outcome: _Outcome, position: Position | None = None) -> Element:
    case = Element("testcase", name=clean(name), classname=clean(about))
    if file_of(position):
        case.set("file", clean(file_of(position)))
    if position is not None and position.line:
        case.set("line", str(position.line))
    if outcome.answer in _OUTCOMES:
        kind, sort = _OUTCOMES[outcome.answer]
        found = SubElement(case, kind, type=sort, message=clean(outcome.message))
        found.text = clean("\n".join(outcome.detail))
    return case
