"""Reports as Hypothesis draws them: tame ones, and ones whose words no format likes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, get_args

import pytest
from hypothesis import strategies as st

from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import Position, Problem
from kubelemma.properties.statement import Kind, Severity, Statement
from kubelemma.reports.document import (
    BaselineState,
    InputFile,
    Occasion,
    PropertyReport,
    Report,
    ScenarioReport,
    Suppression,
)
from kubelemma.reports.picture import (
    BudgetBox,
    CacheBox,
    Leaf,
    NodeBox,
    ObjectBox,
    Outdated,
    Picture,
    PictureChange,
    PodBox,
    ServiceBox,
    SetBox,
    Usage,
    VolumeBox,
    WorkerBox,
    WorkloadBox,
)
from kubelemma.reports.story import (
    Change,
    Contradiction,
    Decisive,
    Fact,
    Idle,
    Missed,
    NodeReview,
    Story,
    StoryStep,
    Waiting,
)
from kubelemma.solver.result import Statistics, Verdict

sys.path.append(str(Path(__file__).parent))

Words: TypeAlias = st.SearchStrategy[str]
Reports: TypeAlias = st.SearchStrategy[Report]

FINDINGS = ("holds", "violated", "inconclusive", "vacuous")
PHASES = ("pending", "bound", "not ready", "ready", "available", "terminating")
COUNT = st.integers(0, 10**9)


def some(
    strategy: st.SearchStrategy[object], least: int = 0, most: int = 1
) -> st.SearchStrategy[tuple[object, ...]]:
    """None or one of them, or so many; with more, a report is mostly too large to be drawn."""
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


def pictures(name: Words) -> st.SearchStrategy[Picture]:
    """Pictures of a cluster."""
    usage = st.builds(Usage, name, name, name, st.floats(0, 2))
    leaves = some(st.builds(Leaf, name, name))
    outdated = some(st.builds(Outdated, name, name, name, name))
    words = some(name)
    return st.builds(
        Picture,
        some(st.builds(WorkloadBox, name, COUNT, name, st.booleans())),
        some(st.builds(SetBox, name, name, name, COUNT)),
        some(st.builds(NodeBox, name, name, some(name), COUNT, some(usage))),
        some(st.builds(PodBox, name, name, name, st.sampled_from(PHASES), name), most=2),
        some(st.builds(ServiceBox, name, some(name), COUNT, COUNT, words)),
        some(st.builds(BudgetBox, name, COUNT, COUNT, COUNT, COUNT)),
        some(st.builds(VolumeBox, name, name, name, name, words, words, words)),
        some(st.builds(ObjectBox, name, name, words, words, st.booleans(), leaves)),
        some(st.builds(WorkerBox, name, name, name, words, words, name, outdated)),
        some(st.builds(CacheBox, name, name, COUNT, outdated)),
    )


def facts(name: Words, position: st.SearchStrategy[Position]) -> st.SearchStrategy[Fact]:
    """What decisions and verdicts rest on."""
    return st.builds(Fact, name, name, st.none() | position, st.integers(0, 9))


def reviews(name: Words, position: st.SearchStrategy[Position]) -> st.SearchStrategy[NodeReview]:
    """What the scheduler makes of nodes."""
    free = st.builds(
        NodeReview,
        some(name, least=1),
        st.sampled_from(["chosen", "feasible", "outscored"]),
        score=st.none() | COUNT,
    )
    filtered = st.builds(
        NodeReview,
        some(name, least=1),
        st.just("filtered"),
        name,
        some(name),
        st.just("") | name,
        position=st.none() | position,
    )
    return free | filtered


def stories(name: Words, sentence: Words, *, drawn: bool) -> st.SearchStrategy[Story]:
    """Stories; with pictures, if they are to be drawn."""
    text = st.just("") | sentence
    picture = pictures(name) if drawn else st.nothing()
    position = st.builds(Position, name, st.integers(0, 99), st.integers(0, 99), text)
    steps = st.builds(
        StoryStep,
        index=st.integers(1, 99),
        actor=name,
        action=name,
        summary=sentence,
        arguments=st.dictionaries(name, name, max_size=3).map(lambda found: tuple(found.items())),
        why=text,
        environment=st.booleans(),
        changes=some(st.builds(Change, name, name, text, text)),
        unseen=some(sentence),
        picture=st.none() | st.builds(PictureChange, picture, some(name), some(name), some(name)),
        facts=some(facts(name, position)),
        nodes=some(reviews(name, position)),
        position=st.none() | position,
        follows=st.integers(0, 9),
        missed=some(st.builds(Missed, st.integers(0, 9), sentence)),
    )
    contradiction = st.builds(Contradiction, sentence, some(facts(name, position)), COUNT)
    return st.builds(
        Story,
        property_id=name,
        subject=name,
        allowed=some(sentence),
        steps=some(steps, least=1, most=2),
        loop_start=st.none() | st.just(0),
        standstill=st.booleans(),
        conclusion=some(sentence),
        repeat=some(name),
        picture=st.none() | picture,
        contradictions=some(contradiction),
        waiting=some(st.builds(Waiting, name, sentence, some(reviews(name, position)))),
        idle=some(st.builds(Idle, name, sentence, st.booleans())),
        decisive=st.none() | st.builds(Decisive, st.integers(1, 9), sentence),
    )


def properties(name: Words, sentence: Words, *, drawn: bool) -> st.SearchStrategy[PropertyReport]:
    """Verdicts, each with a statement that follows from its identifier."""
    statements = st.builds(
        Statement,
        id=name,
        title=sentence,
        kind=st.sampled_from(Kind),
        severity=st.sampled_from(Severity),
        statement=sentence,
        why=sentence,
        conditions=sentence,
        source=name,
        components=some(name),
        remediation=sentence,
    )
    return st.builds(
        PropertyReport,
        statement=statements,
        subject=name,
        verdict=st.sampled_from(Verdict),
        message=sentence,
        vacuous=st.booleans(),
        expected=st.none() | st.sampled_from(FINDINGS),
        story=st.none() | stories(name, sentence, drawn=drawn),
        position=st.none() | positions(name),
        suppression=st.none() | suppressions(name, sentence),
        baseline=st.none() | st.sampled_from(get_args(BaselineState)),
        regraded=st.none() | st.sampled_from(Severity),
    )


def suppressions(name: Words, sentence: Words) -> st.SearchStrategy[Suppression]:
    """Suppressions of both kinds."""
    kinds = st.sampled_from(("inSource", "external"))
    return st.builds(Suppression, kinds, sentence, positions(name), st.none() | st.dates())


def positions(name: Words) -> st.SearchStrategy[Position]:
    """Places in the input."""
    return st.builds(Position, name, COUNT, COUNT, st.just("") | name)


def reports_of(name: Words, sentence: Words, *, drawn: bool) -> Reports:
    """Reports whose names and sentences are such."""
    statistics = st.builds(
        Statistics,
        states=COUNT,
        concrete_states=COUNT,
        transitions=COUNT,
        depth=COUNT,
        seconds=st.floats(0, 1e6),
        exhaustive=st.booleans(),
        actions=st.dictionaries(name, COUNT, max_size=3).map(lambda found: tuple(found.items())),
        rules_never_fired=some(name),
        stopped_by=st.none() | name,
        out_degree=st.just(3),
        tables=st.just((("rules: sync, scale", 7), ("tally: specs", 2))),
    )
    left_out = st.builds(
        NotModelled,
        position=positions(name),
        object=name,
        path=st.just("") | name,
        severity=st.sampled_from(("not modelled", "irrelevant")),
        reason=sentence,
    )
    scenarios = st.builds(
        ScenarioReport,
        name=name,
        setting=some(sentence),
        properties=some(properties(name, sentence, drawn=drawn), least=1, most=2),
        statistics=statistics,
        not_modelled=some(left_out),
    )
    inputs = some(st.builds(InputFile, name, st.just("") | st.just("0f" * 32)))
    found = st.builds(
        Report,
        version=name,
        scenarios=some(scenarios, least=1, most=2),
        fail_on=st.sampled_from(Severity),
        remarks=some(st.builds(Problem, positions(name), st.just(""), sentence)),
        occasion=st.none() | st.builds(Occasion, name, some(name), inputs),
    )
    return found.map(consistent)


def consistent(report: Report) -> Report:
    """The report with one statement for each identifier, and each story about its property."""
    statements: dict[str, Statement] = {}

    def mended(prop: PropertyReport) -> PropertyReport:
        statement = statements.setdefault(prop.id, prop.statement)
        story = prop.story and replace(prop.story, property_id=prop.id, subject=prop.subject)
        regraded = None if prop.regraded is statement.severity else prop.regraded
        return replace(prop, statement=statement, story=story, regraded=regraded)

    scenarios = tuple(
        replace(s, properties=tuple(map(mended, s.properties))) for s in report.scenarios
    )
    return replace(report, scenarios=scenarios)


@pytest.fixture(scope="session")
def reports() -> Reports:
    """Reports of short, harmless words."""
    words = st.lists(
        st.text("abcxyz-/.:0123456789", min_size=1, max_size=12), min_size=1, max_size=8
    )
    name = st.text("abcdef-", min_size=1, max_size=12)
    return reports_of(name, words.map(" ".join), drawn=False)


@pytest.fixture(scope="session")
def wild_reports() -> Reports:
    """Reports of words that mean something to one format or another."""
    hostile = st.sampled_from(
        (
            "</script>",
            "<img src=x>",
            "<!--",
            "]]>",
            "&amp;",
            "::error::",
            "%0A",
            "a|b",
            "`x`",
            "- a",
        )
    )
    text = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
    word = hostile | text
    return reports_of(word, word, drawn=True)
