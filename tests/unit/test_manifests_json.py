"""Large JSON, as kubectl writes it of a large cluster: read fast, with objects instead of lines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubelemma.model.manifests import PLACE, InvalidInput, Source, documents, load
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is large."""
    monkeypatch.setattr(documents, "WITH_LINES", 10)


def listed(*items: dict[str, Any]) -> str:
    """A List as kubectl prints it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}, indent=4)


NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "shop"},
    "spec": {"containers": [{"name": "c", "image": "c:1"}]},
}


def test_objects_are_the_same() -> None:
    """What is read is what is read with lines."""
    text = listed(NODE, POD)
    fast = load([Source("k.json", text)], purpose=PLACE)
    slow = load([Source("k.yaml", f"# YAML\n{text}")], purpose=PLACE)
    assert [m.object for m in fast.objects] == [m.object for m in slow.objects]
    assert [type(m.object) for m in fast.objects] == [Node, Pod]


def test_mistakes_name_the_object() -> None:
    """Where there are no lines, the object is named with its field."""
    wrong = {
        **POD,
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "x"}}}]},
    }
    with pytest.raises(InvalidInput) as caught:
        load([Source("k.json", listed(NODE, wrong))], purpose=PLACE)
    assert str(caught.value).startswith(
        "k.json (Pod p): spec.containers[0].resources.requests.cpu: "
    )


def test_what_is_no_json_is_read_as_yaml() -> None:
    """A brace at the beginning is no promise: YAML has them, too."""
    text = "{apiVersion: v1, kind: Node, metadata: {name: a}}"
    (node,) = load([Source("k.yaml", text)], purpose=PLACE).of(Node)
    assert node.document.at(("metadata", "name")).line == 1


def test_broken_json_is_told_by_line() -> None:
    """JSON that was cut short is refused where it ends."""
    with pytest.raises(InvalidInput, match=r"k\.json:\d+: "):
        load([Source("k.json", listed(NODE)[:-5])], purpose=PLACE)
