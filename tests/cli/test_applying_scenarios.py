"""Scenarios that apply something, and counterexamples of changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from .changes import QUIET, SWAP, deployment, nodes, plain
from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]


# In a scenario


CHECK: Manifest = {
    "apiVersion": "kubelemma.dev/v1alpha1",
    "kind": "Check",
    "metadata": {"name": "change"},
    "spec": {
        "resources": ["old"],
        "cluster": {"nodes": [{"count": 1, "allocatable": {"cpu": "4", "memory": "4Gi"}}]},
        "properties": ["DEP-4"],
    },
}


def scenario(*events: Manifest) -> Manifest:
    """The scenario with these events."""
    return {**CHECK, "spec": {**CHECK["spec"], "events": list(events)}}


def test_a_scenario_applies(kubelemma: Kubelemma, write: Write) -> None:
    """Paths are seen from its own folder, and other events may happen beside it."""
    write("s/old/a.yaml", deployment(replicas=1))
    write("s/new/a.yaml", deployment(replicas=1, memory="3Gi"))
    apply = {"apply": {"resources": ["new/"]}}
    path = write("s/c.yaml", scenario(apply, {"cordon": {}}))
    run = kubelemma("check", path)
    assert run.code == 1
    assert "memory 2Gi→3Gi), cordon once" in plain(run.out)
    assert "is not checked" not in run.err
    with_strategy = deployment(replicas=1, memory="3Gi", strategy=SWAP)
    write("s/new/a.yaml", with_strategy)
    assert kubelemma("check", write("s/c.yaml", scenario(apply))).code == 0


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            [{"apply": {"resources": ["new", "nope"]}}],
            'spec.events[0].apply.resources[1]: there is no file or folder "nope"',
        ),
        ([{"apply": {}}], "spec.events[0].apply.resources: names nothing that is applied"),
        ([{"apply": {"resources": ["empty"]}}], "spec.events[0].apply.resources: no *.yaml"),
        ([{"apply": {"resources": "new"}}], "expected a list"),
        (
            [{"apply": {"resources": ["new"]}}, {"apply": {"resources": ["new/a.yaml"]}}],
            "spec.events[1].apply: Deployment default/api is applied by another event, too",
        ),
        (
            [{"apply": {"resources": ["new"], "prune": True}}, {"apply": {"resources": ["old"]}}],
            "spec.events[0].apply.prune: is not allowed beside other events of that kind",
        ),
        (
            [{"apply": {"resources": ["new"]}}, {"rollout": {"deployment": "api"}}],
            "it is applied, which is its rollout",
        ),
    ],
)
def test_what_a_scenario_cannot_apply(
    kubelemma: Kubelemma, write: Write, tmp_path: Path, events: list[Manifest], message: str
) -> None:
    """It is said where it stands."""
    write("s/old/a.yaml", deployment(replicas=1))
    write("s/new/a.yaml", deployment(replicas=1, memory="3Gi"))
    (tmp_path / "s" / "empty").mkdir()
    run = kubelemma("check", write("s/c.yaml", scenario(*events)))
    assert run.code == 2
    assert message in run.err


def test_what_stands_is_given_once(kubelemma: Kubelemma, write: Write) -> None:
    """By a scenario or by --from; and with flags the input is what is applied."""
    write("s/old/a.yaml", deployment(replicas=1))
    path = write("s/c.yaml", scenario({"apply": {"resources": ["old"]}}))
    run = kubelemma("check", path, "--from", "s/old")
    assert run.code == 2
    assert "what stands is given with --from" in run.err
    run = kubelemma("check", "s/old", "--event", "apply=new")
    assert run.code == 2
    assert "what stands is named by --from" in run.err


# Counterexamples


def test_a_counterexample_of_a_change_is_replayed_anywhere(
    kubelemma: Kubelemma, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has what stood and what was applied."""
    old, new = write("o.yaml", deployment()), write("n.yaml", deployment(memory="6Gi"))
    run = kubelemma("check", new, "--from", old, *nodes("4Gi"), *QUIET)
    assert "kubelemma replay default-api-DEP-4" in run.out
    kept = tmp_path / ".kubelemma" / "traces" / "default-api-DEP-4.json"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    run = kubelemma("replay", str(kept))
    assert run.code == 1
    assert "memory 2Gi→6Gi" in plain(run.out)
    repaired = write("elsewhere/n.yaml", deployment(memory="1Gi"))
    run = kubelemma("replay", str(kept), "-f", repaired.removeprefix("elsewhere/"))
    assert run.code == 0


def test_a_counterexample_with_what_is_taken_away(kubelemma: Kubelemma, write: Write) -> None:
    """That is part of what was asked."""
    old = write("o.yaml", deployment(replicas=1), deployment("web", replicas=1))
    new = write("n.yaml", deployment(replicas=1, memory="3Gi"))
    run = kubelemma("check", new, "--from", old, "--prune", *nodes("4Gi", 1), *QUIET)
    assert run.code == 1
    assert kubelemma("replay", "default-api-default-web-DEP-4-Deployment-default-api").code == 1


def test_nothing_is_said_of_what_is_applied_and_there_already(
    kubelemma: Kubelemma, write: Write
) -> None:
    """It is part of the change, though nothing comes of it."""
    old = write("o.yaml", deployment(replicas=1), deployment("web", replicas=1))
    new = write("n.yaml", deployment(replicas=2), deployment("web", replicas=1))
    run = kubelemma("check", new, "--from", old, *nodes("8Gi", 2), *QUIET)
    assert (run.code, run.err) == (0, "")
