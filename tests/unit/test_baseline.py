"""The baseline: what is known, what is new, what is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.manifests import InvalidInput, Position
from kubelemma.policy import Baseline, Policy, Rule, judge, load_baseline, render_baseline
from kubelemma.policy.baseline import violations
from kubelemma.policy.rules import Finding
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.statement import Severity
from kubelemma.reports.document import PropertyReport, Report, Result, ScenarioReport, Suppression
from kubelemma.reports.json import render as render_json
from kubelemma.reports.notice import Level, Notice
from kubelemma.reports.yaml import render as render_yaml
from kubelemma.solver.result import Statistics, Verdict

WEB = "Deployment shop/web"
KNOWN = Finding("rollout", "DEP-2", WEB)


def report(**verdicts: Verdict) -> Report:
    """A report of one scenario with these verdicts, by identifiers with underscores."""
    properties = tuple(
        PropertyReport(STATEMENTS[name.replace("_", "-")], WEB, verdict)
        for name, verdict in verdicts.items()
    )
    return Report("1", (ScenarioReport("rollout", (), properties, Statistics()),))


def against(found: Report, *known: Finding) -> Report:
    """The report beside a baseline."""
    baseline = Baseline("base.json", frozenset(known))
    return judge(found, ((),) * len(found.scenarios), Policy(baseline=baseline))


def states(found: Report) -> list[str | None]:
    """How each verdict compares with the baseline."""
    return [prop.baseline for scenario in found.scenarios for prop in scenario.properties]


def test_known_violations_fail_nothing() -> None:
    """What is in the baseline passes, what is not in it fails, and what holds is neither."""
    both = report(DEP_2=Verdict.VIOLATED, DEP_4=Verdict.VIOLATED, RS_1=Verdict.HOLDS)
    after = against(both, KNOWN)
    assert states(after) == ["unchanged", "new", None]
    results = [p.result(Severity.LOW) for p in after.scenarios[0].properties]
    assert results == [Result.PASSED, Result.FAILED, Result.PASSED]
    assert after.scenarios[0].properties[0].excuse == "known from the baseline"
    assert after.remarks == ()


def test_unknown_is_never_success() -> None:
    """What was violated and is undecided now is inconclusive, as everything undecided is."""
    after = against(report(DEP_2=Verdict.INCONCLUSIVE), KNOWN)
    assert (states(after), after.result) == (["updated"], Result.INCONCLUSIVE)
    assert states(against(report(DEP_4=Verdict.INCONCLUSIVE), KNOWN)) == ["new"]


def test_expectations_come_first() -> None:
    """A scenario that says what is to come out is not answered by what is known."""
    found = report(DEP_2=Verdict.VIOLATED)
    (prop,) = found.scenarios[0].properties
    scenario = replace(found.scenarios[0], properties=(replace(prop, expected="holds"),))
    assert against(replace(found, scenarios=(scenario,)), KNOWN).result is Result.FAILED


def test_gone_findings() -> None:
    """What holds now is told, with how the baseline is written again."""
    others = [KNOWN._replace(object=f"Deployment shop/{n}") for n in range(7)]
    after = against(report(DEP_2=Verdict.HOLDS), KNOWN, *others)
    (gone,) = after.remarks
    assert str(gone) == (
        "base.json: 1 of 8 findings is gone (DEP-2 of Deployment shop/web in rollout): "
        "write the baseline again with --write-baseline base.json"
    )
    many = Report("1", tuple(replace(s, name=n) for n in "abcdefg" for s in after.scenarios))
    (gone,) = against(many, *(KNOWN._replace(scenario=n) for n in "abcdefg")).remarks
    assert "7 of 7 findings are gone (DEP-2 of" in gone.message
    assert "; and 2 more)" in gone.message


@given(st.lists(st.sampled_from(Verdict), min_size=3, max_size=3), st.sampled_from(["", "RS-1"]))
def test_what_is_written_is_known(
    tmp_path_factory: pytest.TempPathFactory, verdicts: list[Verdict], suppressed: str
) -> None:
    """Against the baseline that a run has written, nothing in the same run is new."""
    found = report(**dict(zip(("DEP_2", "DEP_4", "RS_1"), verdicts, strict=True)))
    rules = (Rule(suppressed, "known", Position("s.yaml")),)
    first = judge(found, ((),), Policy(rules=rules))
    path = tmp_path_factory.getbasetemp() / "base.json"
    path.write_text(render_baseline(first), "utf-8")
    baseline = load_baseline(str(path))
    assert baseline.findings == set(violations(first))
    after = judge(found, ((),), Policy(rules=rules, baseline=baseline))
    assert not any(
        p.verdict is Verdict.VIOLATED and not p.excused for p in after.scenarios[0].properties
    )


@pytest.mark.parametrize("render", [render_json, render_yaml, render_baseline])
def test_results_are_baselines(render: Callable[[Report], str], tmp_path: Path) -> None:
    """A baseline may be a file of its own, or the result of an earlier check."""
    path = tmp_path / "base"
    path.write_text(render(report(DEP_2=Verdict.VIOLATED, DEP_4=Verdict.HOLDS)), "utf-8")
    assert load_baseline(str(path)) == Baseline(str(path), frozenset({KNOWN}))


def test_suppressed_violations_are_not_known() -> None:
    """When a suppression ends, what it covered is new."""
    found = report(DEP_2=Verdict.VIOLATED)
    (prop,) = found.scenarios[0].properties
    accepted = Suppression("external", "known", Position("s.yaml"))
    scenario = replace(found.scenarios[0], properties=(replace(prop, suppression=accepted),))
    assert list(violations(replace(found, scenarios=(scenario,)))) == []


def test_the_undecided_stays_in_the_baseline() -> None:
    """A run that does not decide what was violated, or does not look at it, forgets nothing."""
    unseen, gone = KNOWN._replace(scenario="other"), KNOWN._replace(property="RS-1")
    before = Baseline("base.json", frozenset({KNOWN, unseen, gone}))
    now = report(DEP_2=Verdict.INCONCLUSIVE, DEP_4=Verdict.VIOLATED, RS_1=Verdict.HOLDS)
    written = json.loads(render_baseline(now, before))["findings"]
    new = KNOWN._replace(property="DEP-4")
    assert [Finding(**finding) for finding in written] == sorted([KNOWN, unseen, new])
    assert [Finding(**finding) for finding in json.loads(render_baseline(now))["findings"]] == [new]


def test_findings_are_those_of_sarif() -> None:
    """Two findings are the same for the baseline exactly where their fingerprints are."""
    (scenario,) = report(DEP_2=Verdict.VIOLATED).scenarios
    (prop,) = scenario.properties
    other = replace(prop, subject="Deployment shop/api")
    same = replace(prop, message="another story")
    prints = {Notice(Level.ERROR, scenario, p).fingerprint() for p in (prop, other, same)}
    assert len(prints) == len({Finding(scenario.name, p.id, p.subject) for p in (prop, other)})


BASELINE = """\
apiVersion: kubelemma.dev/v1alpha1
kind: Baseline
findings:
- scenario: rollout
  property: DEP-2
  object: Deployment shop/web
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BASELINE.replace("object:", "objct:"), r'unknown field \(did you mean "object"\?\)'),
        (BASELINE.replace("Baseline", "Baselin"), 'one document of kind Baseline.*found "Baselin"'),
        ("{", "base"),
        ("", "it is empty"),
        ('{"kind": "CheckReport"}', "apiVersion"),
    ],
)
def test_wrong_baselines(tmp_path: Path, text: str, message: str) -> None:
    """What is no baseline is refused, with its name."""
    path = tmp_path / "base.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=message) as raised:
        load_baseline(str(path))
    assert str(raised.value).startswith(str(path))


def test_missing_baseline(tmp_path: Path) -> None:
    """A file that is not there is said."""
    with pytest.raises(InvalidInput, match="No such file"):
        load_baseline(str(tmp_path / "absent.json"))
