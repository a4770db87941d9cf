"""The findings of an earlier run, which are known and fail no check.

A finding is known by scenario, property and object: another story or another line make no new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kubelemma.model.manifests import InvalidInput, Position, Problem, Source
from kubelemma.model.manifests.own import CHECK_VERSION
from kubelemma.model.manifests.standalone import read_standalone
from kubelemma.model.objects.meta import ApiStruct
from kubelemma.reports import saved
from kubelemma.reports.document import PropertyReport, Report
from kubelemma.reports.plain import as_json
from kubelemma.solver.result import Verdict

from .rules import Finding

KIND = "Baseline"


class _Listed(ApiStruct, frozen=True, kw_only=True):
    """One finding."""

    scenario: str
    property: str
    object: str


class _Baseline(ApiStruct, frozen=True, kw_only=True):
    """``kind: Baseline``."""

    kubelemma_version: str = ""
    findings: tuple[_Listed, ...]


class _Envelope(msgspec.Struct):
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The violations that are known, and the file that says so."""

    file: str
    findings: frozenset[Finding] = frozenset()


def load_baseline(file: str) -> Baseline:
    """The violations that a file lists: a baseline, or the JSON or YAML result of a check.

    Raises:
        InvalidInput: it cannot be read, or is neither; the message says why.
    """
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        hint = " (--write-baseline writes one)" if isinstance(error, FileNotFoundError) else ""
        message = f"{error.strerror}{hint}"
        raise InvalidInput([Problem(Position(file), "", message)]) from error
    if _is_result(content):
        return Baseline(file, frozenset(violations(_result(file, content))))
    listed = read_standalone(Source(file, content), KIND, _Baseline).value.findings
    return Baseline(file, frozenset(Finding(f.scenario, f.property, f.object) for f in listed))


def _is_result(content: bytes) -> bool:
    try:
        return msgspec.json.decode(content, type=_Envelope).kind == saved.KIND
    except msgspec.MsgspecError:
        return f"kind: {saved.KIND}".encode() in content.splitlines()[:5]


def _result(file: str, content: bytes) -> Report:
    try:
        return saved.load(file, content.decode())
    except UnicodeDecodeError as error:
        raise InvalidInput([Problem(Position(file), "", "is not UTF-8 text")]) from error


def violations(report: Report) -> Iterable[Finding]:
    """The violations of a report that nobody has suppressed."""
    for scenario in report.scenarios:
        for prop in scenario.properties:
            if prop.verdict is Verdict.VIOLATED and prop.suppression is None:
                yield finding(scenario.name, prop)


def finding(scenario: str, prop: PropertyReport) -> Finding:
    """What a verdict is known by."""
    return Finding(scenario, prop.id, prop.subject)


def verdicts(report: Report) -> dict[Finding, Verdict]:
    """What was found out, by what it is known by."""
    return {finding(s.name, p): p.verdict for s in report.scenarios for p in s.properties}


def render_baseline(report: Report, before: Baseline | None = None) -> str:
    """A baseline of what is violated.

    What was known ``before`` stays if it is undecided now, or was not looked at.
    """
    decided = {f for f, v in verdicts(report).items() if v is not Verdict.INCONCLUSIVE}
    kept = before.findings - decided if before else frozenset()
    findings = sorted({*violations(report), *kept})
    data = {
        "apiVersion": CHECK_VERSION,
        "kind": KIND,
        "kubelemmaVersion": report.version,
        "findings": [f._asdict() for f in findings],
    }
    return as_json(data)
