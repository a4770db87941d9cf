"""``kubelemma graph``: one scenario as DOT, GraphML or JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import networkx as nx
import pytest

Kubelemma: TypeAlias = Callable[..., Any]


def test_a_picture_for_people(kubelemma: Kubelemma, stuck: str) -> None:
    """DOT on standard output, in the words of stories, with the violation marked."""
    run = kubelemma("graph", stuck)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("digraph states {\n")
    assert "two-nodes: 5 states, 4 steps" in run.out
    assert "user: applies a new pod template (v2) to web" in run.out
    assert "replicaset-controller: creates web-v2-1" in run.out
    assert r"violates DEP-4, STUCK\lweb: 2 of v2 (v1 has 2, v2 has 1)\lno node: web-v2 p" in run.out
    assert "may happen: rollout default/web, 1 more" in run.out


@pytest.mark.parametrize("option", ["-o", "--output"])
def test_files(kubelemma: Kubelemma, stuck: str, tmp_path: Path, option: str) -> None:
    """Every format goes into a file, and all have the same states."""
    found = {}
    for form in ("dot", "graphml", "json"):
        run = kubelemma("graph", stuck, "--format", form, option, f"graph.{form}")
        assert (run.code, run.out, run.err) == (0, "", "")
        found[form] = (tmp_path / f"graph.{form}").read_text("utf-8")
    graph = nx.read_graphml(io.BytesIO(found["graphml"].encode()), node_type=int)
    states = json.loads(found["json"])["states"]
    assert [state["text"] for state in states] == [text for _, text in graph.nodes(data="text")]
    assert states[-1]["violates"] == "DEP-4, STUCK"


def test_only_one_property(kubelemma: Kubelemma, stuck: str) -> None:
    """A property that is not asked about is not marked."""
    run = kubelemma("graph", stuck, "--property", "DEP-4", "--format", "json")
    document = json.loads(run.out)
    assert document["graph"]["goals"] == "DEP-4"
    assert document["states"][-1]["violates"] == "DEP-4"


def test_what_is_cut_is_said(kubelemma: Kubelemma, stuck: str) -> None:
    """A limited graph says so, on standard error and in itself."""
    run = kubelemma("graph", stuck, "--max-states", "3", "--format", "json")
    document = json.loads(run.out)
    assert run.code == 0
    assert "the graph is not complete: 1 of its states has further steps" in run.err
    assert len(document["states"]) == 3
    assert document["graph"]["complete"] is False
    assert document["states"][-1]["cut_by"] == "limit of states"


def test_one_scenario_of_several(kubelemma: Kubelemma, two_scenarios: str) -> None:
    """Where there are several, one has to be chosen, and the message says from which."""
    run = kubelemma("graph", two_scenarios)
    assert run.code == 2
    assert "there are 2: two-nodes, three-nodes; choose by --scenario or --workload" in run.err
    chosen = kubelemma("graph", two_scenarios, "--scenario", "three-nodes", "--max-states", "2")
    assert chosen.code == 0
    assert "three-nodes: 2 states" in chosen.out
    unknown = kubelemma("graph", two_scenarios, "--scenario", "four")
    assert unknown.code == 2
    assert 'no scenario "four"; there are two-nodes, three-nodes' in unknown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to check"),
        (("missing.yaml",), "missing.yaml"),
        (("stuck.yaml", "--format", "png"), "--format"),
        (("stuck.yaml", "--max-states", "0"), "--max-states"),
        (("stuck.yaml", "-o", "missing/graph.dot"), "missing/graph.dot: No such file or directory"),
    ],
)
@pytest.mark.usefixtures("stuck")
def test_mistakes(kubelemma: Kubelemma, arguments: tuple[str, ...], message: str) -> None:
    """Mistakes are told, and end with exit code 2."""
    run = kubelemma("graph", *arguments)
    assert run.code == 2
    assert message in run.err
    assert run.out == ""
