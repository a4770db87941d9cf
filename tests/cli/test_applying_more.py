"""Changes of what is under way, of strategies, of what makes no workload, and what goes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeAlias

import pytest

from .changes import QUIET, SWAP, WIDE, deployment, nodes, plain, stuck
from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]


# A start that is not at rest


def test_a_rollout_that_is_stuck_already(kubelemma: Kubelemma, write: Write) -> None:
    """Nothing differs, but what is there is not at rest: that is asked, without any event."""
    old, new = write("o.yaml", *stuck()), write("n.yaml", deployment(memory="3Gi", replicas=2))
    run = kubelemma("check", new, "--from", old, *nodes("4Gi", 2), *WIDE)
    assert run.code == 1
    assert "nothing differs, but what is there is not at rest" in run.out
    assert "under way at the start, and goes on whatever users do" in plain(run.out)
    assert "events: none" in run.out
    assert kubelemma("check", new, "--from", old, *nodes("8Gi", 2), *QUIET).code == 0


def test_what_is_under_way_beside_a_change(kubelemma: Kubelemma, write: Write) -> None:
    """Both are one system: the change may make room."""
    web = deployment("web", memory="1Gi", replicas=1)
    old = write("o.yaml", *stuck(), web)
    new = write("n.yaml", deployment("web", memory="1Gi", replicas=0))
    run = kubelemma("check", new, "--from", old, *nodes("4Gi", 2), *WIDE)
    assert run.code == 1
    assert "Scenario default/api+default/web" in run.out


def test_a_change_repairs_what_is_stuck(kubelemma: Kubelemma, write: Write) -> None:
    """A rollout under way goes on under the strategy that is applied."""
    old = write("o.yaml", *stuck())
    strategy = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    new = write("n.yaml", deployment(memory="3Gi", replicas=2, strategy=strategy))
    run = kubelemma("check", new, "--from", old, *nodes("4Gi", 2), *WIDE)
    assert run.code == 0
    assert "strategy.rollingUpdate.maxSurge 1→0" in plain(run.out)


# Strategies


def test_a_strategy_by_itself_rolls_nothing_out(kubelemma: Kubelemma, write: Write) -> None:
    """It counts from the next rollout on, which can be asked about."""
    old = write("o.yaml", deployment(replicas=1))
    new = write("n.yaml", deployment(replicas=1, strategy=SWAP))
    run = kubelemma("check", new, "--from", old, *nodes("2Gi", 1), *WIDE)
    assert run.code == 0
    assert "counts from its next rollout on, and this change is none" in plain(run.out)
    asked = ("--event", "rollout=api", "--property", "DEP-2")
    run = kubelemma("check", new, "--from", old, *nodes("2Gi", 1), *asked, *WIDE)
    assert run.code == 0, run.out


def test_a_strategy_holds_once_it_is_applied(kubelemma: Kubelemma, write: Write) -> None:
    """With the one before, a larger version finds no room; afterwards it is the other way round."""
    old = write("o.yaml", deployment(replicas=1, strategy=SWAP))
    new = write("n.yaml", deployment(replicas=1, memory="3Gi"))
    run = kubelemma("check", new, "--from", old, *nodes("4Gi", 1), *QUIET)
    assert run.code == 1
    assert "maxSurge 0→1" in plain(run.out)
    assert "spec.strategy maxSurge 0, maxUnavailable 1 → maxSurge 1, maxUnavailable 0" in plain(
        run.out
    )


def test_recreate_keeps_versions_apart_once_it_is_applied(
    kubelemma: Kubelemma, write: Write
) -> None:
    """Rolled out under the strategy that came with it, no two versions meet."""
    old = write("o.yaml", deployment(replicas=2))
    new = write("n.yaml", deployment(replicas=2, memory="3Gi", strategy={"type": "Recreate"}))
    asked = ("--property", "DEP-3", "--property", "DEP-1", "-o", "wide")
    run = kubelemma("check", new, "--from", old, *nodes("8Gi", 2), *asked)
    assert run.code == 0
    assert "DEP-3 Deployment default/api holds" in plain(run.out)


def test_versions_meet_under_recreate_that_is_applied(kubelemma: Kubelemma, write: Write) -> None:
    """A sync of the old ReplicaSet that had decided before creates its pods beside the new ones."""
    old = write("o.yaml", deployment(replicas=0))
    new = write("n.yaml", deployment(replicas=1, memory="3Gi", strategy={"type": "Recreate"}))
    asked = ("--event", "scale=api:1", "--property", "DEP-3")
    run = kubelemma("check", new, "--from", old, *nodes("8Gi", 1), *asked)
    assert run.code == 1
    assert "Pods of 2 versions exist at the same time" in plain(run.out)


# Objects that make no workload


BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "budget"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "api"}}},
}
POD: Manifest = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "lone"},
    "spec": {
        "containers": [{"name": "c", "image": "x:1", "resources": {"requests": {"memory": "2Gi"}}}]
    },
}
DEFAULTS: Manifest = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "defaults"},
    "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "3"}}]},
}


def test_a_budget_sets_nothing_going(kubelemma: Kubelemma, write: Write) -> None:
    """It is taken as it is afterwards, and counts where somebody evicts."""
    new = {**BUDGET, "spec": {**BUDGET["spec"], "minAvailable": 2}}
    old = write("o.yaml", deployment(replicas=2), BUDGET)
    path = write("n.yaml", deployment(replicas=2), new)
    run = kubelemma("check", path, "--from", old)
    assert run.code == 0
    assert "sets nothing going by itself" in run.err
    assert "PodDisruptionBudget default/budget (minAvailable 1→2)" in run.err
    drain = ("--event", "drain", "--property", "DRAIN-1", "-o", "wide")
    run = kubelemma("check", path, "--from", old, *drain)
    assert run.code == 1
    assert "taken from the start as it is afterwards: PodDisruptionBudget" in plain(run.out)


def test_a_new_node_is_there_from_the_start(kubelemma: Kubelemma, write: Write) -> None:
    """Beside a change that needs it; and so it is said."""
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "large"},
        "status": {"allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"}},
    }
    old = write("o.yaml", deployment(replicas=1))
    new = write("n.yaml", deployment(replicas=2), node)
    run = kubelemma("check", new, "--from", old, *nodes("2Gi", 1), *WIDE)
    assert run.code == 0
    assert "taken from the start as it is afterwards: Node large (new)" in plain(run.out)


def test_a_new_pod_comes_at_any_time(kubelemma: Kubelemma, write: Write) -> None:
    """It may take the room that a workload needs."""
    old = write("o.yaml", deployment(replicas=1))
    alone, both = deployment(replicas=2), [deployment(replicas=2), POD]
    room = nodes("2Gi", 2)
    assert kubelemma("check", write("a.yaml", alone), "--from", old, *room, *QUIET).code == 0
    run = kubelemma("check", write("n.yaml", *both), "--from", old, *room, *QUIET)
    assert run.code == 1
    assert "change, at any time: Pod default/lone: new" in plain(run.out)
    assert "creates lone" in run.out


def test_a_new_pod_may_name_its_node(kubelemma: Kubelemma, write: Write) -> None:
    """It comes up there, past the scheduler."""
    old = write("o.yaml", deployment(replicas=1))
    bound = {**POD, "spec": {**POD["spec"], "nodeName": "node-2"}}
    new = write("n.yaml", deployment(replicas=2), bound)
    run = kubelemma("check", new, "--from", old, *nodes("2Gi", 2), *QUIET)
    assert run.code == 1
    assert "it names the node" in plain(run.out)


def test_a_changed_pod(kubelemma: Kubelemma, write: Write) -> None:
    """Few of its fields may change, and what comes of these is not modelled."""
    old = write("o.yaml", deployment(), POD)
    image, memory = copy.deepcopy(POD), copy.deepcopy(POD)
    image["spec"]["containers"][0]["image"] = "x:2"
    memory["spec"]["containers"][0]["resources"]["requests"]["memory"] = "1Gi"
    run = kubelemma("check", write("i.yaml", deployment(), image), "--from", old)
    assert run.code == 3
    assert "Pod default/lone (containers[0].image x:1→x:2)" in run.err
    run = kubelemma("check", write("m.yaml", deployment(), memory), "--from", old)
    assert run.code == 2
    assert "Forbidden: pod updates may not change fields other than" in run.err
    assert run.err.startswith("m.yaml:")


def test_what_admission_does_later(kubelemma: Kubelemma, write: Write) -> None:
    """What is applied goes by it; of pods that are made later of others the answer is open."""
    old = write("o.yaml", deployment(replicas=1))
    run = kubelemma("check", write("d.yaml", deployment(replicas=1), DEFAULTS), "--from", old)
    assert run.code == 3
    assert "that are made later are admitted otherwise (LimitRange default/defaults)" in run.err
    new = write("n.yaml", deployment(replicas=1, memory="1Gi"), DEFAULTS)
    run = kubelemma("check", new, "--from", old, *nodes("8Gi", 1), *WIDE)
    assert run.code == 0
    small = ("--nodes", "count=1,cpu=2,memory=8Gi")
    run = kubelemma("check", new, "--from", old, *small, *WIDE)
    assert run.code == 1
    assert "goes for pods of what is applied, made from then on: LimitRange" in plain(run.out)


def test_a_new_workload_goes_by_what_is_new(kubelemma: Kubelemma, write: Write) -> None:
    """Its pods are admitted by the LimitRange that is applied with it."""
    old = write("o.yaml", deployment(replicas=1))
    new = write("n.yaml", deployment(replicas=1), deployment("web", replicas=1), DEFAULTS)
    small = ("--nodes", "count=1,cpu=2,memory=8Gi", "--workload", "web")
    assert kubelemma("check", new, "--from", old, *small, *QUIET).code == 1


def lone(kind: str, memory: str, replicas: int) -> Manifest:
    """So many pods of this size, whose controller rolls nothing out."""
    found = {**deployment(memory=memory, replicas=replicas), "kind": kind}
    del found["spec"]["strategy"]
    if kind == "ReplicationController":
        found |= {"apiVersion": "v1"}
        found["spec"]["selector"] = {"app": "api"}
    return found


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
def test_another_template_of_what_rolls_nothing_out(
    kubelemma: Kubelemma, write: Write, kind: str
) -> None:
    """Pods that are there stay, and pods that are made later are of it."""
    old, new = write("o.yaml", lone(kind, "1Gi", 1)), write("n.yaml", lone(kind, "9Gi", 1))
    run = kubelemma("check", new, "--from", old, *nodes("2Gi", 1), "-o", "wide")
    assert run.code == 0
    assert "memory 1Gi→9Gi; only pods that are made later are of it" in plain(run.out)
    asked = ("--event", "delete-pod=api", "--property", "SCH-2", "-o", "wide")
    run = kubelemma("check", new, "--from", old, *nodes("16Gi", 1), *asked)
    assert run.code == 0
    assert "SCH-2 all nodes holds" in plain(run.out)


# What is taken away


def test_nothing_keeps_what_is_taken_away(kubelemma: Kubelemma, write: Write) -> None:
    """Its pods are collected whatever budget there is, and nobody re-creates them."""
    old = write("o.yaml", deployment(replicas=1), deployment("web", replicas=2))
    new = write("n.yaml", deployment(replicas=2))
    run = kubelemma("check", new, "--from", old, "--prune", *nodes("4Gi", 2), "-o", "wide")
    assert run.code == 0
    assert "nobody re-creates these, and no budget keeps any of them" in plain(run.out)
    assert kubelemma("check", new, "--from", old, *nodes("2Gi", 3), *QUIET).code == 1
