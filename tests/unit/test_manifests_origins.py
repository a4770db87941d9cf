"""Output of Kustomize and Helm is placed in the files that it came from."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from kubelemma import api
from kubelemma.model.manifests import InvalidInput, Source, intake, kustomize, load
from kubelemma.reports import sarif

WEB = """\
# a comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: c
        image: x
"""
BUILT = WEB.replace("name: web", "name: p-web").replace("replicas: 2", "replicas: 3").replace(
    "        image: x", "        image: x\n        ports: [{containerPort: 80}]"
)  # fmt: skip
Write = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Be in a folder without Kustomize, and write files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")

    def one(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    return one


def positions(source: Source, *paths: str) -> list[str]:
    """Where fields of the one object are written."""
    (manifest,) = load([source]).objects
    return [str(manifest.document.at(path)) for path in paths]


def annotated(path: str, text: str = BUILT) -> str:
    """The text of an object with the annotation of Kustomize."""
    data = yaml.safe_load(text)
    data["metadata"]["annotations"] = {"config.kubernetes.io/origin": f"path: {path}\n"}
    return yaml.safe_dump(data)


FIELDS = ("metadata.name", "spec.replicas", "spec.template.spec.containers[0].ports")


def test_an_annotation(write: Write) -> None:
    """Fields lie where the file has them, and what was added where it was added to."""
    write("base/web.yaml", WEB)
    given = Source("<stdin>", annotated("base/web.yaml"))
    assert positions(given, *FIELDS) == ["base/web.yaml:5", "base/web.yaml:7", "base/web.yaml:13"]


def test_a_file_that_is_not_there(write: Write) -> None:
    """Of standard input only the name of the file is told; a file on disk keeps its own lines."""
    text = annotated("base/web.yaml")
    assert positions(Source("<stdin>", text), "spec.replicas") == [
        "base/web.yaml (Deployment p-web)"
    ]
    write("built.yaml", text)
    (position,) = positions(Source("built.yaml"), "spec.replicas")
    assert position.startswith("built.yaml:")


def test_a_remote_base() -> None:
    """A file of another repository is none here."""
    text = annotated("base/web.yaml\nrepo: https://example.com/x")
    (position,) = positions(Source("<stdin>", text), "kind")
    assert position.startswith("<stdin>:")


def test_a_list_that_has_grown(write: Write) -> None:
    """Items of a list that is not as it was written are placed at the list."""
    write("base/web.yaml", WEB)
    more = BUILT + "      - {name: d, image: z}\n"
    given = Source("<stdin>", annotated("base/web.yaml", more))
    assert positions(given, "spec.template.spec.containers[1].name") == ["base/web.yaml:12"]


def test_a_base(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a base that is built here, Kustomize is asked where its objects come from."""
    write("base/web.yaml", WEB)
    write("prod/kustomization.yaml", "resources: [../base/web.yaml]\n")
    write("bin/kubectl", "#!/bin/sh\n")
    Path("bin/kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(Path("bin").absolute()))

    def run(command: tuple[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
        up = os.path.relpath("base/web.yaml", os.path.realpath(folder))
        text = BUILT if folder.name == "prod" else annotated(up)
        return subprocess.CompletedProcess(command, 0, text, "")

    monkeypatch.setattr(kustomize, "_run", run)
    (variant,) = intake([Source("prod")]).variants
    (manifest,) = variant.manifests.objects
    assert manifest.document.file == "prod/kustomization.yaml"
    assert str(manifest.document.at("spec.replicas")) == "base/web.yaml:7"


def rendered(replicas: str = "2") -> str:
    """What Helm prints."""
    text = WEB.replace("# a comment\n", "").replace("replicas: 2", f"replicas: {replicas}")
    return f"---\n# Source: shop/templates/web.yaml\n{text}"


TEMPLATE = (
    "{{- if .Values.web }}\napiVersion: apps/v1\nkind: Deployment\nspec: {{ x }}\n{{ end }}\n"
)


@pytest.mark.parametrize("folder", ["shop/", "charts/shop/", "deploy/charts/shop/", ""])
def test_a_template_of_helm(write: Write, folder: str) -> None:
    """An object of Helm's lies in its template, at the line of its kind, wherever the chart is."""
    write(f"{folder}Chart.yaml", "apiVersion: v2\nname: shop\n")
    write(f"{folder}templates/web.yaml", TEMPLATE)
    given = Source("<stdin>", rendered())
    assert positions(given, "spec.replicas") == [f"{folder}templates/web.yaml:3"]
    with pytest.raises(InvalidInput) as refused:
        load([Source("<stdin>", rendered("many"))])
    (problem,) = refused.value.problems
    assert str(problem).startswith(f"{folder}templates/web.yaml:3: spec.replicas: expected")


def test_a_chart_that_is_not_there(write: Write) -> None:
    """Of standard input Helm's own name is told; a file with such comments keeps its lines."""
    assert positions(Source("<stdin>", rendered()), "kind") == [
        "shop/templates/web.yaml (Deployment web)"
    ]
    write("vendored.yaml", rendered())
    assert positions(Source("vendored.yaml"), "kind") == ["vendored.yaml:4"]


def test_each_document_has_its_own_comment() -> None:
    """A comment is about the document below it alone."""
    text = rendered() + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"
    web, space = load([Source("<stdin>", text)]).objects
    assert web.document.at().file == "shop/templates/web.yaml"
    assert str(space.document.at("kind")) == "<stdin>:18"


def test_sarif(write: Write) -> None:
    """Findings are where code scanning finds them."""
    write("shop/Chart.yaml", "apiVersion: v2\nname: shop\n")
    write("shop/templates/web.yaml", TEMPLATE)
    events = ("rollout=web", "node-crash=1")
    question = api.Question(
        paths=(api.STDIN,), stdin=rendered(), events=events, properties=("DEP-2",)
    )
    asked = api.ask(question)
    report = api.report(api.explore(case, engine="plain") for case in asked.cases)
    (result,) = json.loads(sarif.render(report))["runs"][0]["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "shop/templates/web.yaml"},
        "region": {"startLine": 3},
    }
