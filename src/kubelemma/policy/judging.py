"""From what was found to what counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kubelemma.model.manifests import Position, Problem
from kubelemma.properties.statement import Severity
from kubelemma.reports.document import (
    BaselineState,
    PropertyReport,
    Report,
    ScenarioReport,
    Suppression,
)
from kubelemma.reports.style import plural
from kubelemma.solver.result import Verdict

from .baseline import Baseline, finding, verdicts
from .rules import Finding, Rule

_NAMED = 5
"""So many findings are named where a sentence is about all of them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What somebody has decided about findings.

    Attributes:
        rules: the suppressions that stand apart from the manifests.
        annotations: whether those in the manifests are heeded.
        baseline: what is known.
        severities: by identifier, where they are not the catalogue's.
        folder: the absolute path from which the files of positions are named.
    """

    rules: tuple[Rule, ...] = ()
    annotations: bool = True
    baseline: Baseline | None = None
    severities: Mapping[str, Severity] = field(default_factory=dict)
    folder: str = ""


def judge(report: Report, in_source: Sequence[tuple[Rule, ...]], policy: Policy) -> Report:
    """The report with what the policy says of it.

    Args:
        report: what was found.
        in_source: the rules that the manifests of each scenario hold.
        policy: what was decided.
    """
    rules = [(*(own if policy.annotations else ()), *policy.rules) for own in in_source]
    scenarios = tuple(
        replace(s, properties=tuple(_judged(s.name, p, applied, policy) for p in s.properties))
        for s, applied in zip(report.scenarios, rules, strict=True)
    )
    remarks = (
        *_on_rules(tuple(zip(scenarios, rules, strict=True)), policy.folder),
        *_on_baseline(policy.baseline, report),
    )
    return replace(report, scenarios=scenarios, remarks=remarks)


def _judged(
    scenario: str, prop: PropertyReport, rules: Iterable[Rule], policy: Policy
) -> PropertyReport:
    return replace(
        prop,
        suppression=_suppression(scenario, prop, rules, policy.folder),
        baseline=_state(scenario, prop, policy.baseline),
        regraded=_regraded(prop, policy),
    )


def _regraded(prop: PropertyReport, policy: Policy) -> Severity | None:
    """The severity that somebody has set, unless it is the catalogue's."""
    severity = policy.severities.get(prop.id)
    return None if severity is prop.statement.severity else severity


def _suppression(
    scenario: str, prop: PropertyReport, rules: Iterable[Rule], folder: str
) -> Suppression | None:
    """The first rule that covers a violation; what is undecided or expected is not suppressed."""
    if prop.verdict is not Verdict.VIOLATED or prop.expected is not None:
        return None
    covering = (r for r in rules if not r.expired and r.covers(scenario, prop, folder))
    rule = next(covering, None)
    return rule.suppression() if rule else None


def _state(scenario: str, prop: PropertyReport, baseline: Baseline | None) -> BaselineState | None:
    if baseline is None or prop.verdict is Verdict.HOLDS:
        return None
    if finding(scenario, prop) not in baseline.findings:
        return "new"
    return "unchanged" if prop.verdict is Verdict.VIOLATED else "updated"


def _on_rules(
    pairs: Iterable[tuple[ScenarioReport, Iterable[Rule]]], folder: str
) -> Iterator[Problem]:
    """Rules that have expired, and those that cover nothing but what holds."""
    rules: dict[object, Rule] = {}
    covered: dict[object, list[PropertyReport]] = defaultdict(list)
    for scenario, applied in pairs:
        for rule in applied:
            rules.setdefault(rule.key, rule)
            found = [p for p in scenario.properties if rule.covers(scenario.name, p, folder)]
            covered[rule.key] += found
    for key, rule in rules.items():
        message = _expired(rule, covered[key]) if rule.expired else _stale(rule, covered[key])
        if message:
            yield Problem(rule.position, "", message)


def _expired(rule: Rule, covered: list[PropertyReport]) -> str:
    count = sum(p.verdict is Verdict.VIOLATED and not p.excused for p in covered)
    verb = "counts" if count == 1 else "count"
    again = f": {plural(count, 'violation')} that it covers {verb} again" if count else ""
    return f"the suppression of {rule.id} expired on {rule.expires}{again}"


def _stale(rule: Rule, covered: list[PropertyReport]) -> str:
    """That a rule is not needed; empty where it is, and where nothing that it is about is known."""
    if {p.verdict for p in covered} != {Verdict.HOLDS}:
        return ""
    return f"the suppression of {rule.id} is stale: nothing here that it covers is violated"


def _on_baseline(baseline: Baseline | None, report: Report) -> Iterator[Problem]:
    """What of the baseline holds now."""
    if baseline is None:
        return
    found = verdicts(report)
    gone = [f for f in sorted(baseline.findings) if found.get(f) is Verdict.HOLDS]
    if gone:
        verb = "is" if len(gone) == 1 else "are"
        message = (
            f"{len(gone)} of {plural(len(baseline.findings), 'finding')} {verb} gone "
            f"({_named(gone)}): write the baseline again with --write-baseline {baseline.file}"
        )
        yield Problem(Position(baseline.file), "", message)


def _named(findings: Sequence[Finding]) -> str:
    names = [f"{f.property} of {f.object} in {f.scenario}" for f in findings[:_NAMED]]
    more = len(findings) - len(names)
    return "; ".join([*names, *([f"and {more} more"] if more else [])])
