"""Where nobody acts any more: what every pod waits for, and why nobody will help it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from kubelemma.model.cluster.state import Counts, DeploymentState, NodeState, Phase
from kubelemma.model.cluster.world import NODES, Workload
from kubelemma.model.components.deployment.rules import DEPLOYMENT
from kubelemma.model.components.kubelet.rules import KUBELET
from kubelemma.model.components.nodelifecycle.rules import NODE_LIFECYCLE
from kubelemma.model.components.replicaset.rules import REPLICASET
from kubelemma.model.components.scheduler.rules import SCHEDULER
from kubelemma.model.components.tainteviction.rules import TAINT_EVICTION
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.reports.story import Idle, NodeReview, Waiting
from kubelemma.reports.style import enumeration, few, plural

from .bounds import bounds_of
from .cast import Cast, Place, node_name, replica_set_name, workload_name
from .custom import idle_controllers
from .scheduling import Reviewer, message
from .written import Written

_GATED = "Scheduling is blocked due to non-empty scheduling gates"


# What pods wait for


def waiting(scenario: Scenario, state: State, last: Cast, review: Reviewer) -> tuple[Waiting, ...]:
    """Every pod that is not available, with what it waits for; those without a node first."""
    return tuple(
        told
        for place, pods in sorted(last.names.items())
        if place.phase != Phase.AVAILABLE
        for told in _waiting(scenario, state, place, pods, review)
    )


def _waiting(
    scenario: Scenario, state: State, place: Place, pods: tuple[str, ...], review: Reviewer
) -> Iterator[Waiting]:
    reviews: tuple[NodeReview, ...] = ()
    if place.node:
        words = _on_node(scenario, state, place)
    elif scenario.world.classes[place.pod_class].gated:
        words = _GATED
    else:
        reviews = review(place.pod_class, state, "")
        words = message(reviews)
    for pod in pods:
        yield Waiting(pod, words, reviews)


def _on_node(scenario: Scenario, state: State, place: Place) -> str:
    """Why a pod on a node is not available, and will not be."""
    if not _named(scenario, state)[place.node].up:
        what = "end" if place.phase in (Phase.TERMINATING, Phase.REVOKED) else "become Ready"
        return f"it cannot {what}: {place.node} is down, and need not come back."
    return f"its containers run on {place.node} and never become Ready: the scenario says so."


def _named(scenario: Scenario, state: State) -> dict[str, NodeState]:
    return {node_name(scenario, p): state[p] for p in scenario.system.positions[NODES]}


# Why nobody acts


class _Scene(NamedTuple):
    """The end of a run, with the names of its pods."""

    scenario: Scenario
    state: State
    last: Cast

    def deployment(self, workload: Workload) -> DeploymentState:
        found: DeploymentState = self.state[self.scenario.system.positions[workload.cell].start]
        return found

    def counts(self, workload: Workload, what: str) -> Counts:
        found: Counts = self.scenario.system.summary(self.state)[workload.tally(what)]
        return found

    def nodes(self) -> Mapping[str, NodeState]:
        return _named(self.scenario, self.state)


Explainer: TypeAlias = Callable[[_Scene], Iterator[Idle]]


def idle(scenario: Scenario, state: State, last: Cast) -> tuple[Idle, ...]:
    """Every component of the scenario with why it does nothing, in the order of its rules."""
    scene = _Scene(scenario, state, last)
    actors = dict.fromkeys(r.actor for r in scenario.system.rules if not r.environment)
    own = (told for actor in actors if actor in _IDLE for told in _IDLE[actor](scene))
    return (*own, *idle_controllers(scenario, state))


def _deployments(scene: _Scene) -> Iterator[Idle]:
    for workload in scene.scenario.world.workloads:
        deployment = scene.deployment(workload)
        name = workload_name(scene.scenario, workload)
        if deployment.paused:
            reason = f"{name} is paused: it scales what there is, and rolls nothing out"
            yield Idle(DEPLOYMENT, reason, held_up=True)
        elif _is_done(scene, workload):
            yield Idle(DEPLOYMENT, f"the ReplicaSets of {name} have the sizes that they should")
        elif workload.recreate:
            yield Idle(DEPLOYMENT, _recreating(scene, workload), held_up=True)
        else:
            reason = "; ".join(_rolling(scene, workload))
            yield Idle(DEPLOYMENT, reason, held_up=True)


def _is_done(scene: _Scene, workload: Workload) -> bool:
    """Whether the current ReplicaSet asks for all, and the others for nothing."""
    deployment = scene.deployment(workload)
    sizes = {s.template: s.replicas for s in deployment.sets if s.replicas}
    wanted = {deployment.template: deployment.replicas} if deployment.replicas else {}
    return sizes == wanted


def _recreating(scene: _Scene, workload: Workload) -> str:
    world = scene.scenario.world
    alive = scene.scenario.system.summary(scene.state)[world.existing(workload)]
    current = scene.deployment(workload).template
    old = sum(n for template, n in enumerate(alive) if template != current)
    new = replica_set_name(scene.scenario, workload, current)
    still = "still exists" if old == 1 else "still exist"
    return f"{plural(old, 'pod')} of older versions {still}, and {new} has to wait for them"


def _rolling(scene: _Scene, workload: Workload) -> Iterator[str]:
    """Why the new ReplicaSet does not grow and old ones do not shrink: the controller's bounds."""
    deployment = scene.deployment(workload)
    bounds = bounds_of(Written(), workload, deployment.replicas)
    total = sum(s.replicas for s in deployment.sets)
    new = deployment.current()
    name = replica_set_name(scene.scenario, workload, deployment.template)
    size = new.replicas if new else 0
    lacking = size - new.status_available if new else 0
    if size < deployment.replicas:
        yield (
            f"{name} may not grow beyond {size}: the ReplicaSets ask for {plural(total, 'pod')} in "
            f"all, where spec.replicas {bounds.replicas} + maxSurge {bounds.surge} allow "
            f"{bounds.most}"
        )
    if total > size:
        spare = total - bounds.least - lacking
        yield (
            f"the old ones may not shrink: of {plural(total, 'pod')} asked for, {lacking} of "
            f"{name} {'is' if lacking == 1 else 'are'} not available yet, and {bounds.least} must "
            f"be: spec.replicas {bounds.replicas} - maxUnavailable {bounds.unavailable}"
            if spare <= 0
            else f"the old ones may not shrink: {bounds.least} pods must stay available"
        )


def _replica_sets(scene: _Scene) -> Iterator[Idle]:
    parts = [
        f"{replica_set_name(scene.scenario, workload, s.template)} {active[s.template]} of "
        f"{s.replicas}"
        for workload in scene.scenario.world.workloads
        for active in [scene.counts(workload, "active")]
        for s in scene.deployment(workload).sets
    ]
    counts = ", ".join(parts)
    yield Idle(REPLICASET, f"every ReplicaSet has the active pods that it asks for: {counts}")


def _scheduler(scene: _Scene) -> Iterator[Idle]:
    queued = [(place, pods) for place, pods in sorted(scene.last.names.items()) if not place.node]
    names = [pod for _, pods in queued for pod in pods]
    if names:
        gated = all(scene.scenario.world.classes[place.pod_class].gated for place, _ in queued)
        why = "scheduling gates keep out" if gated else "no node passes every filter for"
        yield Idle(SCHEDULER, f"{why} {few(names)}", held_up=True)
    else:
        yield Idle(SCHEDULER, "no pod waits for a node")


def _kubelet(scene: _Scene) -> Iterator[Idle]:
    up = {name for name, node in scene.nodes().items() if node.up}
    unready = [
        pod
        for place, pods in sorted(scene.last.names.items())
        if place.node in up and place.phase == Phase.STARTING
        for pod in pods
    ]
    if unready:
        reason = f"the containers of {few(unready)} run, and never become Ready"
        yield Idle(KUBELET, reason, held_up=True)
    elif len(up) < len(scene.nodes()):
        down = enumeration(name for name in scene.nodes() if name not in up)
        yield Idle(KUBELET, f"{down} cannot act while down; elsewhere all pods are as they should")
    else:
        yield Idle(KUBELET, "every pod on a node runs and is Ready")


def _node_lifecycle(scene: _Scene) -> Iterator[Idle]:
    unready = [name for name, node in scene.nodes().items() if not node.ready]
    spared = [name for name in unready if not scene.nodes()[name].evicting]
    if spared:
        reason = (
            f"{enumeration(spared)} may not be tainted NoExecute: so much of the zone is down that "
            "evictions stop"
        )
        yield Idle(NODE_LIFECYCLE, reason, held_up=True)
    elif unready:
        yield Idle(NODE_LIFECYCLE, f"{enumeration(unready)} has its taints already")
    else:
        yield Idle(NODE_LIFECYCLE, "the API shows every node Ready, as it is")


def _taint_eviction(_scene: _Scene) -> Iterator[Idle]:
    yield Idle(TAINT_EVICTION, "no pod is left that does not tolerate the taints of its node")


_IDLE: Mapping[str, Explainer] = MappingProxyType(
    {
        DEPLOYMENT: _deployments,
        REPLICASET: _replica_sets,
        SCHEDULER: _scheduler,
        KUBELET: _kubelet,
        NODE_LIFECYCLE: _node_lifecycle,
        TAINT_EVICTION: _taint_eviction,
    }
)
