"""What reports have in common: rows and columns, equal stories once, warnings counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.statement import Severity
from kubelemma.reports import brief
from kubelemma.reports.document import PropertyReport, Report, Result, ScenarioReport
from kubelemma.reports.grouping import NOT_ASKED, columns, failures, rows, warnings, word
from kubelemma.reports.picture import Picture, WorkloadBox
from kubelemma.reports.said import outcome, remarks
from kubelemma.reports.story import Story, StoryStep
from kubelemma.solver.result import Statistics, Verdict

QUESTIONS = ("rollout", "bad-version", "node-lost", "drain")
WHOLE = Statistics(states=10, exhaustive=True)


def story(name: str, identifier: str = "DEP-4") -> Story:
    """A story that differs from those of others in the name of the Deployment only."""
    steps = (StoryStep(1, "user", "rollout", f"applies a new pod template (v2) to {name}"),)
    picture = Picture((WorkloadBox(f"default/{name}", 1, "v1"),))
    subject = f"Deployment default/{name}"
    claims = (f"{name} is not complete.",)
    return Story(identifier, subject, (), steps, None, True, claims, picture=picture)


def violated(name: str, identifier: str = "DEP-4") -> PropertyReport:
    """A violation with its story."""
    subject = f"Deployment default/{name}"
    told = story(name, identifier)
    return PropertyReport(STATEMENTS[identifier], subject, Verdict.VIOLATED, story=told)


def holding(name: str, identifier: str = "DEP-4") -> PropertyReport:
    """A promise that is kept."""
    return PropertyReport(STATEMENTS[identifier], f"Deployment default/{name}", Verdict.HOLDS)


def asked(name: str, question: str, *properties: PropertyReport) -> ScenarioReport:
    """The answer to one question about a workload."""
    about = f"default/{name}"
    return ScenarioReport(f"{about}: {question}", (), properties, WHOLE, question=question)


def report(*scenarios: ScenarioReport) -> Report:
    """A report that fails from high severity on."""
    return Report("1", scenarios, Severity.HIGH)


def healthy(names: Sequence[str]) -> Report:
    """All questions about workloads of which nothing is wrong but that they are alone."""
    return report(
        *(
            asked(name, question, holding(name), violated(name, "DRAIN-2"))
            if question in {"node-lost", "drain"}
            else asked(name, question, holding(name))
            for name in names
            for question in QUESTIONS
        )
    )


def test_a_row_for_each_workload() -> None:
    """Questions are columns; what was not asked of a workload is a dash."""
    found = rows(
        report(
            asked("a", "rollout", holding("a")),
            asked("a", "drain", holding("a")),
            asked("b", "drain", violated("b")),
        )
    )
    assert [row.about for row in found] == ["default/a", "default/b"]
    assert columns(found) == ("rollout", "drain")
    assert word(found[1].scenarios.get("rollout"), Severity.HIGH) == NOT_ASKED
    assert word(found[1].scenarios["drain"], Severity.HIGH).text == "DEP-4"


@settings(max_examples=30)
@given(st.data())
def test_no_scenario_is_lost(reports: st.SearchStrategy[Report], data: st.DataObject) -> None:
    """Every scenario is in the table once, whatever it is called, and fails where it fails."""
    drawn = data.draw(reports)
    found = [scenario for row in rows(drawn) for scenario in row.scenarios.values()]
    assert sorted(map(id, found)) == sorted(map(id, drawn.scenarios))
    for scenario in drawn.scenarios:
        failed = word(scenario, drawn.fail_on).result is Result.FAILED
        assert failed == (scenario.result(drawn.fail_on) is Result.FAILED)


@settings(max_examples=30)
@given(st.data())
def test_every_failure_is_told_once(
    reports: st.SearchStrategy[Report], data: st.DataObject
) -> None:
    """Groups have all that fails, and nothing twice."""
    drawn = data.draw(reports)
    told = [(id(f.scenario), id(f.prop)) for group in failures(drawn) for f in group.all]
    failed = [
        (id(s), id(p))
        for s in drawn.scenarios
        for p in s.properties
        if p.result(drawn.fail_on) is Result.FAILED
    ]
    assert sorted(told) == sorted(failed)


def test_equal_stories_are_told_once() -> None:
    """Workloads that break in the same way share a group; what is implied is named, not told."""
    scenarios = (
        asked(name, "rollout", violated(name), violated(name, "STUCK")) for name in ("api", "web")
    )
    (group,) = failures(report(*scenarios))
    assert group.workloads == ("default/api", "default/web")
    assert group.ids == ("DEP-4", "STUCK")
    assert [found.prop.id for found in group.first] == ["DEP-4"]


def test_warnings_are_grouped_by_what_they_come_to() -> None:
    """What does not fail the check is counted, once for all whom it concerns."""
    found = healthy(["a", "b", "c"])
    (group,) = warnings(found)
    assert group.workloads == ("default/a", "default/b", "default/c")
    assert group.questions == ("node-lost", "drain")
    assert outcome(found).endswith("3 warnings (DRAIN-2)")


def test_twelve_healthy_workloads_fit_on_a_screen() -> None:
    """A report of nothing to act on is short."""
    text = brief.render(healthy([f"service-{n}" for n in range(12)]))
    assert len(text.splitlines()) <= 25
    assert text.splitlines()[-1].startswith("PASSED: 48 checks of 12 workloads, every state (480)")


def test_a_wide_table_stays_readable() -> None:
    """Where rows are longer than the page is wide, answers are listed below whole names."""
    name = "a-deployment-with-a-name-of-the-length-that-generators-like-to-give-them"
    text = brief.render(healthy([name]), width=80)
    lines = text.splitlines()
    assert lines[0] == f"default/{name}"
    assert lines[1:3] == ["  holds: rollout, bad version", "  DRAIN-2*: node lost, drain"]
    assert all(len(line) <= 80 or name in line for line in lines)


def test_titles_are_never_cut() -> None:
    """A title that is too long for its line goes on in the next."""
    name = "x" * 70
    found = report(asked(name, "rollout", violated(name), violated(name, "STUCK")))
    lines = brief.render(found, width=80).splitlines()
    assert f"default/{name}" in "\n".join(lines[:3])
    assert lines[0].startswith("── DEP-4 and STUCK:")


def test_quiet_is_the_last_line_alone() -> None:
    """The summary is a sentence of its own."""
    found = healthy(["a"])
    assert brief.render(found, quiet=True, width=200) == f"{outcome(found)}\n"


def test_what_says_nothing_says_why() -> None:
    """A scenario in which all is vacuous is no success without a reason."""
    empty = replace(holding("a"), vacuous=True, message="scheduling gates keep its pods out")
    generic = replace(empty, message="the premise never came true")
    found = list(remarks(report(asked("a", "drain", empty, generic))))
    assert ("vacuous", "default/a: drain: scheduling gates keep its pods out") in found


def test_the_last_line_says_that_all_is_vacuous() -> None:
    """Where no premise came true, nothing holds; where one did, the rest does."""
    empty = replace(holding("a"), vacuous=True)
    assert outcome(report(asked("a", "drain", empty, empty))).endswith(": all vacuous")
    assert outcome(report(asked("a", "drain", empty, holding("a")))).endswith(": all hold")


def test_limits_are_told_once() -> None:
    """How far each search came is no reason of its own."""
    how_far = "no violation in {} states (3 left by every step), 9 levels deep"
    smaller = "holds for 6 replicas, every state"
    message = f"the time limit of 60 s was hit; {how_far}; {smaller}"
    undecided = (
        replace(holding(name), verdict=Verdict.INCONCLUSIVE, message=message.format(n))
        for n, name in enumerate("ab", 1000)
    )
    found = report(*(asked(name, "drain", p) for name, p in zip("ab", undecided, strict=True)))
    said = [text for label, text in remarks(found) if label == "not decided"]
    whom = "DEP-4 of default/a: drain and default/b: drain"
    assert said == [f"{whom}: the time limit of 60 s was hit; holds for 6 replicas, every state"]
