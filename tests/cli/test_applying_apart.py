"""Several workloads that change at once: one by one, unless they may be in each other's way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]
NAMES = ("api", "db", "queue", "web")


def deployment(name: str, image: str, cpu: str = "100m", replicas: int = 1, **pod: Any) -> Manifest:
    """One replica, if nothing else is said."""
    labels = {"app": name, "tier": "all"}
    container = {"name": "c", "image": image, "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **pod}}
    selector = {"matchLabels": {"app": name}}
    spec = {"replicas": replicas, "selector": selector, "template": template}
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


def node(name: str, cpu: str, **labels: str) -> Manifest:
    """A node with these labels."""
    allocatable = {"cpu": cpu, "memory": "16Gi", "pods": "20"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
        "status": {"allocatable": allocatable, "capacity": allocatable},
    }


def budget(name: str, **labels: str) -> Manifest:
    """One pod of all with these labels stays."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}},
    }


@pytest.fixture
def both(kubelemma: Kubelemma, write: Write) -> Callable[..., None]:
    """A change that is violated, whether two that change are named ``--together`` or not."""

    def ask(old: list[Manifest], new: list[Manifest], *options: str) -> None:
        before, after = write("old.yaml", *old), write("new.yaml", *new)
        for together in ((), ("--together", "api,db")):
            run = kubelemma("check", after, "--from", before, *options, *together)
            assert run.code == 1, run.out
            assert "default/api+default/db" in run.out

    return ask


def test_one_order_in_which_all_fit_is_none_for_all(both: Callable[..., None]) -> None:
    """Small pods that may be anywhere from now on may fill the only nodes for a large one."""
    nodes = [node("big", "4", size="big"), node("other", "4"), node("small", "2", size="small")]
    small = {"nodeSelector": {"size": "small"}}
    old = [deployment("api", "i:1", "1", **small), deployment("db", "i:1", "4")]
    new = [deployment("api", "i:2", "1"), deployment("db", "i:2", "4")]
    both([*nodes, *old], new, "--property", "DEP-4", "--fail-fast")


def test_a_lost_node_may_crowd_what_has_grown(both: Callable[..., None]) -> None:
    """On the node that is left there is room for one of two that come."""
    nodes = [node("n1", "16"), node("n2", "2")]
    old, new = (
        [deployment(name, "i:1", "2", replicas) for name in NAMES[:2]] for replicas in (0, 1)
    )
    crash = ("--event", "node-crash=n1", "--property", "DEP-4", "--fail-fast")
    both([*nodes, *old], new, *crash)


def test_a_budget_of_both_is_spent_by_both(both: Callable[..., None]) -> None:
    """Each may shrink beside the other; once both have, nobody may be evicted."""
    there = [node("n1", "8"), node("n2", "8"), budget("all", tier="all")]
    old = [deployment("api", "i:1", replicas=2), deployment("db", "i:1")]
    new = [deployment("api", "i:1"), deployment("db", "i:1", replicas=0)]
    both([*there, *old], new, "--event", "drain=n1", "--property", "DRAIN-1", "--fail-fast")


def test_budgets_of_each_keep_nobody_together(kubelemma: Kubelemma, write: Write) -> None:
    """Nor does one of both where nobody is evicted."""
    nodes = [node("n1", "8"), node("n2", "8")]
    old, new = ([deployment(n, i, replicas=2) for n in NAMES[:2]] for i in ("i:1", "i:2"))
    own = [budget(name, app=name) for name in NAMES[:2]]
    for budgets, event in ((own, "drain=n1"), ([budget("all", tier="all")], "none")):
        before, after = write("old.yaml", *nodes, *budgets, *old), write("new.yaml", *new)
        asked = ("--event", event, "--property", "DEP-6", "--max-states", "9")
        run = kubelemma("check", after, "--from", before, *asked)
        assert "default/api+default/db" not in run.out
        assert "2 checks of 2 workloads" in run.out


@pytest.mark.parametrize(
    ("label", "pod", "kind", "together"),
    [
        ("app=db", {}, "ReplicaSet", True),
        ("app=none", {}, "ReplicaSet", False),
        ("app=lonely", away_from("lonely"), "Deployment", True),
        ("app=none", away_from("lonely"), "Deployment", False),
    ],
    ids=["adopted", "not adopted", "kept away from", "of nobody's rule"],
)
def test_labels_that_somebody_changes_are_looked_at(  # noqa: PLR0917 - a case
    kubelemma: Kubelemma,
    write: Write,
    label: str,
    pod: dict[str, Any],
    kind: str,
    together: bool,  # noqa: FBT001 - a case
) -> None:
    """A pod of one may become one that another adopts, or that a rule of its pods is about."""

    def sized(replicas: int) -> list[Manifest]:
        found = [deployment(n, "i:1", replicas=replicas, **pod) for n in NAMES[:2]]
        return [{**each, "kind": kind} for each in found]

    old, new = write("old.yaml", *sized(1)), write("new.yaml", *sized(2))
    event = ("--event", f"relabel=api,label={label}", "--max-states", "50")
    run = kubelemma("check", new, "--from", old, *event)
    assert ("default/api+default/db" in run.out) is together, run.out + run.err
