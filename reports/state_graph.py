"""A state graph as DOT, GraphML and JSON: text from a networkx graph as `solver.graph` makes it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kubelemma.model.visible import visible, visible_lines

from .plain import as_json

if TYPE_CHECKING:
    import networkx as nx

RED, GREEN, GREY, FAULT = "#f4c7c3", "#d5ead4", "#9aa0a6", "#8e44ad"
DARK_RED = "#c0392b"


def json(graph: nx.MultiDiGraph[int], title: str) -> str:
    """An object with the title, the attributes of the graph, and lists of its states and steps."""
    states = [{"id": number, **data} for number, data in graph.nodes(data=True)]
    steps = [{"source": a, "target": b, **data} for a, b, data in graph.edges(data=True)]
    document = {"title": title, "graph": graph.graph, "states": states, "steps": steps}
    return as_json(document)


def graphml(graph: nx.MultiDiGraph[int], title: str) -> str:
    """GraphML with all attributes, as Gephi, yEd and networkx read it."""
    import networkx as nx  # noqa: PLC0415 - takes longer to import than most commands run

    titled = graph.copy()
    titled.graph["title"] = title
    for data in _attributes_of(titled):
        data |= {key: visible_lines(v) for key, v in data.items() if isinstance(v, str)}
    out = io.BytesIO()
    nx.write_graphml_xml(titled, out, encoding="utf-8", prettyprint=True)
    return out.getvalue().decode()


def _attributes_of(graph: nx.MultiDiGraph[int]) -> Iterator[dict[str, Any]]:
    """Those of the graph, its states and its steps, to be changed."""
    yield graph.graph
    yield from (data for _, data in graph.nodes(data=True))
    yield from (data for _, _, data in graph.edges(data=True))


def dot(graph: nx.MultiDiGraph[int], title: str) -> str:
    """DOT for Graphviz.

    A state is red where a property is violated, green where all goals are reached, grey and dashed
    where it was cut, and double where nobody can act any more but users and faults. Steps of users
    and faults are dashed, steps that violate a property red.
    """
    lines = [
        "digraph states {",
        f"  label={quoted(_caption(graph, title))}; labelloc=t; fontname=sans; rankdir=TB;",
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname=sans, fontsize=10];',
        "  edge [fontname=sans, fontsize=9];",
    ]
    goals = graph.graph["goals"]
    for number, data in graph.nodes(data=True):
        lines.append(f"  {number} [{_attributes(_state_style(number, data, goals))}];")
    for source, target, data in graph.edges(data=True):
        lines.append(f"  {source} -> {target} [{_attributes(_step_style(data))}];")
    return "\n".join((*lines, "}", ""))


def quoted(text: str, end: str = "\\n") -> str:
    """Text as a string of DOT; every line but the only one is ended by ``end``."""
    escaped = visible_lines(text).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + (escaped.replace("\n", end) + end if "\n" in escaped else escaped) + '"'


def _caption(graph: nx.MultiDiGraph[int], title: str) -> str:
    data = graph.graph
    caption = f"{visible(title)}: {data['states']} states, {data['steps']} steps"
    return caption if data["complete"] else f"{caption}, CUT at {data['cut_states']} states"


def _state_style(number: int, data: dict[str, Any], goals: str) -> dict[str, str]:
    notes = [f"violates {data['violates']}"] if data["violates"] else []
    notes += [f"cut: {data['cut_by']}"] if data["cut_by"] else []
    label = "\n".join((f"#{number}", *notes, data["text"]))
    style = {"label": quoted(label, "\\l")}
    if data["violates"]:
        style["fillcolor"] = quoted(RED)
    elif goals and data["reached"] == goals:
        style["fillcolor"] = quoted(GREEN)
    if data["standstill"]:
        style["peripheries"] = "2"
    if data["cut_by"]:
        style |= {"style": quoted("rounded,filled,dashed"), "color": quoted(GREY)}
    return style


def _step_style(data: dict[str, Any]) -> dict[str, str]:
    label = data["text"] + (f"\nviolates {data['violates']}" if data["violates"] else "")
    style = {"label": quoted(label, "\\l")}
    if data["environment"]:
        style |= {"style": "dashed", "color": quoted(FAULT), "fontcolor": quoted(FAULT)}
    if data["violates"]:
        style |= {"color": quoted(DARK_RED), "fontcolor": quoted(DARK_RED), "penwidth": "2"}
    return style


def _attributes(style: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in style.items())
