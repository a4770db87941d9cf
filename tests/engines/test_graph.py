"""State graphs: the same states and steps as engines count, and nothing left out in silence."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.system import Action, Bound, Cell, Family, Outcome, Rule, System, View
from kubelemma.model.visible import visible_lines
from kubelemma.properties.formula import Always, Converges, EachStep, Formula
from kubelemma.properties.statement import Kind, Property, Severity, Statement
from kubelemma.reports import state_graph as renderers
from kubelemma.solver.explore import check
from kubelemma.solver.graph import LIMIT, state_graph

SOURCE = Path(__file__).parents[2] / "benchmarks" / "kuberollout.py"


@pytest.fixture(scope="module")
def kuberollout() -> ModuleType:
    """The benchmark with known counts."""
    if not SOURCE.exists():
        pytest.skip("the benchmarks are not part of this distribution")
    spec = importlib.util.spec_from_file_location("kuberollout_graph", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def named(name: str, formula: Formula, subject: str = "all") -> Property:
    """A property of that name."""
    statement = Statement(
        id=name,
        title=name,
        kind=Kind.SAFETY,
        severity=Severity.LOW,
        statement=name,
        why="",
        conditions="",
        source="",
        components=(),
        remediation="",
    )
    return Property(statement, subject, formula)


def lamps(bound: int | None = None) -> System:
    """Three equal lamps that a user switches on, and that burn out; a count of those burnt."""

    def use(lamp: str) -> Iterator[Outcome]:
        if lamp == "off":
            yield Outcome(Action("switch", "to"), {"lamps": "on"}, (("to", "on"),), "it is dark")

    def burn(lamp: str, burnt: int) -> Iterator[Outcome]:
        if lamp == "on":
            yield Outcome(Action("burn"), {"lamps": "out", "burnt": burnt + 1})

    limit = () if bound is None else (Bound("few", View(("burnt",)), lambda n: n < bound),)
    return System(
        cells=[Cell("burnt", 0)],
        families=[Family("lamps", ("off",) * 3)],
        rules=[
            Rule("use", "user", ("lamps",), use, environment=True),
            Rule("burn", "lamp", ("lamps", "burnt"), burn),
        ],
        bounds=limit,
    )


DARK = named("DARK", Converges(View(("lamps",)), lambda lamp: lamp == "out"))
WHOLE = named("WHOLE", Always(View(("burnt",)), lambda burnt: burnt < 3))
FIRST = named(
    "FIRST",
    EachStep(View(("burnt",)), lambda before, _action, _after: before == (0,), frozenset({"burn"})),
)


@pytest.mark.parametrize("level", ["L0", "L1", "V2"])
def test_as_engines_count(kuberollout: ModuleType, level: str) -> None:
    """States, steps, levels, terminal states and violations are those of the plain engine."""
    parameters = kuberollout.LEVELS[level]
    system, properties = kuberollout.system(parameters), kuberollout.properties(parameters)
    graph = state_graph(system, properties)
    found = check(system, properties)
    nodes = [data for _, data in graph.nodes(data=True)]
    assert graph.graph["complete"]
    assert len(graph) == graph.graph["states"] == found.statistics.states
    assert graph.size() == graph.graph["steps"] == found.statistics.transitions
    assert max(node["level"] for node in nodes) == found.statistics.depth
    assert sum(node["terminal"] for node in nodes) == found.statistics.terminal_states
    marked = {name for node in nodes for name in node["violates"].split(", ") if name}
    assert marked == {p.property.id for p in found.properties if p.trace}


def test_levels_are_distances(kuberollout: ModuleType) -> None:
    """The level of a state is one more than its distance from the initial one."""
    graph = state_graph(kuberollout.system(kuberollout.LEVELS["L1"]))
    distances = nx.single_source_shortest_path_length(graph, 0)
    assert {n: level - 1 for n, level in graph.nodes(data="level")} == dict(distances)


def test_attributes() -> None:
    """Every state and step says what is asked of it."""
    graph = state_graph(lamps(), (DARK, WHOLE, FIRST))
    first, last = graph.nodes[0], graph.nodes[len(graph) - 1]
    assert len(graph) == 10  # three equal lamps in three conditions
    assert graph.graph["goals"] == "DARK"
    assert (first["standstill"], first["terminal"], first["violates"]) == (True, False, "DARK")
    assert (last["terminal"], last["reached"], last["violates"]) == (True, "DARK", "WHOLE")
    step = graph.edges[0, 1, 0]
    assert (step["actor"], step["action"], step["environment"]) == ("user", "switch", True)
    assert (step["arguments"], step["why"]) == ("to=on", "it is dark")
    assert step["text"] == "switch to=on"
    late = [data["violates"] for a, _, data in graph.edges(data=True) if data["action"] == "burn"]
    assert {"", "FIRST"} == set(late)


def test_properties_of_one_name_are_told_apart() -> None:
    """Where an identifier stands twice, the subject is added."""
    twice = (WHOLE, named("WHOLE", WHOLE.formula, "others"))
    graph = state_graph(lamps(), twice)
    assert graph.nodes[len(graph) - 1]["violates"] == "WHOLE of all, WHOLE of others"


@given(most=st.integers(1, 12))
def test_the_limit_cuts_the_end_only(most: int) -> None:
    """A limited graph is the beginning of the whole one, and marks every state that lost a step."""
    whole = state_graph(lamps(), (WHOLE,))
    part = state_graph(lamps(), (WHOLE,), max_states=most)
    kept = whole.subgraph(range(most))
    lost = {a for a, b in whole.edges() if a < most <= b}
    assert set(part) == set(kept)
    assert sorted(part.edges()) == sorted(kept.edges())
    assert {n for n, by in part.nodes(data="cut_by") if by == LIMIT} == lost
    assert part.graph["complete"] == (most >= len(whole))
    assert part.graph["cut_states"] == len(lost)


def test_states_outside_a_bound_are_not_left() -> None:
    """They are there, are marked by the bound's name, and count like those of the engine."""
    graph = state_graph(lamps(bound=2))
    statistics = check(lamps(bound=2)).statistics
    cut = [n for n, by in graph.nodes(data="cut_by") if by == "few"]
    assert len(cut) == graph.graph["cut_states"] == statistics.cut_states
    assert not any(graph.out_degree(n) for n in cut)
    assert not any(graph.nodes[n]["terminal"] for n in cut)
    assert (len(graph), graph.size()) == (statistics.states, statistics.transitions)


def test_no_graph_without_a_state() -> None:
    """A limit of nothing is refused."""
    with pytest.raises(ValueError, match="not even the initial one"):
        state_graph(lamps(), max_states=0)


def test_graphml_comes_back() -> None:
    """What is read from GraphML is what was written."""
    graph = state_graph(lamps(bound=2), (DARK, WHOLE, FIRST))
    text = renderers.graphml(graph, 'a <title> & "more"')
    again = nx.read_graphml(io.BytesIO(text.encode()), node_type=int, force_multigraph=True)
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert [dict(d) for *_, d in again.edges(data=True)] == [d for *_, d in graph.edges(data=True)]
    assert again.graph["title"] == 'a <title> & "more"'
    assert "title" not in graph.graph


def test_json_holds_everything() -> None:
    """States and steps are there with all attributes."""
    graph = state_graph(lamps(), (DARK,))
    document: dict[str, Any] = json.loads(renderers.json(graph, "lamps"))
    assert (document["title"], document["graph"]) == ("lamps", graph.graph)
    assert {s.pop("id"): s for s in document["states"]} == dict(graph.nodes(data=True))
    ends = [(s["source"], s["target"]) for s in document["steps"]]
    assert ends == list(graph.edges())


def test_dot_marks_what_matters() -> None:
    """Violations are red, goals green, cut states dashed, and so are steps of users."""
    text = renderers.dot(state_graph(lamps(), (DARK, FIRST), max_states=9), "lamps")
    (first,) = re.findall(r"^  0 \[.*", text, re.MULTILINE)
    assert renderers.RED in first
    assert "peripheries=2" in first
    assert "CUT at" in text.splitlines()[1]
    assert len(re.findall(r"^  \d+ \[.*cut: limit of states.*dashed", text, re.MULTILINE)) > 0
    users = re.findall(r"-> \d+ \[.*switch.*", text)
    assert users
    assert all("style=dashed" in line for line in users)
    assert "violates FIRST" in text
    whole = renderers.dot(state_graph(lamps(), (DARK,)), "lamps")
    assert renderers.GREEN in whole.split("\n  9 [")[1].splitlines()[0]


@given(text=st.text())
def test_dot_strings_come_back(text: str) -> None:
    """Whatever the text, it is one string of DOT, and means that text, all of it visible."""
    string = renderers.quoted(text)
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', string, re.DOTALL)
    meaning = {"n": "\n", '"': '"', "\\": "\\"}
    read = re.sub(r"\\(.)", lambda match: meaning[match[1]], string[1:-1])
    assert read == visible_lines(text) + ("\n" if "\n" in text else "")
