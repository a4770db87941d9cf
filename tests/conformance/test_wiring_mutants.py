"""A broken wiring is caught by what was recorded of the real code, put through it.

A mutant replaces one function that rules call. The table agrees with the model as it is and
disagrees with the mutant, on the same cases.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from wired import (
    AGREES,
    Case,
    Found,
    deployment,
    differing,
    kubelet,
    ranking,
    rest,
    runs,
    scheduler,
    zones,
)

from kubelemma.model.cluster.state import Marks, Pods, SetState
from kubelemma.model.cluster.state import Status as PodCounts
from kubelemma.model.cluster.world import Workload, World
from kubelemma.model.components.deployment import rules as wired_deployment
from kubelemma.model.components.deployment.decision import ReplicaSetView
from kubelemma.model.components.nodelifecycle.decision import eviction_rate
from kubelemma.model.components.nodelifecycle.rules import Lifecycle
from kubelemma.model.components.replicaset import rules as wired_replicaset
from kubelemma.model.components.replicaset.decision import manage_replicas
from kubelemma.model.components.replicaset.keys import Owned
from kubelemma.model.components.scheduler import rules as wired_scheduler
from kubelemma.model.components.scheduler import topology as wired_topology
from kubelemma.model.components.scheduler.decision import node_affinity, node_ports, taints
from kubelemma.model.components.scheduler.decision.status import SUCCESS, Status
from kubelemma.model.components.scheduler.topology import Topology
from kubelemma.model.objects.node import Taint
from kubelemma.model.objects.pod import Toleration
from kubelemma.model.system import Outcome
from kubelemma.reports.conformance import Answer
from kubelemma.runs.acceptance import judge_file

# Tables


class Recorded(NamedTuple):
    """Where recorded answers are read from."""

    problems: Callable[[str], list[Case]]
    traces: Path


class Table(NamedTuple):
    """Recorded cases, and how one is put through the wiring."""

    cases: Callable[[Recorded], Sequence[Case]]
    compare: Callable[[Case], Found]


def problems(file: str, about: str = "", most: int = 200) -> Callable[[Recorded], Sequence[Case]]:
    """The first problems of a file whose input says ``about``."""

    def read(recorded: Recorded) -> Sequence[Case]:
        wanted = (c for c in recorded.problems(file) if about in json.dumps(c["input"]))
        return [case for case, _ in zip(wanted, range(most), strict=False)]

    return read


def evictions(recorded: Recorded) -> Sequence[Case]:
    """The evictions of a few runs."""
    return [c for run in _some(recorded) for c in runs.evictions(recorded.traces, run)]


def stamped(recorded: Recorded) -> Sequence[Case]:
    """The pods of Deployments of a few runs."""
    return [c for run in _some(recorded) for c in runs.stamped(recorded.traces, run)]


def pauses(recorded: Recorded) -> Sequence[Case]:
    """The pauses of runs in which new pods never turn Ready."""
    names = (run for run in runs.runs(recorded.traces) if run.startswith("roll-stuck"))
    return [c for run in names for c in rest.pauses(recorded.traces, run)]


def rollout(recorded: Recorded) -> Sequence[Case]:
    """A run that is a behaviour of the model as a whole: a rollout of one Deployment."""
    return [{"id": run, "path": recorded.traces / f"{run}.jsonl.gz"} for run in ROLLOUTS]


ROLLOUTS = ("roll-s1u1-ample-1",)


def accepted(case: Case) -> Found:
    """The whole run is a behaviour of the model."""
    run = judge_file(case["path"])
    return AGREES if run.answer is Answer.ACCEPTED else Found(difference=f"{case['id']} is not")


def _some(recorded: Recorded) -> Sequence[str]:
    return [run for run in runs.runs(recorded.traces) if run.startswith(("taint-", "recreate"))]


TABLES: Mapping[str, Table] = {
    "feasible": Table(problems("scheduler", most=120), scheduler.compare_feasible),
    "min domains": Table(problems("scheduler", "minDomains"), scheduler.compare_feasible),
    "anti-affinity": Table(problems("scheduler", "podAntiAffinity"), scheduler.compare_feasible),
    "nodes almost alike": Table(
        problems("scheduler", "nodeSelector", 25), scheduler.compare_merged
    ),
    "best": Table(problems("scheduler", most=60), scheduler.compare),
    "admission": Table(problems("scheduler", "NoExecute", 60), kubelet.compare),
    "rolling step": Table(problems("deployment"), deployment.compare_step),
    "scaling": Table(problems("deployment"), deployment.compare_scale),
    "first victim": Table(problems("podrank", most=100), ranking.compare_first),
    "victims": Table(problems("podrank", most=100), ranking.compare_several),
    "zones": Table(problems("zone"), zones.compare_rates),
    "full disruption": Table(problems("zone"), zones.compare_lifting),
    "evictions": Table(evictions, runs.compare_eviction),
    "tolerant evictions": Table(evictions, runs.compare_tolerant_eviction),
    "pauses": Table(pauses, rest.compare),
    "accepted runs": Table(rollout, accepted),
    "templates": Table(stamped, runs.compare_stamped),
}


# Broken functions


def longest(tolerations: Sequence[Toleration], on_node: Sequence[Taint]) -> int | None:
    """The longest of the tolerations of a node's taints counts, not the shortest."""
    world = import_module("kubelemma.model.components.tainteviction.decision")
    one_by_one = [
        world.min_toleration_seconds(tolerations, (taint,))
        for taint in on_node
        if taint.effect == "NoExecute"
    ]
    return None if None in one_by_one else max(one_by_one, default=None)


def one_more(active: int, desired: int) -> int:
    """One pod more than asked for is taken for the right number."""
    return manage_replicas(active, desired + 1)


def one_more_created(active: int, desired: int) -> int:
    """Where pods are missing, one too many is created."""
    return manage_replicas(active, desired + (active < desired))


def never_waits(*_: Any) -> bool:
    """A sync begins whatever an earlier one has left to do."""
    return False


def evicts_anyway(memory: Lifecycle, zone: int) -> bool:
    """Zones evict by their own state alone, also when all are disrupted."""
    return eviction_rate(memory.zones[zone].state, 1) > 0


def never_stops(*_: Any) -> bool:
    """Every zone evicts, however few of its nodes are Ready."""
    return True


def stopped(memory: Lifecycle) -> bool:
    """Zones that do not evict are taken for fully disrupted ones."""
    return not any(zone.pace for zone in memory.zones)


def without(*dropped: Callable[..., Status]) -> tuple[Callable[..., Status], ...]:
    """The scheduler's local filters but some."""
    return tuple(check for check in wired_scheduler._LOCAL if check not in dropped)


_spread_state = wired_topology._spread_state


def without_min_domains(topology: Topology, *seen: Any) -> Any:
    """Constraints are taken as if they had no minDomains."""
    constraints = tuple(c._replace(min_domains=1) for c in topology.constraints)
    return _spread_state(dataclasses.replace(topology, constraints=constraints), *seen)


def passes(*_: Any) -> Status:
    """No other node or pod matters."""
    return SUCCESS


def no_labels(_pods: Any) -> frozenset[str]:
    """Nodes are told apart by no label but the zone."""
    return frozenset()


def no_pods(*_: Any, **__: Any) -> tuple[()]:
    """Nodes are told apart by no pod that stands by."""
    return ()


def all_best(*_: Any) -> bool:
    """Every feasible node is taken for the best."""
    return True


_view = wired_deployment._view


def all_available(replica_set: SetState, age: int) -> ReplicaSetView:
    """A Deployment sees every pod as available."""
    return _view(replica_set, age)._replace(available=replica_set.replicas)


def without_annotations(replica_set: SetState, age: int) -> ReplicaSetView:
    """A Deployment forgets what its ReplicaSets had been scaled for."""
    return _view(replica_set, age)._replace(max_replicas=None)


_victims = wired_replicaset.victims


def apart(world: World, workload: Workload, template: int, pods: Pods) -> Iterator[Any]:
    """Only pods of the same ReplicaSet count for co-location."""
    alone = dataclasses.replace(workload, classes=(workload.classes[template],), templates=1)
    return _victims(world, alone, 0, pods)


def ranked_anew(world: World, workload: Workload, template: int, pods: Pods) -> Iterator[Any]:
    """Pods that are chosen already no longer count for co-location."""
    left = tuple(group for group in pods if not group.marks & Marks.CHOSEN)
    return _victims(world, workload, template, left)


def tolerates_all(*_: Any) -> bool:
    """A kubelet ignores taints with the effect NoExecute."""
    return True


def evicts_none(*_: Any) -> Iterator[Outcome]:
    """Taints evict nobody."""
    return iter(())


_counted = wired_replicaset._counted


def active_counts(workload: Workload, owned: Owned) -> PodCounts:
    """The status says of all active pods that they are available."""
    return _counted(workload, owned)._replace(available=owned.active)


class Mutant(NamedTuple):
    """What is broken, the table that catches it, and what replaces which function."""

    name: str
    table: str
    function: str
    replacement: Any


RATE_0_IS_FULL = property(stopped)

SCHEDULER = "components.scheduler.rules"
REPLICASET = "components.replicaset.rules"
NODES = "components.nodelifecycle.rules"
DEPLOYMENT = "components.deployment.rules"
KUBELET = "components.kubelet.decision"
TELLING = "components.scheduler.telling"
TOPOLOGY = "components.scheduler.topology"

MUTANTS = (
    Mutant(
        "longest toleration", "tolerant evictions", "cluster.world.min_toleration_seconds", longest
    ),
    Mutant(
        "expectations satisfied",
        "first victim",
        f"{REPLICASET}.under_way",
        never_waits,
    ),
    Mutant("one pod too many", "first victim", f"{REPLICASET}.manage_replicas", one_more),
    Mutant(
        "all disrupted evict",
        "zones",
        f"{NODES}.Lifecycle.evicts",
        evicts_anyway,
    ),
    Mutant("zones never stop", "zones", f"{NODES}.Lifecycle.evicts", never_stops),
    Mutant(
        "rate 0 is full",
        "full disruption",
        f"{NODES}.Lifecycle.all_disrupted",
        RATE_0_IS_FULL,
    ),
    Mutant("taints", "feasible", f"{SCHEDULER}._LOCAL", without(taints.filter_taints)),
    Mutant(
        "node affinity",
        "feasible",
        f"{SCHEDULER}._LOCAL",
        without(node_affinity.filter_affinity),
    ),
    Mutant(
        "host ports",
        "feasible",
        f"{SCHEDULER}._LOCAL",
        without(node_ports.filter_ports),
    ),
    Mutant(
        "minDomains",
        "min domains",
        f"{TOPOLOGY}._spread_state",
        without_min_domains,
    ),
    Mutant("other pods", "anti-affinity", f"{SCHEDULER}.filter_status", passes),
    Mutant("labels merged", "nodes almost alike", f"{TELLING}._label_keys", no_labels),
    Mutant("pods merged", "nodes almost alike", f"{TELLING}._of_pods", no_pods),
    Mutant("scores", "best", "components.scheduler.scoring.Scoring.is_best", all_best),
    Mutant("all available", "rolling step", f"{DEPLOYMENT}._view", all_available),
    Mutant("not in proportion", "scaling", f"{DEPLOYMENT}._view", without_annotations),
    Mutant("co-location", "first victim", f"{REPLICASET}.victims", apart),
    Mutant("victims ranked anew", "victims", f"{REPLICASET}.victims", ranked_anew),
    Mutant(
        "kubelet and NoExecute",
        "admission",
        f"{KUBELET}.admission.is_tolerated",
        tolerates_all,
    ),
    Mutant("no eviction", "evictions", "components.tainteviction.rules._evict", evicts_none),
    Mutant(
        "default toleration of 0",
        "templates",
        "components.tainteviction.decision.DEFAULT_TOLERATION_SECONDS",
        0,
    ),
    Mutant("status of active pods", "pauses", f"{REPLICASET}._counted", active_counts),
    Mutant(
        "one too many created",
        "accepted runs",
        f"{REPLICASET}.manage_replicas",
        one_more_created,
    ),
)


def broken(mutant: Mutant) -> tuple[Any, str]:
    """The module or class, and the name in it, that the mutant replaces."""
    *path, name = mutant.function.split(".")
    place: Any = import_module("kubelemma.model")
    for part in path:
        if not hasattr(place, part):
            import_module(f"{place.__name__}.{part}")
        place = getattr(place, part)
    return place, name


@pytest.fixture(scope="session")
def recorded(oracle: Callable[[str], list[Case]], traces: Path) -> Callable[[str], Sequence[Case]]:
    """The cases of a table, read once; the wiring as it is agrees with all of them."""
    problems = cache(oracle)

    @cache
    def read(name: str) -> Sequence[Case]:
        table = TABLES[name]
        cases = table.cases(Recorded(problems, traces))
        assert cases
        assert differing(table.compare, cases) == []
        return cases

    return read


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_mutant_is_caught(
    recorded: Callable[[str], Sequence[Case]], monkeypatch: pytest.MonkeyPatch, mutant: Mutant
) -> None:
    """Recorded answers agree with the wiring, and differ once one of its functions is broken."""
    cases = recorded(mutant.table)
    monkeypatch.setattr(*broken(mutant), mutant.replacement)
    assert any(TABLES[mutant.table].compare(case).difference for case in cases)
