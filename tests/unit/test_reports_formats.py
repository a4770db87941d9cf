"""The reports for other programs: what they say, and that no word of the input can break them."""

from __future__ import annotations

import json as standard_json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import jsonschema
import pytest
import yaml as standard_yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import InvalidInput, Position
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.statement import Severity
from kubelemma.reports import github, html, json, junit, markdown, sarif, saved, yaml
from kubelemma.reports.document import PropertyReport, Report, Result, ScenarioReport
from kubelemma.reports.grouping import rows
from kubelemma.reports.notice import Level, findings, notices
from kubelemma.reports.story import Change, Story, StoryStep
from kubelemma.solver.result import Influence, Influenced, Statistics, Used, Verdict

Reports: TypeAlias = st.SearchStrategy[Report]

WEB = "Deployment default/web"
CREATED = Change("Pod web-v2-1", "status", "", "Pending")
STEPS = (
    StoryStep(1, "user", "rollout", "applies a new template", environment=True),
    StoryStep(2, "replicaset-controller", "create-pod", "creates web-v2-1", changes=(CREATED,)),
)
STORY = Story(
    "DEP-4", WEB, (), STEPS, None, True, ("nobody acts",), ("kubelemma replay web-DEP-4",)
)
VIOLATED = PropertyReport(
    STATEMENTS["DEP-4"],
    WEB,
    Verdict.VIOLATED,
    message="2 steps, then standstill",
    story=STORY,
    position=Position("deploy/web app.yaml", 4, 3),
)
HOLDS = PropertyReport(STATEMENTS["DEP-1"], WEB, Verdict.HOLDS)
UNKNOWN = PropertyReport(STATEMENTS["RS-1"], WEB, Verdict.INCONCLUSIVE, message="the time limit")
LEFT_OUT = NotModelled(Position("s.yaml", 9), "Service web", "", "not modelled", "no traffic")


def report(*properties: PropertyReport, fail_on: Severity = Severity.LOW) -> Report:
    """A report of one scenario."""
    found = ScenarioReport("web", ("3 nodes",), properties, Statistics(), (LEFT_OUT,))
    return Report("1.2.3", (found,), fail_on)


ALL = report(VIOLATED, HOLDS, UNKNOWN)


def expecting(finding: str) -> PropertyReport:
    """The violation where the scenario expects this."""
    return replace(VIOLATED, expected=finding)


# What is to be said


@pytest.mark.parametrize(
    ("prop", "fail_on", "level", "title"),
    [
        (VIOLATED, Severity.LOW, Level.ERROR, "DEP-4 is violated"),
        (expecting("violated"), Severity.LOW, Level.NOTE, "DEP-4 is violated, as expected"),
        (expecting("holds"), Severity.LOW, Level.ERROR, "DEP-4 is violated, where holds was"),
        (UNKNOWN, Severity.LOW, Level.WARNING, "RS-1 is inconclusive"),
    ],
)
def test_notices(prop: PropertyReport, fail_on: Severity, level: Level, title: str) -> None:
    """A notice is as loud as what it means, and says what was expected."""
    (found,) = notices(report(prop, fail_on=fail_on))
    assert found.level is level
    assert found.title().startswith(title)


@settings(max_examples=30)
@given(st.data())
def test_nothing_wrong_is_left_unsaid(reports: Reports, data: st.DataObject) -> None:
    """There is an error for every failure, a warning for all that is unknown, and nothing twice."""
    drawn = data.draw(reports)
    found = notices(drawn)
    results = [p.result(drawn.fail_on) for s in drawn.scenarios for p in s.properties]
    levels = [notice.level for notice in found]
    assert levels.count(Level.ERROR) == results.count(Result.FAILED)
    assert levels.count(Level.WARNING) == results.count(Result.INCONCLUSIVE)
    assert levels == sorted(levels, key=list(Level).index)


def test_fingerprints_survive_edits() -> None:
    """A finding stays the same when lines move and another story is found, and only then."""
    (found,) = notices(report(VIOLATED))
    moved = replace(VIOLATED, position=Position("web.yaml", 99), story=None, message="")
    (again,) = notices(report(moved))
    assert again.fingerprint() == found.fingerprint()
    (other,) = notices(report(replace(VIOLATED, subject="Deployment default/api")))
    assert other.fingerprint() != found.fingerprint()


@pytest.mark.parametrize(
    "render",
    [
        github.render,
        html.render,
        json.render,
        junit.render,
        markdown.render,
        sarif.render,
        yaml.render,
    ],
)
def test_names_that_are_no_unicode(render: Callable[[Report], str]) -> None:
    """A file whose name is no UTF-8, as Python hands it on, breaks no format."""
    odd = replace(VIOLATED, position=Position("caf\udce9.yaml", 4, 3))
    assert render(report(odd)).encode("utf-8", "replace")


# YAML, and reading reports again


@settings(max_examples=15)
@given(st.data())
def test_yaml_is_the_json_report(wild_reports: Reports, data: st.DataObject) -> None:
    """Both formats hold the same data, whatever the words."""
    drawn = data.draw(wild_reports)
    loaded = standard_yaml.safe_load(yaml.render(drawn))
    assert loaded == standard_json.loads(json.render(drawn))


def told(report: Report) -> list[tuple[str, str]]:
    """What somebody should hear of, in words."""
    return [(found.level, found.sentence()) for found in notices(report)]


@settings(max_examples=15)
@given(st.data(), st.sampled_from([json.render, yaml.render]))
def test_saved_reports_come_back(
    wild_reports: Reports, data: st.DataObject, write: Callable[[Report], str]
) -> None:
    """What was written is read as the report that it was."""
    drawn = data.draw(wild_reports)
    again = saved.load("r", write(drawn))
    assert json.render(again) == json.render(drawn)
    assert (again.result, told(again)) == (drawn.result, told(drawn))


def test_what_depends_on_what_comes_back() -> None:
    """With what rules depended on, and without where they were not asked."""
    properties = (Influenced("DEP-4", WEB, ("web", "available"), ("drain",)),)
    for depended in (None, (), ("web.sets[*]",)):
        found = Influence(properties, (Used("sync", ("web",), ("web",), depended),), 3)
        (scenario,) = ALL.scenarios
        wide = replace(ALL, scenarios=(replace(scenario, influence=found),))
        for written in (json.render(wide), yaml.render(wide)):
            (again,) = saved.load("r", written).scenarios
            assert again.influence == found
        jsonschema.Draft202012Validator(json.schema()).validate(
            standard_json.loads(json.render(wide))
        )


RENDERED = json.render(ALL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no document with a kind"),
        ("- a", "is no document with a kind"),
        ("kind: Trace", 'is a document of kind "Trace"'),
        (RENDERED[:300], r"cut short\?"),
        ("a: [", r"cut short\?"),
        ("kind: CheckReport", "missing required field `apiVersion`"),
        (RENDERED.replace("v1alpha1", "v9"), "apiVersion: Invalid enum value 'kubelemma.dev/v9'"),
        (RENDERED.replace('"index": 1', '"index": "x"'), r"steps\[0\].index: Expected `int`"),
        (RENDERED.replace('"RS-1": {', '"RS-9": {'), "says nothing of the property 'RS-1'"),
        (
            re.sub(r'"scenarios": \[.*\],\n  "s', '"scenarios": [], "s', RENDERED, flags=re.DOTALL),
            "no scenarios",
        ),
        (
            RENDERED.replace('"standstill"', '"loopStart": 7, "standstill"'),
            "no step has the index 7",
        ),
    ],
)
def test_bad_reports_are_refused(text: str, message: str) -> None:
    """What is no report is refused with its name, the place in it, and the likely cause."""
    with pytest.raises(InvalidInput, match=message) as raised:
        saved.load("r.json", text)
    assert str(raised.value).startswith("r.json: ")


# JUnit


@settings(max_examples=15)
@given(st.data())
def test_junit_counts_what_the_report_counts(wild_reports: Reports, data: st.DataObject) -> None:
    """A reader of JUnit files finds every property, every failure, and no success too many."""
    drawn = data.draw(wild_reports)
    parsed = JUnitXml.fromstring(junit.render(drawn).encode())
    results = [p.result(drawn.fail_on) for s in drawn.scenarios for p in s.properties]
    assert len(list(parsed)) == len(rows(drawn))
    kinds = [type(result) for suite in parsed for case in suite for result in case.result]
    assert sum(len(list(suite)) for suite in parsed) == parsed.tests == len(results)
    assert kinds.count(Failure) == parsed.failures == results.count(Result.FAILED)
    assert kinds.count(Error) == parsed.errors == results.count(Result.INCONCLUSIVE)


def test_junit_has_the_story_and_the_command() -> None:
    """A failure has the first lines of the story, the command that repeats it, and the remedy."""
    (suite,) = JUnitXml.fromstring(junit.render(ALL).encode())
    failed, held, unknown = suite
    assert (failed.name, failed.classname) == ("DEP-4 Rollouts complete", WEB)
    (failure,) = failed.result
    assert "user: applies a new template" in failure.text
    assert "kubelemma replay web-DEP-4" in failure.text
    assert "What to do about it" in failure.text
    assert held.is_passed
    assert unknown.result[0].type == "inconclusive"


def test_junit_has_a_suite_for_each_workload() -> None:
    """Its cases are named after the question; what passes for its severity says so as output."""
    (one,) = report(replace(VIOLATED, regraded=Severity.LOW)).scenarios
    both = [replace(one, name=f"web: {q}", question=q) for q in ("rollout", "node-lost")]
    found = replace(ALL, scenarios=tuple(both), fail_on=Severity.HIGH)
    (suite,) = JUnitXml.fromstring(junit.render(found).encode())
    assert suite.name == "web"
    names = ["rollout: DEP-4 Rollouts complete", "node lost: DEP-4 Rollouts complete"]
    assert [case.name for case in suite] == names
    assert all(case.is_passed and "DEP-4 is violated" in case.system_out for case in suite)


def test_junit_tells_a_story_once() -> None:
    """A failure of the same course names the case that tells it."""
    other = replace(VIOLATED, statement=STATEMENTS["RS-1"])
    text = junit.render(report(VIOLATED, other))
    assert text.count("user: applies a new template") == 1
    assert f"what is told for DEP-4 Rollouts complete of {WEB}." in text


def test_junit_cuts_long_stories() -> None:
    """A thousand steps do not bury the command."""
    steps = tuple(replace(STEPS[1], index=i + 1) for i in range(1000))
    long = replace(VIOLATED, story=replace(STORY, steps=steps))
    text = junit.render(report(long))
    assert text.count("creates web-v2-1") < 50
    assert "more lines; kubelemma replay shows them" in text
    assert "kubelemma replay web-DEP-4" in text


# SARIF


@settings(max_examples=15)
@given(st.data())
def test_sarif_fits_the_standard(
    wild_reports: Reports, sarif_validator: jsonschema.Draft4Validator, data: st.DataObject
) -> None:
    """Every log is valid by the schema of the standard, and has a result for all to be said."""
    drawn = data.draw(wild_reports)
    log = standard_json.loads(sarif.render(drawn))
    assert list(sarif_validator.iter_errors(log)) == []
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[r["ruleIndex"]] for r in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert len(run["results"]) == len(findings(drawn)) <= len(notices(drawn))
    prints = [result["partialFingerprints"][sarif.FINGERPRINT] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_sarif_tells_the_story_where_it_is_written() -> None:
    """The result and each step of its flow stand at the object's line; changes are the state."""
    (run,) = sarif.to_data(ALL)["runs"]
    failed, unknown = run["results"]
    place = failed["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "deploy/web%20app.yaml"
    assert place["region"] == {"startLine": 4, "startColumn": 3}
    (flow,) = failed["codeFlows"][0]["threadFlows"]
    assert [at["executionOrder"] for at in flow["locations"]] == [1, 2]
    assert all(at["location"]["physicalLocation"] == place for at in flow["locations"])
    assert flow["locations"][1]["state"] == {"Pod web-v2-1 status": {"text": "Pending"}}
    assert (unknown["kind"], unknown["level"]) == ("open", "none")
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [note["level"] for note in notes] == ["note"]
    assert "Service web" in notes[0]["message"]["text"]


@pytest.mark.parametrize("file", ["<stdin>", "--nodes"])
def test_sarif_names_no_file_where_there_is_none(file: str) -> None:
    """Standard input is no file: the object's name is the location."""
    prop = replace(VIOLATED, position=Position(file, 4, 3))
    (result,) = sarif.to_data(report(prop))["runs"][0]["results"]
    assert result["locations"] == [
        {"logicalLocations": [{"fullyQualifiedName": WEB, "kind": "object"}]}
    ]


def test_sarif_has_one_result_whatever_was_asked() -> None:
    """What several questions bring to light of one object is one finding, the same in each run."""
    (one,) = report(VIOLATED).scenarios
    both = [replace(one, name=f"web: {q}", question=q) for q in ("rollout", "drain")]
    (result,) = sarif.to_data(replace(ALL, scenarios=tuple(both)))["runs"][0]["results"]
    assert result["properties"]["scenarios"] == ["web: rollout", "web: drain"]
    assert "The same comes out in web: drain." in result["message"]["text"]
    assert len(result["codeFlows"]) == 1
    (alone,) = sarif.to_data(report(VIOLATED))["runs"][0]["results"]
    assert result["partialFingerprints"] == alone["partialFingerprints"]


@pytest.mark.parametrize(
    ("severity", "fail_on", "level"),
    [
        (Severity.MEDIUM, Severity.MEDIUM, "error"),
        (Severity.HIGH, Severity.CRITICAL, "warning"),
        (Severity.LOW, Severity.HIGH, "note"),
    ],
)
def test_sarif_is_as_loud_as_the_check(severity: Severity, fail_on: Severity, level: str) -> None:
    """What fails the check is an error, and what does not is none."""
    prop = replace(VIOLATED, regraded=severity)
    (result,) = sarif.to_data(report(prop, fail_on=fail_on))["runs"][0]["results"]
    assert result["level"] == level


def test_sarif_suppresses_what_is_expected() -> None:
    """An expected violation is accepted, and only that."""
    (accepted,) = sarif.to_data(report(expecting("violated")))["runs"][0]["results"]
    assert accepted["suppressions"][0]["status"] == "accepted"
    for prop in (VIOLATED, expecting("holds")):
        (result,) = sarif.to_data(report(prop))["runs"][0]["results"]
        assert result["suppressions"] == []


# GitHub


def decoded(text: str) -> str:
    """The text of an annotation as the runner reads it."""
    for code, meant in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, meant)
    return text


@settings(max_examples=15)
@given(st.data())
def test_annotations_are_one_line_each(wild_reports: Reports, data: st.DataObject) -> None:
    """No word of the input begins a command of its own or ends the one that it is in."""
    drawn = data.draw(wild_reports)
    lines = github.render(drawn).split("\n")
    kinds = []
    for line in lines[:-2]:
        match = re.fullmatch(r"::(error|warning) ([^:]*)::(.*)", line, re.DOTALL)
        assert match is not None
        kinds.append(match[1])
    assert max(kinds.count("error"), kinds.count("warning")) <= github.MOST
    levels = {found.level for found in notices(drawn)}
    assert (Level.ERROR in levels) == ("error" in kinds)
    assert (Level.WARNING in levels) <= ("warning" in kinds)


def test_annotations_say_what_to_do() -> None:
    """An error has all that its notice says, and what to do about it."""
    first = github.render(report(VIOLATED)).splitlines()[0]
    (found,) = notices(report(VIOLATED))
    text = decoded(first.rpartition("::")[2])
    assert text == f"{found.explanation()}\n{VIOLATED.statement.remediation}"


def test_no_more_annotations_than_are_shown() -> None:
    """Of many findings those with one story share an annotation; the last one counts the rest."""
    many = [replace(VIOLATED, subject=f"Deployment default/{n}") for n in range(30)]
    (error, last) = github.render(report(*many)).splitlines()
    assert error.startswith("::error file=deploy/web app.yaml,line=4,col=3,title=DEP-4 violated")
    assert last.startswith("FAILED: ")
    stories = (replace(STORY, steps=STEPS * n) for n in range(1, 31))
    different = [replace(v, story=story) for v, story in zip(many, stories, strict=True)]
    *errors, _last = github.render(report(*different)).splitlines()
    assert len(errors) == github.MOST
    assert errors[-1].startswith("::error title=and 21 more::21 further annotations")


def test_what_is_too_mild_is_one_warning() -> None:
    """A violation that does not fail the check is a warning, once for all whom it concerns."""
    mild = [replace(VIOLATED, regraded=Severity.LOW, subject=f"Deployment d/{n}") for n in "ab"]
    first, last = github.render(report(*mild, fail_on=Severity.HIGH)).splitlines()
    assert first.startswith("::warning file=deploy/web app.yaml,line=4,col=3,title=DEP-4 (low) is")
    assert last.startswith("PASSED: ")


def test_a_limit_is_told_once() -> None:
    """Of what a limit left open in one scenario there is one annotation, which names all of it."""
    other = replace(UNKNOWN, statement=VIOLATED.statement)
    first, *rest = github.render(report(UNKNOWN, other)).splitlines()
    told = f"title=2 answers are inconclusive::RS-1, DEP-4 in web: {UNKNOWN.message}"
    assert first.endswith(told)
    assert len(rest) == 1


def test_annotations_stand_at_lines() -> None:
    """An annotation names file and line of the object that it is about."""
    first, second, last = github.render(ALL).splitlines()
    assert first.startswith("::error file=deploy/web app.yaml,line=4,col=3,title=DEP-4 is violated")
    assert second.startswith("::warning title=RS-1 is inconclusive::")
    assert last == "FAILED: 1 check, 0 states: DEP-4 violated for web; 1 check not decided"


# Markdown


@settings(max_examples=15)
@given(st.data())
def test_markdown_shows_words_as_they_are(wild_reports: Reports, data: st.DataObject) -> None:
    """No word of the input is markup: only our own tags are left, and all of them are closed."""
    text = markdown.render(data.draw(wild_reports))
    fenced = re.sub(r"^(`{3,})sh\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    plain = re.sub(r"(?<!\\)(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", fenced)
    tags = re.findall(r"(?<!\\)</?[a-z]+>", plain)
    assert set(tags) <= {"<details>", "</details>", "<summary>", "</summary>", "<br>"}
    assert tags.count("<details>") == tags.count("</details>")


def test_markdown_tells_a_run_once() -> None:
    """What another property implies by the same run is named, and not told again."""
    stuck = replace(VIOLATED, statement=STATEMENTS["STUCK"])
    text = markdown.render(report(VIOLATED, stuck))
    assert text.count("applies a new template") == 1
    assert "#### ❌ DEP-4 and STUCK: web" in text
    assert "Where it contradicts DEP-4**" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<b>", r"\<b\>"),
        ("- a", r"\- a"),
        ("a-b (c)", "a-b (c)"),
        ("1. a", r"1\. a"),
        ("1 node", "1 node"),
        ("a\nb", "a b"),
    ],
)
def test_markdown_escapes_what_has_a_meaning(text: str, shown: str) -> None:
    """What would be markup is escaped, and only that: people read the source, too."""
    assert markdown.escape(text) == shown


@pytest.mark.parametrize(("properties", "length"), [(1, 5000), (300, 310)])
def test_markdown_fits_into_a_comment(properties: int, length: int) -> None:
    """However much went wrong, the report fits, says so, and leaves no fold open."""
    steps = tuple(replace(STEPS[1], index=i + 1) for i in range(length))
    long = replace(VIOLATED, story=replace(STORY, steps=steps))
    different = (replace(long, story=replace(STORY, steps=steps[n:])) for n in range(properties))
    text = markdown.render(report(*different))
    assert len(text) <= markdown.LONGEST
    assert "left out" in text
    assert text.count("<details>") == text.count("</details>")
    assert text.startswith(f"{markdown.MARKER}\n\n### ❌ kubelemma: FAILED: 1 check")


def test_markdown_begins_with_an_overview() -> None:
    """A row for each workload with a column for each question; what is left out is said once."""
    (one,) = report(VIOLATED).scenarios
    asked = [
        replace(one, name="default/web: rollout", question="rollout"),
        replace(one, name="default/web: node-lost", question="node-lost", properties=(HOLDS,)),
        replace(one, name="default/api: rollout", question="rollout", properties=(HOLDS,)),
    ]
    text = markdown.render(replace(report(VIOLATED), scenarios=tuple(asked)))
    overview, _, rest = text.partition("#### ")
    assert "| Workload | rollout | node lost |" in overview
    assert "| default/web | ❌ DEP-4 | ✅ holds |" in overview
    assert r"| default/api | ✅ holds | \- |" in overview
    assert rest.count("- no traffic\n  - Service web\n") == 1


def test_markdown_keeps_stories_longest() -> None:
    """Where a comment has no room for all, what properties rest on goes before any step."""
    told = report(VIOLATED, *[replace(HOLDS, subject=f"Deployment {n:0200}") for n in range(400)])
    text = markdown.render(told)
    assert "1. **user** applies a new template" in text
    assert "What was assumed" not in text
    assert "what they rest on, are in the text and HTML reports" in text


def test_markdown_tells_the_story() -> None:
    """The steps are numbered, changes and the command that repeats it stand below."""
    text = markdown.render(ALL)
    assert "1. **user** applies a new template\n2. **replicaset-controller** creates" in text
    assert "\n   - Pod web-v2-1 status: `<none>` → `Pending`\n" in text
    assert "```sh\nkubelemma replay web-DEP-4\n```" in text
    assert "*From here on nobody acts any more.*" in text
