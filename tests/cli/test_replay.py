"""``kubelemma replay``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Kubelemma: TypeAlias = Callable[..., Any]

NAME = "two-nodes-DEP-4"


@pytest.fixture
def recorded(kubelemma: Kubelemma, stuck: str, tmp_path: Path) -> Path:
    """A recorded counterexample, whose manifests are gone."""
    kubelemma("check", stuck, "--property", "DEP-4")
    (tmp_path / stuck).unlink()
    return tmp_path / ".kubelemma" / "traces" / f"{NAME}.json"


def test_still_fails(kubelemma: Kubelemma, recorded: Path) -> None:
    """A recording stands by itself: by name or by path it fails again, with its story."""
    for name in (NAME, str(recorded)):
        run = kubelemma("replay", name)
        assert run.code == 1
        assert "still fails" in run.out
        assert "What happens" in run.out


@pytest.mark.usefixtures("recorded")
def test_repaired(kubelemma: Kubelemma, repaired: str) -> None:
    """On repaired manifests the steps are no longer possible, and the step is named."""
    run = kubelemma("replay", NAME, "-f", repaired)
    assert run.code == 0
    assert "no longer possible at step" in run.out


def test_holds_on_it(kubelemma: Kubelemma, recorded: Path) -> None:
    """Steps that do not lead into the violation are told to be harmless."""
    recording = json.loads(recorded.read_text("utf-8"))
    recording["steps"].pop()
    recorded.write_text(json.dumps(recording), "utf-8")
    run = kubelemma("replay", NAME)
    assert run.code == 0
    assert "the property now holds on it" in run.out


def test_unknown_name(kubelemma: Kubelemma, recorded: Path) -> None:
    """A wrong name is answered with the names that there are."""
    run = kubelemma("replay", "two-nodes-DEP-5")
    assert run.code == 2
    assert recorded.stem in run.err


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "Trace"}', "[1]", "\x00"])
def test_no_recording(kubelemma: Kubelemma, tmp_path: Path, text: str) -> None:
    """A file that is no recording is invalid input."""
    (tmp_path / "x.json").write_text(text, "utf-8")
    run = kubelemma("replay", "x.json")
    assert run.code == 2
    assert "x.json" in run.err
    assert "Traceback" not in run.err


@pytest.mark.usefixtures("recorded")
def test_other_manifests(kubelemma: Kubelemma, write: Callable[..., str]) -> None:
    """Manifests that do not hold the Deployment of the recording are invalid input."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    service |= {"spec": {"ports": [{"port": 80}]}}
    run = kubelemma("replay", NAME, "-f", write("service.yaml", service))
    assert run.code == 2
    assert run.err.startswith(f"{NAME}:")
