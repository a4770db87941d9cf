"""A command line to run inside the test process, and small manifests to run it on."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
import yaml

from kubelemma.cli.run import run

sys.path.append(str(Path(__file__).parent))
from browsing import browser, opened

__all__ = ["browser", "opened"]

Manifest: TypeAlias = dict[str, Any]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MANIFEST = (EXAMPLES / "rollout-anti-affinity" / "deployment.yaml").read_text("utf-8")


class Run(NamedTuple):
    """How one command ended."""

    code: int
    out: str
    err: str


Kubelemma: TypeAlias = Callable[..., Run]


def _is_ours(variable: str) -> bool:
    """Whether a variable of the environment may set an option."""
    return variable.startswith("KUBELEMMA_")


@pytest.fixture
def kubelemma(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Kubelemma:
    """Run ``kubelemma`` with these arguments in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", *filter(_is_ours, os.environ)):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments: str, stdin: str = "") -> Run:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(arguments)
        out, err = capfd.readouterr()
        return Run(code, out, err)

    return invoke


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write documents into a file of the working directory; gives its name."""

    def to_file(name: str, *documents: Manifest) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump_all(documents), "utf-8")
        return name

    return to_file


def deployment(**strategy: object) -> Manifest:
    """Two replicas that must not share a node, with these bounds of a rolling update."""
    labels = {"app": "web"}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    spec: Manifest = {
        "containers": [{"name": "c", "image": "c:1"}],
        "affinity": {"podAntiAffinity": {required: [term]}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": strategy or None},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def scenario(name: str = "two-nodes", **spec: object) -> Manifest:
    """A Check of one rollout of ``web`` on two nodes."""
    return {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Check",
        "metadata": {"name": name},
        "spec": {
            "cluster": {"nodes": [{"count": 2, "allocatable": {"cpu": "4"}}]},
            "events": [{"rollout": {"deployment": "web"}}],
            **spec,
        },
    }


@pytest.fixture
def documents() -> tuple[Manifest, Manifest]:
    """A Deployment and a scenario in which its rollout cannot complete: DEP-4 is violated."""
    return deployment(), scenario()


@pytest.fixture
def stuck(write: Callable[..., str], documents: tuple[Manifest, Manifest]) -> str:
    """A file with the rollout that cannot complete."""
    return write("stuck.yaml", *documents)


@pytest.fixture
def two_scenarios(write: Callable[..., str]) -> str:
    """A file with the rollout that cannot complete on two nodes, and can on three."""
    large = {"nodes": [{"count": 3, "allocatable": {"cpu": "4"}}]}
    checks = (scenario(), scenario("three-nodes", cluster=large))
    return write("two.yaml", deployment(), *checks)


@pytest.fixture
def repaired(write: Callable[..., str]) -> str:
    """A file with the Deployment repaired, and no scenario."""
    return write("repaired.yaml", deployment(maxSurge=0, maxUnavailable=1))


@pytest.fixture
def sound(write: Callable[..., str]) -> str:
    """A file in which everything holds."""
    return write("sound.yaml", deployment(maxSurge=0, maxUnavailable=1), scenario("sound"))


@pytest.fixture(scope="module")
def imported() -> None:
    """All that a check imports: pytester forgets what is first imported inside of a test."""
    for name in ("collecting", "machine", "strategies"):
        import_module(f"kubelemma.testing.{name}")
    check = import_module("kubelemma.testing").check
    check(yaml.safe_load(MANIFEST), events="rollout=web")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a Deployment whose pods shun each other, and no scenario yet."""
    for name in [name for name in os.environ if name.startswith("KUBELEMMA_")]:
        monkeypatch.delenv(name)
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\naddopts = '-p no:cacheprovider'\n")
    (pytester.path / "web.yaml").write_text(MANIFEST, "utf-8")
    return pytester
