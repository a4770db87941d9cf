"""What can be asked about a placement: names, labels, machine types, and what goes together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubelemma.model.manifests import Cluster, InvalidInput, NodeGroup, nodes_of
from kubelemma.placing.asking import (
    Asked,
    check_combination,
    classes_meant,
    counted,
    lost,
    nodes_meant,
    scales,
    workload_meant,
)
from kubelemma.placing.inventory import Key
from kubelemma.placing.machines import machines
from kubelemma.solver.placement.problem import Question

NODES = nodes_of(Cluster(nodes=(NodeGroup(count=4, zones=2, labels={"pool": "web"}),)))
WEB, API = Key("Deployment", "shop", "web"), Key("Deployment", "shop", "api")
OTHER = Key("StatefulSet", "test", "web")
MACHINES = """
apiVersion: kubelemma.dev/v1alpha1
kind: Machines
machines:
- {name: small, price: 0.1, allocatable: {cpu: "4", memory: 16Gi}}
- name: large
  allocatable: {cpu: "16", memory: 64Gi}
  labels: {pool: batch}
  taints: [{key: batch, effect: NoSchedule}]
"""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["node-2"], (1,)),
        (["node-4", "node-1", "node-4"], (0, 3)),
        (["topology.kubernetes.io/zone=zone-1"], (0, 2)),
        (["pool=web"], (0, 1, 2, 3)),
        ([], ()),
    ],
)
def test_nodes(texts: list[str], expected: tuple[int, ...]) -> None:
    """Nodes are meant by name or by a label, each once and in order."""
    assert nodes_meant(texts, NODES, "--drain") == expected


def test_zones_for_short() -> None:
    """A lost zone can be called by its value, and a node with a word in front."""
    assert lost(["zone=zone-2"], NODES) == (1, 3)
    assert lost(["node=node-1"], NODES) == (0,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nod-1", 'no node "nod-1" \\(did you mean "node-1"'),
        ("pol=web", 'no node has the label "pol" \\(did you mean "pool"'),
        ("pool=api", "no node has pool=api: there is web"),
    ],
)
def test_unknown_nodes(text: str, words: str) -> None:
    """What names no node is refused, with what might have been meant."""
    with pytest.raises(InvalidInput, match=words):
        nodes_meant([text], NODES, "--drain")


@pytest.mark.parametrize(
    "text", ["api", "shop/api", "deployment/api", "deployment/shop/api", "Deployment shop/api"]
)
def test_workloads(text: str) -> None:
    """A workload can be called in all the usual ways."""
    assert workload_meant(text, [WEB, API, OTHER], "--scale") == API


def test_workloads_in_doubt() -> None:
    """A name that fits none, or several, is refused."""
    with pytest.raises(InvalidInput, match="did you mean"):
        workload_meant("webb", [WEB, API], "--scale")
    with pytest.raises(InvalidInput, match="write it out"):
        workload_meant("web", [WEB, OTHER], "--scale")


def test_counts() -> None:
    """A count stands behind the last equals sign, and is a number."""
    assert scales(["web=12"], [WEB]) == {WEB: 12}
    assert counted("a=b=3", "--add", "") == ("a=b", 3)
    for text in ("web", "web=", "web=-1", "web=many", "=3", "web=12345678"):
        with pytest.raises(InvalidInput, match="is not NAME=COUNT"):
            counted(text, "--scale", "web=12")


def asked(**given: Any) -> Asked:
    """A question about some input."""
    return Asked(paths=("-",), **given)


@pytest.mark.parametrize(
    "given",
    [
        {"question": Question.REACHABLE, "survive": 1},
        {"question": Question.ANY_ORDER, "fewest_nodes": True},
        {"fewest_nodes": True, "survive": 1},
        {"fewest_nodes": True, "how_many": "web"},
        {"how_many": "web", "survive_zone": True},
        {"machines": "m.yaml"},
        {"reading": "gone"},
    ],
)
def test_senseless_combinations(given: dict[str, Any]) -> None:
    """Options that have nothing to say to one another are refused with a sentence."""
    with pytest.raises(InvalidInput, match="--"):
        check_combination(asked(**given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"survive": 1, "survive_zone": True, "reading": "unreachable"},
        {"drain": ("a",), "survive": 1, "scale": ("web=2",)},
        {"fewest_nodes": True, "machines": "m.yaml", "lose": ("zone=a",)},
        {"question": Question.REACHABLE, "drain": ("a",)},
    ],
)
def test_combinations(given: dict[str, Any]) -> None:
    """What can be asked together can be asked together."""
    check_combination(asked(**given))


def test_machines(tmp_path: Path) -> None:
    """Machine types are nodes with a price; where none is given, one costs as much as any other."""
    path = tmp_path / "machines.yaml"
    path.write_text(MACHINES, "utf-8")
    found = machines(str(path))
    assert {name: float(offer.price) for name, offer in found.items()} == {"small": 0.1, "large": 1}
    large = found["large"].node
    assert large.metadata.label_map()["pool"] == "batch"
    assert str((large.status.allocatable or {})["cpu"]) == "16"
    added = list(classes_meant(["small=2", "node-3=1"], NODES, found))
    assert [(node.metadata.name, count) for node, count in added] == [("small", 2), ("node-3", 1)]
    with pytest.raises(InvalidInput, match='did you mean "small"'):
        list(classes_meant(["smal=2"], NODES, found))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: Other\napiVersion: v1\n", "expected one document of kind Machines"),
        (
            MACHINES.replace("price: 0.1", "prize: 0.1"),
            'prize: unknown field .did you mean "price"',
        ),
        (MACHINES.replace("name: large", "name: small"), "is there already"),
        (MACHINES.replace("price: 0.1", "price: -1"), "is not more than 0"),
        (MACHINES.replace("name: small, ", ""), r"machines\[0\].name: is required"),
        ("a: [", "is missing"),
    ],
)
def test_wrong_machines(tmp_path: Path, text: str, words: str) -> None:
    """Whatever is wrong with machine types is said with file, line and field."""
    path = tmp_path / "machines.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=words):
        machines(str(path))


def test_missing_machines() -> None:
    """A file that is not there is a sentence, too."""
    with pytest.raises(InvalidInput, match="no such file"):
        machines("nowhere.yaml")
