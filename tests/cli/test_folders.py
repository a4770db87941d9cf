"""Folders of repositories, by all commands that read manifests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Kubelemma

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: edge}}
spec:
  replicas: {}
  selector: {{matchLabels: {{app: edge}}}}
  template:
    metadata: {{labels: {{app: edge}}}}
    spec: {{containers: [{{name: c, image: x}}]}}
"""
FILES = {
    "aws/deploy.yaml": WEB.format(1),
    "baremetal/deploy.yaml": WEB.format(2),
    "dashboards/latency.json": '{"panels": []}',
    "base/kustomization.yaml": "resources: [none.yaml]\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a repository without Kustomize."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    for name, text in FILES.items():
        path = tmp_path / "repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def test_check(kubelemma: Kubelemma) -> None:
    """Alternatives are scenarios; what cannot be built is told last, and makes the exit code."""
    done = kubelemma("check", "repo", "--property", "DEP-4", "--event", "none", "-o", "json")
    assert done.code == 2
    report = json.loads(done.out)
    assert [s["name"] for s in report["scenarios"]] == ["aws", "baremetal"]
    assert report["scenarios"][0]["setting"][0] == (
        "alternative: aws; looked at by themselves are baremetal"
    )
    first, *_, last = done.err.splitlines()
    assert first.startswith("warning: repo/dashboards/latency.json:1: skipped: no Kubernetes")
    assert last.startswith("repo/base: is a Kustomize directory")
    left = [part["reason"] for part in report["scenarios"][0]["notModelled"]]
    assert "cannot be built: nothing of it is checked" in left


def test_a_variant(kubelemma: Kubelemma) -> None:
    """One alternative may be chosen, if there is one of that name."""
    (Path("repo/base/kustomization.yaml")).unlink()
    done = kubelemma(
        *("check", "repo", "--property", "DEP-4", "--variant", "baremetal", "--event", "none"),
        *("-o", "wide"),
    )
    assert done.code == 0
    assert "replicas 2" in done.out
    assert "replicas 1" not in done.out
    done = kubelemma("check", "repo", "--variant", "aw")
    assert (done.code, done.err.strip()) == (
        2,
        '--variant: there is no alternative "aw": there are aws, baremetal (did you mean "aws"?)',
    )
    done = kubelemma("check", "repo/aws", "--variant", "aws")
    assert done.code == 2
    assert "no folders define the same objects" in done.err


def test_names_are_those_of_any_alternative(kubelemma: Kubelemma) -> None:
    """A workload or a property that only one alternative has is no mistake."""
    text = WEB.format(1).replace("edge", "only")
    Path("repo/aws/only.yaml").write_text(text, "utf-8")
    Path("repo/base/kustomization.yaml").unlink()
    given = ("check", "repo", "--property", "DEP-4", "--event", "none", "-o", "json")
    done = kubelemma(*given, "--workload", "only")
    assert [s["name"] for s in json.loads(done.out)["scenarios"]] == ["aws"]
    done = kubelemma(*given, "--workload", "none")
    assert done.code == 2
    assert 'there is no workload "none"' in done.err


def test_strict(kubelemma: Kubelemma) -> None:
    """Strictly, what would be skipped is an error."""
    done = kubelemma("check", "repo", "--strict")
    assert done.code == 2
    assert not done.out
    assert "repo/dashboards/latency.json:1: no Kubernetes object (a Grafana dashboard?)" in done.err


def test_place(kubelemma: Kubelemma) -> None:
    """Each alternative is answered; a document is about one of them."""
    given = ("place", "repo", "--nodes", "cpu=4,memory=4Gi")
    done = kubelemma(*given)
    assert done.code == 2
    assert "Alternative aws\nFEASIBLE: 1 pod has a place" in done.out
    assert "Alternative baremetal\nFEASIBLE: all 2 pods have a place" in done.out
    assert "repo/base: is a Kustomize directory" in done.err
    done = kubelemma(*given, "-o", "json")
    assert done.code == 2
    assert "choose by --variant" in done.err
    done = kubelemma(*given, "-o", "json", "--variant", "aws")
    assert json.loads(done.out)["workloads"][0]["pods"] == 1


def test_graph_and_simulate(kubelemma: Kubelemma) -> None:
    """They read alike."""
    done = kubelemma("simulate", "repo", "--steps", "2")
    assert done.code == 2
    assert "Scenario aws" in done.out
    assert "Scenario baremetal" in done.out
    done = kubelemma("graph", "repo", "--scenario", "aws: rollout", "--max-states", "5")
    assert done.code == 2
    assert done.out.startswith("digraph")


def test_replay(kubelemma: Kubelemma) -> None:
    """A counterexample of one alternative is replayed on one of them."""
    Path("repo/base/kustomization.yaml").unlink()
    events = ("--event", "rollout=edge", "--event", "node-crash=1")
    assert kubelemma("check", "repo", "--property", "DEP-2", *events).code == 1
    assert kubelemma("replay", "aws-DEP-2").code == 1
    done = kubelemma("replay", "aws-DEP-2", "-f", "repo/aws")
    assert done.code == 1
    done = kubelemma("replay", "aws-DEP-2", "-f", "repo")
    assert done.code == 2
    assert "several scenarios are about DEP-2 of Deployment default/edge" in done.err
