"""What of the input is printed: made visible in one way, and in every format that there is."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import types
import typing
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints
from xml.etree import ElementTree as ET

import networkx as nx
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelemma.cli import conform, options, place
from kubelemma.cli.output import rendered
from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.problems import Position, Problem
from kubelemma.model.objects.meta import ObjectMeta, OwnerReference
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod, PodSpec
from kubelemma.model.visible import command_line, is_invisible, spoken, visible, visible_lines
from kubelemma.properties.statement import Statement
from kubelemma.recording import Recording, Source
from kubelemma.reports import catalogue_text, run_text, state_graph
from kubelemma.reports import json as json_report
from kubelemma.reports.conformance import ConformanceReport
from kubelemma.reports.document import PropertyReport, Report
from kubelemma.reports.placement import (
    NodeRow,
    PlacementReport,
    Share,
    Usage,
    WhatIf,
    WorkloadRow,
)
from kubelemma.reports.plain import as_json, as_yaml
from kubelemma.reports.shown import shown
from kubelemma.reports.story import Story
from kubelemma.solver.placement.decision import (
    Decision,
    PendingReason,
    Reason,
    ReasonKind,
    Relaxation,
    RelaxationKind,
)
from kubelemma.solver.placement.problem import (
    Answer,
    Assignment,
    Cluster,
    Placement,
    Question,
    Workload,
)
from kubelemma.solver.placement.problem import (
    Problem as Asked,
)
from kubelemma.solver.result import Verdict
from kubelemma.testing import program, telling

Render: TypeAlias = Callable[[str], str]
"""From a text of the input to a document in which it stands wherever the input may."""

COMMAND = "web\n::error file=a::pwn\n##vso[task.setvariable variable=a]b"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ODD = f"\x00\x07\x08\t\n\x0b\x0c\r\x1b\x7f\x80\x85\x9b\x9d\xad\u200b\u2028\u2029\ufeff{BIDI}"
HOSTILE = (COMMAND, "a\x1b]0;title\x07\x1b[2J", "a|b\n|c|", "\u202egpj.exe", ODD, "\udcff\udc80")
TEXTS = st.sampled_from(HOSTILE) | st.text(
    st.sampled_from(ODD) | st.characters(categories=("Cc", "Cf", "Zl", "Zp", "Cs", "Ll")),
    min_size=1,
    max_size=6,
)


def invisible(text: str) -> str:
    """The invisible characters of a document, apart from the ends of its lines."""
    return "".join(c for c in text if c != "\n" and is_invisible(c))


def strings(data: Any) -> Iterator[str]:
    """All texts in plain data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from (*strings(key), *strings(value))
    elif isinstance(data, list | tuple):
        for item in data:
            yield from strings(item)


# The one function


@settings(max_examples=300)
@given(st.text() | TEXTS)
def test_visible(text: str) -> None:
    """Nothing stays invisible, a second time changes nothing, and what is to be seen stays."""
    found = visible(text)
    assert invisible(found) == ""
    assert "\n" not in found
    assert visible(found) == found
    assert {c for c in text if not is_invisible(c)} <= set(found)
    assert (found == text) == (not any(map(is_invisible, text)))
    assert visible_lines(text).split("\n") == [visible(line) for line in text.split("\n")]


def test_visible_is_complete() -> None:
    """All of Unicode's control and format characters and ends of lines are shown, but two joiners.

    Everything that Python takes for the end of a line is among them.
    """
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    every = map(chr, range(sys.maxunicode + 1))
    raw = {c for c in every if unicodedata.category(c) in hidden and visible(c) == c}
    assert raw == {"\u200c", "\u200d"}
    assert all(len(f"a{visible(c)}b".splitlines()) == 1 for c in map(chr, range(0x3000)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("web\n", r"web\n"),
        ("\t\r", r"\t\r"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202e", r"\u202e"),
        ("\U000e0041", r"\U000e0041"),
        ("caf\udce9", r"caf\udce9"),
        ("ünï→ 漢字 🙂 C:\\n", "ünï→ 漢字 🙂 C:\\n"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
    ],
)
def test_how_it_looks(text: str, told: str) -> None:
    """Characters are written as YAML and Python write them; scripts of people are left alone."""
    assert visible(text) == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("::error::a", r"\x3a:error::a"),
        ("   ::error::a", r"   \x3a:error::a"),
        ("a ::error::a", "a ::error::a"),
        ("a ##vso[task.a]b ##[error]", r"a #\x23vso[task.a]b #\x23[error]"),
        ("## title [a](b)", "## title [a](b)"),
    ],
)
def test_no_line_is_a_command(line: str, told: str) -> None:
    """What CI servers take for commands is broken, and nothing else."""
    assert spoken(line) == told


def is_word(text: str) -> bool:
    """Whether the system could have handed this to us as an argument."""
    try:
        return b"\0" not in text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@settings(max_examples=50)
@given(st.lists(TEXTS.filter(is_word), min_size=1, max_size=3))
def test_commands_can_be_repeated(words: list[str]) -> None:
    """A command that is told is one visible line, which bash reads as the words that it is of."""
    told = command_line(words)
    assert (invisible(told), "\n" in told) == ("", False)
    script = f"printf '%s\\0' {told}"
    run = subprocess.run(["bash", "-c", script], capture_output=True, check=True)  # noqa: S607
    read = run.stdout.split(b"\0")[:-1]
    assert read == [word.encode("utf-8", "surrogateescape") for word in words]


# Documents that are data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def whole(data: Any) -> Any:
    """The data, with halves of surrogate pairs as they are shown: no text can hold them."""
    if isinstance(data, str):
        return re.sub("[\ud800-\udfff]", lambda found: visible(found[0]), data)
    if isinstance(data, dict):
        return {whole(key): whole(value) for key, value in data.items()}
    return [whole(item) for item in data] if isinstance(data, list) else data


@settings(max_examples=200)
@given(JSON)
def test_data_is_kept(data: Any) -> None:
    """JSON and YAML hold the same data as before, and show all of it."""
    for text, read in ((as_json(data), json.loads), (as_yaml([data]), yaml.safe_load)):
        assert read(text) == whole(data)
        assert invisible(text) == ""
        assert not re.search(r"^\s*::", text, re.MULTILINE)
        assert text.encode()


# Documents of everything, with a text wherever there may be one


def filled(kind: Any, text: str) -> Any:  # noqa: PLR0911 - a case for each form of type
    """A value of a type, with the text in all of its fields, so that none can be forgotten."""
    origin, arguments = get_origin(kind), get_args(kind)
    simple = {str: text, int: 3, float: 0.5, bool: True, date: date(2030, 1, 1), Any: text}
    if kind is Position:
        return Position(text, 4, 2, text)
    if kind in simple:
        return simple[kind]
    if origin in (typing.Union, types.UnionType):
        return filled(next(a for a in arguments if a is not type(None)), text)
    if origin is Literal:
        return arguments[0]
    if origin is tuple and arguments[-1] is not Ellipsis:
        return tuple(filled(a, text) for a in arguments)
    if origin is tuple:
        return (filled(arguments[0], text),)
    if origin is not None and issubclass(origin, Mapping):
        return {filled(arguments[0], text): filled(arguments[1], text)}
    if issubclass(kind, Enum):
        return next(iter(kind))
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind)] if is_dataclass(kind) else kind._fields
    return kind(**{name: filled(hints[name], text) for name in names})


def check_report(text: str) -> Report:
    """A report of a check: violated, with all that can be said of it; then other verdicts."""
    found: Report = filled(Report, text)
    (scenario,) = found.scenarios
    (prop,) = scenario.properties
    story = a_story(text)
    prop = replace(prop, story=story)
    bad = replace(prop, verdict=Verdict.VIOLATED, expected=None, suppression=None, baseline="new")
    known = replace(prop, verdict=Verdict.VIOLATED, expected=None)
    still = replace(bad, story=replace(story, loop_start=None), position=None)
    unknown = replace(bad, verdict=Verdict.INCONCLUSIVE, story=None)
    fine = replace(bad, verdict=Verdict.HOLDS, story=None)
    harmless = scenario.not_modelled[0]._replace(severity="not modelled")
    scenario = replace(
        scenario,
        properties=(bad, known, still, unknown, fine),
        not_modelled=(*scenario.not_modelled, harmless),
    )
    return replace(found, scenarios=(scenario, replace(scenario)))


def placement_of(text: str) -> PlacementReport:
    """A report on a placement that leaves out a pod, with this text for all that is named."""
    owner = OwnerReference(kind="ReplicaSet", name=text, controller=True)
    here = Pod(
        metadata=ObjectMeta(name=text, namespace=text, owner_references=(owner,)),
        spec=PodSpec(node_name=text),
    )
    cluster = Cluster((Node(metadata=ObjectMeta(name=text)),), (here,))
    pod = Pod(metadata=ObjectMeta(name=text, namespace=text))
    decision = Decision(
        answer=Answer.NO,
        question=Question.FINAL,
        placement=Placement((Assignment(0, 0, 1),)),
        unplaced=(1,),
        reason=Reason(ReasonKind.ALONE, (0,), (0,), (text, text), text),
        pending=(PendingReason(0, 1, 1, ((text, 1),), (0,)),),
        relaxations=(Relaxation(RelaxationKind.ADD_NODES, text, 1, 0, 0, text, text),),
        order=((0, 0),),
        stuck=Placement((Assignment(0, 0, 1),)),
    )
    usage = (Usage("pods", 1, 110), Usage(text, 1, 2))
    left_out: NotModelled = filled(NotModelled, text)
    given = {"metadata": {"labels": {text: text}}, "spec": {text: [text]}}
    return PlacementReport(
        version=text,
        problem=Asked(cluster, (Workload(text, pod, 2),)),
        decision=decision,
        workloads=(WorkloadRow(text, Share(text, 2, 0, text, given), 2, 1, ((0, 1),)),),
        nodes=(NodeRow(text, text, text, False, usage, ((0, 1),)),),
        setting=(text,),
        whatifs=(WhatIf(text, Answer.NO, (text, text), {text: text}),),
        not_modelled=(left_out, left_out._replace(severity="not modelled")),
    )


def graph_of(text: str) -> nx.MultiDiGraph[int]:
    """A state graph in which everything that may be is this text."""
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(
        states=1, steps=1, goals=text, cut_states=1, complete=False
    )
    told = {"text": text, "violates": text}
    marks = {"terminal": False, "standstill": True, "reached": text, "cut_by": text, "level": 1}
    graph.add_node(0, **told, **marks)
    step = {"rule": text, "actor": text, "action": text, "arguments": text, "why": text}
    graph.add_edge(0, 0, **told, **step, environment=True)
    return graph


def checks(form: str) -> Render:
    """A report of a check in a format."""
    return lambda text: rendered(check_report(text), form, colour=False, columns=80)


def placements(form: str) -> Render:
    """A report on a placement in a format."""
    return lambda text: place._rendered(
        placement_of(text), form, "workload", colour=False, columns=80
    )


def conformances(form: str) -> Render:
    """A report on recorded runs in a format."""

    def render(text: str) -> str:
        found = filled(ConformanceReport, text)
        return conform._rendered(found, form, summary=False, colour=False)

    return render


def a_story(text: str) -> Story:
    """A story."""
    found: Story = filled(Story, text)
    return replace(found, loop_start=0)


def told_in_a_test(text: str) -> str:
    """A finding in the words of a failing test."""
    report = check_report(text)
    (scenario, _) = report.scenarios
    return telling.told(scenario, scenario.properties[0], report.fail_on)


RENDERERS: dict[str, Render] = {
    **{f"check {form}": checks(form) for form in options.FORMATS},
    **{f"place {form}": placements(form) for form in place.FORMATS},
    **{f"conform {form}": conformances(form) for form in conform.FORMATS},
    "replay": lambda text: run_text.story(text, a_story(text)),
    "simulate": lambda text: run_text.run(text, a_story(text).steps, standstill=True),
    "properties list": lambda text: catalogue_text.listing([filled(Statement, text)]),
    "properties explain": lambda text: catalogue_text.explanation(filled(Statement, text)),
    "graph dot": lambda text: state_graph.dot(graph_of(text), text),
    "graph graphml": lambda text: state_graph.graphml(graph_of(text), text),
    "graph json": lambda text: state_graph.json(graph_of(text), text),
    "test": told_in_a_test,
    "problem": lambda text: f"{filled(Problem, text)}\n",
    "left out": lambda text: f"{filled(NotModelled, text)}\n",
}
"""Everything that renders; a format that a command offers is in it by itself."""

TEXTUAL = {"check text", "check wide", "place text", "place wide", "conform text", "conform wide"}
TEXTUAL |= {"replay", "simulate", "test", "properties list", "properties explain"}


@pytest.mark.parametrize("name", RENDERERS)
@settings(max_examples=15)
@given(text=TEXTS)
def test_no_renderer_prints_what_is_invisible(name: str, text: str) -> None:
    """Whatever the input holds, no document has a control character, a bidi mark or a new line."""
    document = RENDERERS[name](text)
    assert invisible(document) == ""
    if name in TEXTUAL:
        assert not re.search(r"^\s*::", document, re.MULTILINE)
        assert "##vso[" not in document
    assert document.encode()


@pytest.mark.parametrize("name", sorted(TEXTUAL | {"check github", "check markdown"}))
@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_is_made_by_the_input(name: str, text: str) -> None:
    """A document has the lines that it has with a harmless text that looks the same."""
    harmless = re.sub("[^ ]", "x", visible(text))
    found, expected = (RENDERERS[name](t).count("\n") for t in (text, harmless))
    assert found == expected


def test_a_name_writes_no_annotation() -> None:
    """Each line of annotations is a finding or a remark of ours, and the last is the result."""
    lines = RENDERERS["check github"](COMMAND).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert lines[-1].startswith("FAILED: ")
    assert len(commands) == len(lines) - 1
    assert all(re.match(r"::(error|warning|notice) file=web", line) for line in commands[:-3])


@settings(max_examples=15)
@given(text=TEXTS)
def test_what_is_shown_of_data_is_visible(text: str) -> None:
    """What a page, an alert or a viewer of tests reads from its document is visible, too."""
    page = RENDERERS["check html"](text)
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert all(invisible(found) == "" for found in strings(json.loads(data)))
    assert invisible(html.unescape(page)) == ""
    log = json.loads(RENDERERS["check sarif"](text))
    assert all(visible_lines(found) == found for found in strings(log))
    for name in ("check junit", "graph graphml"):
        root = ET.fromstring(RENDERERS[name](text))  # noqa: S314 - we wrote it
        for at in root.iter():
            assert all(invisible(v) == "" for v in (*at.attrib.values(), at.text or ""))


@settings(max_examples=5)
@given(text=TEXTS)
def test_data_formats_lose_nothing(text: str) -> None:
    """Programs read from JSON and YAML what the input held."""
    report = check_report(text)
    for name, read in (("check json", json.loads), ("check yaml", yaml.safe_load)):
        assert read(RENDERERS[name](text)) == whole(plain(json_report.to_data(report)))
    (pod,) = yaml.safe_load_all(RENDERERS["place yaml"](text))
    assert pod["metadata"]["labels"] == {whole(text): whole(text)}


def plain(data: Any) -> Any:
    """The data as JSON has them."""
    return json.loads(json.dumps(data))


@settings(max_examples=50)
@given(text=TEXTS | st.text())
def test_programs_hold_what_was_drawn(text: str) -> None:
    """A program that repeats a run is one, shows all that is in it, and writes no command."""
    document = {whole(text): [whole(text)]}
    recorded = Recording(
        name="a",
        kubelemma_version="1",
        scenario="a",
        property_id="A",
        subject="a",
        steps=(),
        check={"kind": text},
        sources=(Source(file=text, document=document),),
    )
    lines = tuple(program._scenario(recorded))
    source = program._program(f'{text} """', lines)
    found: dict[str, Any] = {}
    exec(compile(source, "program", "exec"), found)  # noqa: S102 - what it is for
    assert list(yaml.safe_load_all(found["SCENARIO"])) == [{"kind": whole(text)}, document]
    assert invisible(source) == ""
    assert not re.search(r"^\s*::", source, re.MULTILINE)


def test_sarif_addresses_files_as_they_are() -> None:
    """The address of a file is for programs: it leads to the file, whatever its name."""
    log = json.loads(RENDERERS["check sarif"]("a\n\u202eb.yaml"))
    place = log["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "a%0A%E2%80%AEb.yaml"
    assert place["logicalLocations"][0]["fullyQualifiedName"] == r"a\n\u202eb.yaml"


def test_shown_keeps_what_is_visible() -> None:
    """A document that hides nothing is the same object, so that nothing is copied for it."""
    fine = check_report("web")
    assert shown(fine) is fine
    assert shown({"a": [("b", 1), PropertyReport]}) == {"a": [("b", 1), PropertyReport]}


def test_files_are_named_whole(tmp_path: Path) -> None:
    """A position is a place for programs, and shows itself to people."""
    place_of = Position(str(tmp_path / "a\nb"), 3)
    assert shown(place_of) == place_of
    assert str(place_of) == rf"{tmp_path}/a\nb:3"
