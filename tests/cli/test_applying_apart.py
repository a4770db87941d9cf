"""Several workloads that change at once: one by one, unless they may be in each other's way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]
NAMES = ("api", "db", "queue", "web")


def deployment(name: str, image: str, cpu: str = "100m", **pod: Any) -> Manifest:
    """One replica."""
    labels = {"app": name}
    container = {"name": "c", "image": image, "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **pod}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def away_from(name: str) -> Manifest:
    """An affinity that keeps pods off those of another workload."""
    selector = {"matchLabels": {"app": name}}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"affinity": {"podAntiAffinity": rule}}


@pytest.fixture
def asked(kubelemma: Kubelemma, write: Write) -> Callable[..., Any]:
    """The change of some Deployments to another image."""

    def ask(*options: str, cpu: str = "100m", only: tuple[str, ...] = NAMES, **pod: Any) -> Any:
        old = write("old.yaml", *(deployment(name, "i:1", cpu, **pod) for name in only))
        new = write("new.yaml", *(deployment(name, "i:2", cpu, **pod) for name in only))
        return kubelemma("check", new, "--from", old, *options)

    return ask


def test_a_release_is_one_question_for_each(asked: Callable[..., Any]) -> None:
    """With room for all of them twice, nobody is in anybody's way."""
    run = asked()
    assert run.code == 0, run.out
    assert all(re.search(rf"default/{name} +holds", run.out) for name in NAMES)
    assert "PASSED: 4 checks of 4 workloads" in run.out


def test_two_that_want_the_same_room_are_one_system(asked: Callable[..., Any]) -> None:
    """There is room for one surge and no more."""
    run = asked("--nodes", "count=1,cpu=3,memory=8Gi", cpu="900m", only=NAMES[:2])
    assert "default/api+default/db" in run.out


def test_two_that_look_at_each_other_are_one_system(asked: Callable[..., Any]) -> None:
    """However much room there is."""
    assert "default/api+default/db" in asked(only=NAMES[:2], **away_from("db")).out
    assert "default/api+default/db" not in asked(only=NAMES[:2], **away_from("other")).out


def test_too_many_that_want_the_same_room_leave_it_open(asked: Callable[..., Any]) -> None:
    """Each is asked with the others held still, and what then holds is not decided."""
    run = asked("--nodes", "count=1,cpu=5,memory=8Gi", cpu="900m")
    assert run.code == 3, run.out
    assert "are applied, too, and held still here" in " ".join(run.out.split())
