"""No property is idle: for each there is a broken control plane that it, on a small case, catches.

A mutant replaces one decision or rule of the model. The property must hold for the model as it is
and be violated with the mutant, on the same scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import resolve_name
from typing import Any

import pytest
from cloud_mutants import CLOUD_MUTANTS
from kubelet_mutants import KUBELET_MUTANTS
from losing_mutants import LOSING_MUTANTS
from mutating import SELECTOR, TWO, ZONE, Alone, Mutant, Raw, Small, node, pod
from node_mutants import NODE_MUTANTS
from service_mutants import SERVICE_MUTANTS
from statefulset_mutants import STATEFULSET_MUTANTS
from storage_mutants import STORAGE_MUTANTS

from kubelemma.model.cluster.columns import PODS
from kubelemma.model.cluster.state import ACTIVE, IDLE, Counts, DeploymentState, Pods, Sync
from kubelemma.model.cluster.world import PodClass, World
from kubelemma.model.components.deployment.decision import Step, Write
from kubelemma.model.components.deployment.decision.recreate import recreate_step
from kubelemma.model.components.disruption.decision import Covered, disruptions
from kubelemma.model.components.eviction.decision import Spend, first_step
from kubelemma.model.components.eviction.rules import evict
from kubelemma.model.components.kubelet.actions import FINISH_TERMINATION
from kubelemma.model.components.replicaset import claims
from kubelemma.model.components.replicaset import rules as replicaset
from kubelemma.model.components.replicaset.actions import DELETE_POD
from kubelemma.model.components.replicaset.claims import Claiming
from kubelemma.model.components.replicaset.decision import Claim, manage_replicas
from kubelemma.model.components.replicaset.keys import Key, Owned, Shown
from kubelemma.model.components.replicaset.rules import victims
from kubelemma.model.components.scheduler import rules as scheduler
from kubelemma.model.components.scheduler.decision import node_affinity, node_ports, taints
from kubelemma.model.components.scheduler.decision.status import SUCCESS, Status, unschedulable
from kubelemma.model.system import Outcome
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.select import properties_for
from kubelemma.solver.limits import Limits
from kubelemma.solver.result import CheckResult, Verdict

Search = Callable[..., CheckResult]

LIMITS = Limits(max_states=20_000)

ROLLOUT = {"rollout": {"deployment": "web"}}


def scale(replicas: int) -> Raw:
    """The event that sets ``spec.replicas``."""
    return {"scale": {"workload": "web", "replicas": replicas}}


UNREADY = {"type": "Ready", "status": "Unknown"}
ROLLING = Small(TWO, (ROLLOUT,))
CAREFUL = Small(TWO, (ROLLOUT,), strategy=(1, 0))
REPLACING = Small(TWO, (ROLLOUT,), strategy=None)
GROWING = Small(TWO, (scale(4),), replicas=1)
SHRINKING = Small(TWO, (scale(1), {"probeFailure": {"deployment": "web"}}), replicas=3)
FILLING = Small((node("a", cpu="2"),), (scale(1), scale(3)), replicas=2)
CRASHING = Small((*TWO, node("c")), ({"nodeCrash": {}},))
TIGHT = Small((node("a", cpu="2"), node("b", cpu="2")), (scale(5),), replicas=3)
GATED = Small(TWO, (), spec=pod(schedulingGates=[{"name": "wait"}]))
NAMED = Small((node("a", pods="2"),), (scale(3),), replicas=1, spec=pod(nodeName="a"))
TAINTED = Small(
    (node("a"), node("b", taints=[{"key": "gpu", "effect": "NoSchedule"}])), (scale(3),)
)
OVERLAPPING = Alone(("web", "api"), lone=True)
RELEASING = Alone(("web",), ({"relabel": {"workload": "web"}}, scale(0)))
CORDONED = Small(TWO, ({"cordon": {}}, scale(3)))
SELECTING = Small(
    (node("a", labels={"disk": "ssd"}), node("b")),
    (scale(3),),
    spec=pod(nodeSelector={"disk": "ssd"}),
)
ON_A_PORT = Small(TWO, (scale(3),), spec=pod(ports=[{"containerPort": 80, "hostPort": 80}]))
ZONES = (node("a", labels={ZONE: "x"}), node("b", labels={ZONE: "y"}))
SPREAD = Small(
    ZONES,
    (scale(4),),
    spec=pod(
        topologySpreadConstraints=[
            {
                "maxSkew": 1,
                "topologyKey": ZONE,
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": SELECTOR,
            }
        ]
    ),
)
APART = Small(
    TWO,
    (scale(3),),
    spec=pod(
        affinity={
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname", "labelSelector": SELECTOR}
                ]
            }
        }
    ),
)
DRAINED = Small(TWO, ({"drain": {"max": 2}},), budget={"minAvailable": 1})
FAILING = Small(
    TWO, ({"drain": {}}, {"probeFailure": {"deployment": "web"}}), budget={"minAvailable": 2}
)
MOVING = Small(TWO, ({"drain": {}},), budget={"minAvailable": 1})
LOSING = Small(TWO, ({"drain": {}},), budget={"minAvailable": 1}, faults={"lostRequests": 1})
LACKING = Small(TWO, (scale(3), {"deleteServiceAccount": {}}))
BESIDE_A_DEAD_NODE = Small(
    (*TWO, {**node("c"), "status": {**node("c")["status"], "conditions": [UNREADY]}}),
    ({"drain": {"node": "a"}},),
    budget={"minAvailable": 1},
)


# Broken decisions and rules


def fills_at_once(deployment: Any, _total: int, _new_replicas: int) -> int:
    """The new ReplicaSet gets all replicas, whatever the old ones have."""
    return int(deployment.replicas)


def drops_all_old(deployment: Any, sets: Any, new: int) -> tuple[Write, ...]:
    """Old ReplicaSets are emptied without a look at availability."""
    rolling = import_module("kubelemma.model.components.deployment.decision.rolling")
    old = (i for i in range(len(sets)) if i != new)
    return tuple(put for i in old for put in rolling.resized(deployment, sets, i, 0))


def never_waits(deployment: Any, sets: Any, new: int | None, *, old_running: bool) -> Step:
    """Recreate starts the new version beside the pods of the old one."""
    del old_running
    return recreate_step(deployment, sets, new, old_running=False)


def keeps_old(_deployment: Any, _sets: Any, _new: int) -> Step:
    """Old ReplicaSets are never scaled down."""
    return Step()


def never_fits(*_: Any) -> Status:
    """The scheduler finds no node for anything."""
    return unschedulable("no")


def knows_no_new(deployment: DeploymentState) -> int | None:
    """The new ReplicaSet is not recognised once it exists (twice at most, to keep things small)."""
    return None if len(deployment.sets) < 3 else len(deployment.sets) - 1


def one_short(active: int, desired: int) -> int:
    """One pod less than asked for is taken for enough."""
    return manage_replicas(active, desired - 1)


def never_content(active: int, desired: int) -> int:
    """With the right number of pods, one more is created, and then deleted again."""
    return 1 if active == desired else manage_replicas(active, desired)


_begin = replicaset._begin


def forgets_expectations(key: Key, sync: Sync, shown: Shown, owned: Owned) -> Iterator[Outcome]:
    """A sync decides on creations although those of an earlier one are still to come."""
    if 0 < sync.adds <= shown.replicas:
        for outcome in _begin(key, IDLE, shown, owned):
            after = outcome.writes[key.cell]
            writes = {key.cell: after._replace(adds=after.adds + sync.adds)}
            yield outcome._replace(writes=writes)
    else:
        yield from _begin(key, sync, shown, owned)


_choose = replicaset._choose


def ranks_by_node(key: Key, sync: Sync, on_node: Pods, first: int | None) -> Iterator[Outcome]:
    """Victims are ranked among the pods of one node, not among all."""
    if first is not None:
        found = victims(key.world, key.workload, key.template, on_node)
        first = max((rank for rank, _ in found), default=None)
    return _choose(key, sync, on_node, first)


_claimings = claims.claimings


def steals(key: Key) -> tuple[Claiming, ...]:
    """A ReplicaSet also takes over what another one has adopted."""
    own = _claimings(key)
    taken = key.world.classes[-1]
    rival = next(c for c in key.world.classes if c.pod.spec == taken.pod.spec and is_owned(c))
    if taken.workload != key.workload.index or not own:
        return own
    return (*own, Claiming(Claim.ADOPT, rival, taken))


def is_owned(found: PodClass) -> bool:
    """Whether pods have an owner."""
    return bool(found.pod.metadata.owner_references)


_delete = replicaset._delete


def deletes_released(key: Key, on_node: Pods) -> Iterator[Outcome]:
    """What was a ReplicaSet's own once is deleted, too."""
    yield from _delete(key, on_node)
    for group in on_node:
        if group.phase in ACTIVE and not is_owned(key.world.classes[group.pod_class]):
            pods = key.world.deleted(on_node, group)
            yield Outcome(DELETE_POD, {PODS: pods}, key.about, "")


def overlooks_pending(total: Counts) -> int:
    """Pods on nodes are due to be chosen while others have no node yet."""
    return total[0]


_bind = scheduler._bind


def keeps_in_queue(*given: Any, scored: bool) -> Iterator[Outcome]:
    """A bound pod stays among those without a node."""
    for outcome in _bind(*given, scored=scored):
        yield outcome._replace(writes={PODS: outcome.writes[PODS]})


def queues_all(_pod_class: PodClass) -> bool:
    """Gated pods enter the queue like others."""
    return True


def admits_all(_pod: Any, _admitted: Any) -> None:
    """The kubelet never rejects."""


def evicts_none(_world: World, *_shown: Any) -> Iterator[Outcome]:
    """Taints evict nobody."""
    return iter(())


def grants_for_nothing(pod: Any, budgets: Any, **others: Any) -> Any:
    """An eviction is granted, and its budget has as many left as before."""
    step = first_step(pod, budgets, **others)
    return Spend(budgets[0].status) if isinstance(step, Spend) else step


def spares_unready(pod: Any, budgets: Any, **others: Any) -> Any:
    """An unready pod goes without a look at its budget."""
    return first_step(pod, budgets if pod.ready else (), **others)


def allows_one_more(spec: Any, covered: Covered) -> Any:
    """Where a pod is not healthy, one disruption more is allowed than there is to spare."""
    found = disruptions(spec, covered)
    more = found.disruptions_allowed + (covered.healthy < covered.pods)
    return found._replace(disruptions_allowed=more)


def deletes_none(_world: World, _pods: Pods) -> Iterator[Outcome]:
    """A pod whose eviction was granted is not deleted."""
    return iter(())


def runs_out_never(_pods: Pods) -> Iterator[Outcome]:
    """A pod whose eviction got lost is expected to go for ever."""
    return iter(())


def ends_none(pod_class: PodClass, pods: Pods, _group: Any) -> Outcome:
    """The kubelet stops no container of a pod that terminates."""
    return Outcome(FINISH_TERMINATION, {PODS: pods}, (("class", pod_class.index),))


def creates_none(*_: Any, **__: Any) -> None:
    """The ServiceAccount controller sees what is missing, and does not create it."""


def admits_without(_account: Any, *, exists: bool) -> str:
    """Nobody looks whether a pod's account exists."""
    del exists
    return ""


def fails_for_one(pod: Any, budgets: Any, **others: Any) -> Any:
    """One budget is taken for several, and the API server answers 500."""
    return first_step(pod, budgets * 2, **others)


def lists_only(*_: Any) -> Iterator[Outcome]:
    """A drain lists the pods of its node, and does nothing else."""
    return iter(())


def asks_no_budget(world: World, _found: Any, pods: Pods, group: Any, _budgets: Any) -> Any:
    """A drain deletes pods whatever their budget says."""
    return evict(world, (), pods, group, ())


class Anything:
    """Stands for a filter plugin that lets everything pass."""

    @staticmethod
    def fit_request(_pod: Any) -> Any:
        """What a pod asks for does not matter."""

    @staticmethod
    def filter_fit(_request: Any, _info: Any) -> Status:
        """Every node has room."""
        return SUCCESS


def without(*dropped: Callable[..., Status]) -> tuple[Callable[..., Status], ...]:
    """The scheduler's local filters but some."""
    assert set(dropped) <= set(scheduler._LOCAL)
    return tuple(check for check in scheduler._LOCAL if check not in dropped)


def passes(*_: Any) -> Status:
    """No other node or pod matters."""
    return SUCCESS


ROLLING_PY = "components.deployment.decision.rolling"
SCHEDULER_PY = "components.scheduler.rules"
REPLICASET_PY = "components.replicaset.rules"
CLAIMS_PY = "components.replicaset.claims"
DEPLOYMENT_PY = "components.deployment.rules"
SYNC_PY = "components.deployment.decision.sync"
DISRUPTION_PY = "components.disruption.rules"
ACCOUNT_PY = "components.serviceaccount"
KUBELET_PY = "components.kubelet.rules"
EVICTION_PY = "components.eviction.rules"
DRAIN_PY = "components.drain.rules"
TAINT_EVICTION_PY = "components.tainteviction.rules"

MUTANTS = (
    Mutant("DEP-1", "surge ignored", ROLLING_PY, "new_rs_new_replicas", fills_at_once, ROLLING),
    Mutant("DEP-2", "availability ignored", ROLLING_PY, "scale_down_old", drops_all_old, CAREFUL),
    Mutant(
        "DEP-3",
        "no wait",
        SYNC_PY,
        "recreate_step",
        never_waits,
        REPLACING,
    ),
    Mutant("DEP-4", "old pods stay", ROLLING_PY, "reconcile_old", keeps_old, ROLLING),
    Mutant("DEP-4", "no end", REPLICASET_PY, "manage_replicas", never_content, ROLLING),
    Mutant("DEP-6", "new set unknown", DEPLOYMENT_PY, "_new", knows_no_new, ROLLING),
    Mutant("STUCK", "nothing is bound", SCHEDULER_PY, "feasibility", never_fits, ROLLING),
    Mutant("STUCK", "old pods stay", ROLLING_PY, "reconcile_old", keeps_old, CAREFUL),
    Mutant("RS-1", "one short", REPLICASET_PY, "manage_replicas", one_short, GROWING),
    Mutant("RS-1", "never content", REPLICASET_PY, "manage_replicas", never_content, GROWING),
    Mutant("RS-2", "no expectations", REPLICASET_PY, "_begin", forgets_expectations, GROWING),
    Mutant("RS-3", "a second owner", CLAIMS_PY, "claimings", steals, OVERLAPPING),
    Mutant("RS-5", "released deleted", REPLICASET_PY, "_delete", deletes_released, RELEASING),
    Mutant("RS-4", "ranks by node", REPLICASET_PY, "_choose", ranks_by_node, SHRINKING),
    Mutant("RS-4", "pending spared", REPLICASET_PY, "_due", overlooks_pending, FILLING),
    Mutant("SCH-1", "bound again", SCHEDULER_PY, "_bind", keeps_in_queue, GROWING),
    Mutant("SCH-1", "gates ignored", SCHEDULER_PY, "_is_queued", queues_all, GATED),
    Mutant("SCH-2", "room ignored", SCHEDULER_PY, "node_resources", Anything, TIGHT),
    Mutant("SCH-3", "taints", SCHEDULER_PY, "_LOCAL", without(taints.filter_taints), TAINTED),
    Mutant(
        "SCH-3",
        "cordon and its taint",
        SCHEDULER_PY,
        "_LOCAL",
        without(taints.filter_unschedulable, taints.filter_taints),
        CORDONED,
    ),
    Mutant(
        "SCH-3",
        "node affinity",
        SCHEDULER_PY,
        "_LOCAL",
        without(node_affinity.filter_affinity),
        SELECTING,
    ),
    Mutant(
        "SCH-3", "host ports", SCHEDULER_PY, "_LOCAL", without(node_ports.filter_ports), ON_A_PORT
    ),
    Mutant("SCH-3", "topology spread", SCHEDULER_PY, "filter_status", passes, SPREAD),
    Mutant("SCH-3", "anti-affinity", SCHEDULER_PY, "filter_status", passes, APART),
    Mutant("KUB-7", "no admission", KUBELET_PY, "admit", admits_all, NAMED),
    Mutant("PDB-1", "free of charge", EVICTION_PY, "first_step", grants_for_nothing, DRAINED),
    Mutant("PDB-2", "one more allowed", DISRUPTION_PY, "disruptions", allows_one_more, DRAINED),
    Mutant("PDB-3", "not carried out", EVICTION_PY, "_delete", deletes_none, DRAINED),
    Mutant("PDB-3", "not given back", DISRUPTION_PY, "_run_out", runs_out_never, LOSING),
    Mutant("PDB-4", "unready pods go", EVICTION_PY, "first_step", spares_unready, FAILING),
    Mutant("DRAIN-1", "never goes on", DRAIN_PY, "_remove", lists_only, MOVING),
    Mutant("DRAIN-1", "pods do not end", KUBELET_PY, "_termination", ends_none, BESIDE_A_DEAD_NODE),
    Mutant("DRAIN-2", "no budget asked", DRAIN_PY, "evict", asks_no_budget, DRAINED),
    Mutant("DRAIN-3", "one budget is several", EVICTION_PY, "first_step", fails_for_one, DRAINED),
    *KUBELET_MUTANTS,
    *SERVICE_MUTANTS,
    *CLOUD_MUTANTS,
    Mutant("SA-1", "no account again", f"{ACCOUNT_PY}.decision", "create", creates_none, LACKING),
    Mutant("SA-2", "no admission", f"{ACCOUNT_PY}.rules", "refusal", admits_without, LACKING),
    *STATEFULSET_MUTANTS,
    *STORAGE_MUTANTS,
    Mutant("NODE-2", "no eviction", TAINT_EVICTION_PY, "_evict", evicts_none, CRASHING),
    *NODE_MUTANTS,
    *LOSING_MUTANTS,
)

IDS = [f"{mutant.caught_by} {mutant.name}" for mutant in MUTANTS]


def verdicts(search: Search, mutant: Mutant) -> list[Verdict]:
    """What the engine says of the property, of whatever it is asked, in the mutant's scenario."""
    scenario = mutant.scenario.built()
    asked = properties_for(scenario, [mutant.caught_by])
    return [found.verdict for found in search(scenario.system, asked, LIMITS).properties]


@pytest.mark.parametrize("mutant", MUTANTS, ids=IDS)
def test_mutant_is_caught(run: Search, monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    """The property holds, and it is violated once one function is broken."""
    assert set(verdicts(run, mutant)) == {Verdict.HOLDS}
    module = resolve_name(f"kubelemma.model.{mutant.module}")
    monkeypatch.setattr(module, mutant.function, mutant.replacement)
    assert Verdict.VIOLATED in verdicts(run, mutant)


def test_every_property_has_a_mutant() -> None:
    """The catalogue holds no property that nothing was ever seen to violate."""
    assert {mutant.caught_by for mutant in MUTANTS} == set(STATEMENTS)
