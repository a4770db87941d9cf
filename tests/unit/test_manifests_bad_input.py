"""Objects, scenarios and flags that are wrong: what is said of each, to the letter.

The tables are beside this file, in ``bad_input``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from kubelemma.model.manifests import InvalidInput, Source, load, parse_event, parse_nodes

FOLDER = Path(__file__).parent / "bad_input"
FLAGS = {"--nodes": parse_nodes, "--event": parse_event}
Row = dict[str, Any]


def rows(table: str) -> list[Row]:
    """The rows of one table."""
    found: list[Row] = yaml.safe_load((FOLDER / table).read_text("utf-8"))
    return found


def title(row: Row) -> str:
    """What tells a row from the others."""
    text = row["new"] if "new" in row else row["text"]
    return str(text).strip()[:40]


def said(text: str) -> list[str]:
    """What is said of a text that cannot be used, without its name."""
    with pytest.raises(InvalidInput) as refused:
        load([Source("f.yaml", text)])
    assert all(problem.position.file == "f.yaml" for problem in refused.value.problems)
    return [str(problem).removeprefix("f.yaml:") for problem in refused.value.problems]


def changed(base: str, row: Row) -> str:
    """A faultless text with one change that makes it wrong."""
    text = (FOLDER / base).read_text("utf-8")
    assert row["old"] in text
    return text.replace(row["old"], row["new"], 1)


@pytest.mark.parametrize("base", ["web.yaml", "set.yaml", "check.yaml"])
def test_the_bases_are_faultless(base: str) -> None:
    """What the tables change is accepted as it is, so that the change alone is at fault."""
    manifests = load([Source(str(FOLDER / base))])
    assert len(manifests.objects) + len(manifests.checks) == 1
    assert manifests.warnings == ()


@pytest.mark.parametrize("row", rows("sets.yaml"), ids=title)
def test_sets(row: Row) -> None:
    """A fault in a StatefulSet is refused with these very messages, and nothing else."""
    assert said(changed("set.yaml", row)) == row["said"]


@pytest.mark.parametrize("row", rows("deployments.yaml"), ids=title)
def test_deployments(row: Row) -> None:
    """A fault in a Deployment is refused with these very messages, and nothing else."""
    assert said(changed("web.yaml", row)) == row["said"]


@pytest.mark.parametrize("row", rows("objects.yaml"), ids=title)
def test_objects(row: Row) -> None:
    """So is a fault in any other document."""
    assert said(row["text"]) == row["said"]


@pytest.mark.parametrize("row", rows("checks.yaml"), ids=title)
def test_checks(row: Row) -> None:
    """So is a fault in a scenario, in which unknown fields are faults too."""
    assert said(changed("check.yaml", row)) == row["said"]


@pytest.mark.parametrize("row", rows("flags.yaml"), ids=title)
def test_flags(row: Row) -> None:
    """A fault in a flag is refused with the name of the flag."""
    with pytest.raises(InvalidInput) as refused:
        FLAGS[row["flag"]](row["text"])
    assert list(map(str, refused.value.problems)) == [f"{row['flag']}: {s}" for s in row["said"]]


def test_all_faults_at_once() -> None:
    """All faults of a document are told at once and in order, and none that only follows."""
    text = (FOLDER / "web.yaml").read_text("utf-8")
    for old, new in (
        ("name: web", "name: Web"),
        ("replicas: 3", "replicas: '3'"),
        ("matchLabels: {app: web}", "matchLabels: {app: yes}"),
        ("25%", "25 %"),
        ("cpu: 500m", "cpu: half"),
        ("8080", "x"),
    ):
        text = text.replace(old, new)
    assert [message.split(": ")[:2] for message in said(text)] == [
        ["4", "metadata.name"],
        ["6", "spec.replicas"],
        ["8", "spec.selector.matchLabels.app"],
        ["12", "spec.strategy.rollingUpdate.maxSurge"],
        ["22", "spec.template.spec.containers[0].resources.requests.cpu"],
        ["25", "spec.template.spec.containers[0].ports[0].containerPort"],
    ]


def test_two_objects_of_one_name() -> None:
    """Two objects of one name are told with both places, across files; other namespaces differ."""
    text = (FOLDER / "web.yaml").read_text("utf-8")
    elsewhere = text.replace("name: web\n", "name: web\n  namespace: other\n", 1)
    explicit = text.replace("name: web\n", "name: web\n  namespace: default\n", 1)
    with pytest.raises(InvalidInput) as refused:
        load([Source("a.yaml", text), Source("b.yaml", elsewhere), Source("c.yaml", explicit)])
    assert str(refused.value) == (
        "c.yaml:4: metadata.name: Deployment default/web is defined twice (first in a.yaml:4)"
    )
