"""Suppressions: what their files and annotations may say, what they cover, and when they end."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.manifests import Check, InvalidInput, Position, Source, load
from kubelemma.model.scenario import kept_objects
from kubelemma.policy import (
    Annotations,
    Place,
    Policy,
    Rule,
    judge,
    load_suppressions,
    read_annotations,
)
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.statement import Severity
from kubelemma.reports.document import (
    Finding,
    PropertyReport,
    Report,
    Result,
    ScenarioReport,
    Suppression,
)
from kubelemma.solver.result import Statistics, Verdict

TODAY = date(2026, 5, 1)
WEB = "Deployment shop/web"
HERE = Position("s.yaml", 4, 3)


def found(
    identifier: str = "DEP-2",
    verdict: Verdict = Verdict.VIOLATED,
    subject: str = WEB,
    *,
    expected: Finding | None = None,
) -> PropertyReport:
    """A verdict on an object of a file."""
    position = Position("deploy/shop/web.yaml", 3, 3)
    return PropertyReport(
        STATEMENTS[identifier], subject, verdict, expected=expected, position=position
    )


def report(*properties: PropertyReport, name: str = "rollout") -> Report:
    """A report of one scenario."""
    return Report("1", (ScenarioReport(name, (), properties, Statistics()),))


def judged(prop: PropertyReport, *rules: Rule) -> PropertyReport:
    """What the rules make of one verdict."""
    policy = Policy(rules=rules, folder="/repo")
    return judge(report(prop), ((),), policy).scenarios[0].properties[0]


def rule(**given: object) -> Rule:
    """A suppression of DEP-2."""
    return Rule(**{"id": "DEP-2", "reason": "known", "position": HERE, **given})  # type: ignore[arg-type]


# What a rule covers


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({}, True),
        ({"id": "DEP-4"}, False),
        ({"objects": ("Deployment shop/web",)}, True),
        ({"objects": ("Deployment shop/*",)}, True),
        ({"objects": ("*/api", "*/web")}, True),
        ({"objects": ("Deployment shop/w",)}, False),
        ({"scenario": "roll*"}, True),
        ({"scenario": "crash"}, False),
        ({"path": "/repo/deploy/shop/web.yaml"}, True),
        ({"path": "/repo/deploy"}, True),
        ({"path": "/repo/*/shop"}, True),
        ({"path": "/repo/deploy/shop/we"}, False),
        ({"path": "/elsewhere"}, False),
    ],
)
def test_scope(scope: dict[str, object], *, covers: bool) -> None:
    """A rule covers what all its patterns fit; a folder covers what lies in it."""
    one = judged(found(), rule(**scope))
    assert (one.suppression is not None) is covers
    assert one.result(Severity.LOW) is (Result.PASSED if covers else Result.FAILED)


def test_standard_input_lies_nowhere() -> None:
    """What came through a pipe is in no folder."""
    piped = PropertyReport(
        STATEMENTS["DEP-2"], WEB, Verdict.VIOLATED, position=Position("<stdin>", 3, 3)
    )
    assert judged(piped, rule(path="/repo")).suppression is None
    assert judged(piped, rule()).suppression is not None


@given(st.sampled_from(Verdict), st.sampled_from([None, "holds", "violated"]), st.booleans())
def test_only_violations_are_suppressed(
    verdict: Verdict, expected: Finding | None, expired: object
) -> None:
    """What is unknown stays unknown, and what is expected is not excused."""
    plain = found(verdict=verdict, expected=expected)
    one = judged(plain, rule(expired=expired is True, expires=TODAY))
    suppressed = verdict is Verdict.VIOLATED and expected is None and not expired
    assert (one.suppression is not None) is suppressed
    wanted = Result.PASSED if suppressed else plain.result(Severity.LOW)
    assert one.result(Severity.LOW) is wanted


def test_the_report_says_who_and_why() -> None:
    """The suppression is told with its place, reason and end."""
    one = judged(found(), rule(expires=TODAY))
    assert one.suppression == Suppression("external", "known", HERE, TODAY)
    assert one.excuse == "suppressed until 2026-05-01 in s.yaml:4: known"


# What has outlived its reason


@pytest.mark.parametrize(
    ("properties", "scope", "remark"),
    [
        ([found()], {}, None),
        ([found(), found(subject="x", verdict=Verdict.HOLDS)], {}, None),
        ([found(verdict=Verdict.HOLDS)], {}, "the suppression of DEP-2 is stale"),
        ([found(verdict=Verdict.INCONCLUSIVE)], {}, None),
        ([found(expected="violated")], {}, None),
        ([found("DEP-4")], {}, None),
        ([found(verdict=Verdict.HOLDS)], {"objects": ("Deployment other/*",)}, None),
        (
            [found()],
            {"expired": True, "expires": TODAY},
            "expired on 2026-05-01: 1 violation that it covers counts again",
        ),
        ([found("DEP-4")], {"expired": True, "expires": TODAY}, "expired on 2026-05-01"),
    ],
)
def test_remarks(
    properties: Iterable[PropertyReport], scope: dict[str, object], remark: str | None
) -> None:
    """A rule that covers only what holds is stale; one that has expired is always named."""
    remarks = judge(report(*properties), ((),), Policy(rules=(rule(**scope),))).remarks
    assert bool(remarks) is (remark is not None)
    for one in remarks:
        assert one.position == HERE
        assert remark is not None
        assert remark in one.message


def test_an_expired_rule_beside_one_that_counts() -> None:
    """What another rule covers does not count again."""
    expired = rule(expired=True, expires=TODAY, position=Position("s.yaml", 9))
    policy = Policy(rules=(expired, rule()))
    after = judge(report(found()), ((),), policy)
    assert after.result is Result.PASSED
    assert [r.message for r in after.remarks] == ["the suppression of DEP-2 expired on 2026-05-01"]


def test_a_rule_of_several_scenarios_is_remarked_once() -> None:
    """An annotation is stale only if no scenario needs it, and is named once."""
    one, other = (report(found(verdict=v)).scenarios[0] for v in (Verdict.HOLDS, Verdict.VIOLATED))
    own = ((rule(kind="inSource"),), (rule(kind="inSource"),))
    assert judge(Report("1", (one, other)), own, Policy()).remarks == ()
    assert len(judge(Report("1", (one, one)), own, Policy()).remarks) == 1
    assert judge(Report("1", (one, one)), own, Policy(annotations=False)).remarks == ()


def test_severities() -> None:
    """A policy may find a violation more or less severe than the catalogue does."""
    policy = Policy(severities={"DEP-2": Severity.LOW})
    (scenario,) = judge(report(found(), found("DEP-4")), ((),), policy).scenarios
    severities = [p.severity for p in scenario.properties]
    assert severities == [Severity.LOW, STATEMENTS["DEP-4"].severity]
    assert scenario.properties[0].result(Severity.MEDIUM) is Result.PASSED


# The file

FILE = """\
apiVersion: kubelemma.dev/v1alpha1
kind: Suppressions
suppressions:
- id: DEP-2
  reason: >-
    a node may
    crash
  expires: 2026-04-30
- id: STUCK
  reason: later
  expires: 2026-05-01
  object: Deployment shop/*
  scenario: rollout*
  path: deploy/[ab]
"""


def read(folder: Path, text: str) -> tuple[Rule, ...]:
    """The rules of a file."""
    path = folder / ".kubelemma.yaml"
    path.write_text(text, "utf-8")
    return load_suppressions(Place(str(path), "/re[po"), STATEMENTS, TODAY)


def test_file(tmp_path: Path) -> None:
    """Entries are read with their lines; the day on which one expires still counts."""
    first, second = read(tmp_path, FILE)
    assert (first.reason, first.expired, first.position.line) == ("a node may crash", True, 4)
    assert (first.objects, first.scenario, first.path) == (("*",), "*", "")
    assert (second.expired, second.expires) == (False, date(2026, 5, 1))
    assert second.objects == ("Deployment shop/*",)
    assert second.path == "/re[[]po/deploy/[ab]"
    assert read(tmp_path, FILE[: FILE.index("- id")].rstrip() + " []") == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: STUCK", "id: STUK", r':9: suppressions\[1\].id: there is no property "STUK" \(did'),
        ("reason: later", 'reason: " "', r"suppressions\[1\].reason: is empty"),
        ("  reason: later\n", "", r"suppressions\[1\].reason: is required"),
        ("2026-04-30", "30.4.2026", r':8: .*expires: "30.4.2026" is no day such as 2027-01-31'),
        ("scenario:", "scenarios:", r'unknown field \(did you mean "scenario"\?\)'),
        ("kind: Suppressions", "kind: Check", 'one document of kind Suppressions.*found "Check"'),
        ("v1alpha1", "v1", "expected one document of kind Suppressions"),
        ("suppressions:", "supressions:", "suppressions: is required"),
        ("- id: DEP-2", "- id: [DEP-2]", r"suppressions\[0\].id: expected"),
        (FILE, "", "but it is empty"),
        (FILE, "- a", "with keys and values"),
        (FILE, FILE + "---\n" + FILE, "but there are 2"),
    ],
)
def test_wrong_files(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Whatever is wrong with the file is said with its line and field."""
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path, FILE.replace(old, new))


# Annotations

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  annotations:
    kubelemma.dev/ignore: {annotation}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata:
      labels: {{app: web}}
      annotations: {{{pods}}}
    spec: {{containers: [{{name: c, image: c:1}}]}}
"""


def annotated(text: str, *, pods: str = "") -> Annotations:
    """What a Deployment with this annotation suppresses."""
    block = "|\n" + textwrap.indent(text, " " * 6)
    manifest = MANIFEST.format(annotation=block, pods=pods)
    return read_annotations(load([Source("web.yaml", manifest)]), Check(), None, STATEMENTS)


def test_annotations() -> None:
    """One line is one reason, for one property or several."""
    found = annotated("DEP-2, STUCK -- it is -- well -- known\n\nDEP-4 -- later")
    (rules,) = (one.rules for one in found.objects)
    assert [(r.id, r.reason) for r in rules] == [
        ("DEP-2", "it is -- well -- known"),
        ("STUCK", "it is -- well -- known"),
        ("DEP-4", "later"),
    ]
    assert {(r.kind, r.position) for r in rules} == {("inSource", Position("web.yaml", 7, 5))}
    assert found.warnings == ()


def test_an_annotation_covers_its_workload() -> None:
    """It covers findings about the object, and about what all workloads of its scenario share."""
    given = annotated("DEP-2 -- known")
    subjects = {WEB, "Deployment shop/api", "all nodes"}
    (both,) = given.covering(subjects, [WEB, "Deployment shop/api"])
    assert both.objects == (WEB, "all nodes")
    assert given.covering({"Deployment shop/api", "all nodes"}, ["Deployment shop/api"]) == ()


SHOP = """
apiVersion: example.com/v1
kind: Shop
metadata:
  name: corner
  annotations: {kubelemma.dev/ignore: SHOP-1 -- known}
"""


def test_annotations_on_custom_resources() -> None:
    """They count where loaded code acts on the object; where none does, that is said."""
    manifests = load([Source("shop.yaml", SHOP)])
    kept, _ = kept_objects(manifests, ["Shop"], "shop")
    given = read_annotations(manifests, Check(), None, ["SHOP-1"], kept)
    shops = ["Shop shop/corner", "Shop shop/other"]
    (known,) = given.covering(shops, shops)
    assert (known.id, known.objects) == ("SHOP-1", ("Shop shop/corner",))
    assert known.position == Position("shop.yaml", 6, 17)
    assert tuple(given.without_effect(["Shop shop/corner"])) == ()
    (unheeded,) = read_annotations(manifests, Check(), None, STATEMENTS).without_effect([])
    assert str(unheeded).startswith("shop.yaml:6: metadata.annotations")
    assert "no property is about a Shop" in unheeded.message
    with pytest.raises(InvalidInput, match='there is no property "SHOP-1"'):
        read_annotations(manifests, Check(), None, STATEMENTS, kept)


def test_annotations_without_effect() -> None:
    """On pods alone, and on objects that no property is about, an annotation is a mistake."""
    text = MANIFEST.format(annotation="x", pods="kubelemma.dev/ignore: x").replace(
        "ignore: x", "i: x", 1
    )
    given = read_annotations(load([Source("web.yaml", text)]), Check(), None, STATEMENTS)
    (misplaced,) = given.without_effect([WEB, "all nodes"])
    assert str(misplaced).startswith("web.yaml:13: spec.template.metadata.annotations")
    assert "has no effect on pods" in misplaced.message
    both = annotated("DEP-2 -- known", pods="kubelemma.dev/ignore: x")
    assert tuple(both.without_effect([WEB, "all nodes"])) == ()
    (nobody,) = both.without_effect(["all nodes"])
    assert "no property is about a Deployment" in nobody.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DEP-22 -- known", r'there is no property "DEP-22" \(did you mean "DEP-2"\?\)'),
        ("dep-2 -- known", r'did you mean "DEP-2"'),
        ("DEP-2", '"DEP-2" gives no reason: write ID -- reason'),
        ("DEP-2 --", "gives no reason"),
        ("DEP-2 - known", "gives no reason"),
        ("DEP-2, -- known", 'there is no property ""'),
        ("DEP-2 -- known; DEP-4 -- known", '"DEP-4" begins a second entry'),
    ],
)
def test_wrong_annotations(text: str, message: str) -> None:
    """Unknown identifiers, missing reasons and folded lines are refused, at the annotation."""
    with pytest.raises(InvalidInput, match=message) as raised:
        annotated(text)
    where = "web.yaml:7: metadata.annotations[kubelemma.dev/ignore]: "
    assert all(str(p).startswith(where) for p in raised.value.problems)


def test_an_empty_annotation() -> None:
    """Nothing is no suppression."""
    with pytest.raises(InvalidInput, match="is empty: write ID -- reason"):
        annotated("")
