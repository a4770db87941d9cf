"""What a decision rests on: what the actor read before a step, with its values and their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from kubelemma.model.cluster.state import (
    ACTIVE,
    ADMITTED,
    Counts,
    DeploymentState,
    Marks,
    NodeState,
    Queue,
    SetState,
    Sync,
    Verb,
)
from kubelemma.model.cluster.world import NODES, PodClass, Workload
from kubelemma.model.components.replicaset.rules import Owned, owned_name
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.model.manifests.problems import Position
from kubelemma.model.objects.pod import Pod
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import State
from kubelemma.reports.story import Fact
from kubelemma.solver.result import TraceStep

from .bounds import bounds_of
from .cast import node_name, replica_set_name
from .custom import read_by
from .picture import PHASES, amount_text, usages
from .written import Written


class Scene(NamedTuple):
    """A step, the state before it, and what it is about."""

    scenario: Scenario
    before: State
    step: TraceStep
    written: Written

    def argument(self, name: str) -> int:
        """A number among the step's arguments, -1 where there is none."""
        return int(str(dict(self.step.outcome.arguments).get(name, -1)))

    @property
    def pod_class(self) -> PodClass | None:
        """The class of the pods that the step is about."""
        index = self.argument("class")
        return self.scenario.world.classes[index] if index >= 0 else None

    @property
    def workload(self) -> Workload | None:
        """The workload that the step is about."""
        workloads = self.scenario.world.workloads
        if self.pod_class is not None:
            return workloads[self.pod_class.workload]
        positions = self.scenario.system.positions
        touched = (
            w for w in workloads if {positions[c].start for c in w.cells} & {*self.step.positions}
        )
        return next(touched, None)

    @property
    def template(self) -> int:
        """The template of the ReplicaSet or the pods that the step is about, -1 for none."""
        return self.pod_class.template if self.pod_class is not None else self.argument("template")

    @property
    def node(self) -> tuple[str, NodeState] | None:
        """The node that the step is about, as it was before, by name."""
        nodes = self.scenario.system.positions[NODES]
        touched = (p for p in self.step.positions if p in nodes)
        return next(((node_name(self.scenario, p), self.before[p]) for p in touched), None)

    def deployment(self, workload: Workload) -> DeploymentState:
        """What the API had of a Deployment."""
        found: DeploymentState = self.before[self.scenario.system.positions[workload.cell].start]
        return found

    def counts(self, workload: Workload, what: str) -> Counts:
        """One of the sums of a workload by template."""
        found: Counts = self.scenario.system.summary(self.before)[workload.tally(what)]
        return found

    def set_name(self, workload: Workload, template: int) -> str:
        """The name of a ReplicaSet."""
        return replica_set_name(self.scenario, workload, template)


Teller: TypeAlias = Callable[[Scene], Iterator[Fact]]


def facts(scene: Scene) -> tuple[Fact, ...]:
    """What the actor read; nothing for users and faults, and for actions not known here."""
    if read := tuple(read_by(scene.scenario, scene.before, scene.step)):
        return read
    tell = _TELLERS.get(scene.step.outcome.action)
    return tuple(tell(scene)) if tell is not None and not scene.step.environment else ()


# The Deployment controller


def _sizing(scene: Scene) -> Iterator[Fact]:
    workload = scene.workload
    if workload is None:
        return
    deployment = scene.deployment(workload)
    if deployment.plan:
        yield from _planned(scene, workload, deployment)
        return
    yield from _asked(scene, workload, deployment)
    for replica_set in deployment.sets:
        yield _set_fact(scene, workload, replica_set)
    if not workload.recreate:
        yield from _rolling(scene, workload, deployment)


def _asked(scene: Scene, workload: Workload, deployment: DeploymentState) -> Iterator[Fact]:
    """What the Deployment's own specification says."""
    if workload.recreate:
        replicas = deployment.replicas
        position = scene.written.replicas(workload, replicas)
        yield Fact("spec.replicas", str(replicas), position)
        yield Fact(
            "spec.strategy.type",
            "Recreate",
            scene.written.at(workload, "spec", "strategy", "type"),
        )
    else:
        yield from bounds_of(scene.written, workload, deployment.replicas).facts
    if deployment.paused:
        yield Fact("spec.paused", "true", scene.written.at(workload, "spec", "paused"))


def _set_fact(scene: Scene, workload: Workload, replica_set: SetState) -> Fact:
    sized = ""
    if replica_set.replicas and replica_set.desired != scene.deployment(workload).replicas:
        sized = f", sized when spec.replicas was {replica_set.desired}"
    return Fact(
        f"ReplicaSet {scene.set_name(workload, replica_set.template)}",
        f"spec.replicas {replica_set.replicas}{sized}, {replica_set.status_available} available "
        "by its status",
    )


def _rolling(scene: Scene, workload: Workload, deployment: DeploymentState) -> Iterator[Fact]:
    """The bound that allows the step: for growing the surge, for shrinking what is available."""
    bounds = bounds_of(scene.written, workload, deployment.replicas)
    total = sum(s.replicas for s in deployment.sets)
    if scene.template == deployment.template:
        room = bounds.most - total
        yield Fact(
            "room to grow",
            f"{max(room, 0)} (spec.replicas {bounds.replicas} + maxSurge {bounds.surge} - {total} "
            "asked for in all)",
        )
        return
    new = deployment.current()
    lacking = new.replicas - new.status_available if new else 0
    available = sum(s.status_available for s in deployment.sets)
    yield Fact(
        "room to shrink",
        f"{total - bounds.least - lacking} ({total} asked for - {bounds.least} that must stay "
        f"available - {lacking} new ones not available yet)",
    )
    yield Fact(
        "available to spare", f"{available - bounds.least} ({available} available - {bounds.least})"
    )


def _planned(scene: Scene, workload: Workload, deployment: DeploymentState) -> Iterator[Fact]:
    for write in deployment.plan:
        name = scene.set_name(workload, write.template)
        sized = write.verb in (Verb.CREATE, Verb.RESIZE)
        then = f"spec.replicas {write.replicas}, when the Deployment's was {write.desired}"
        other = "to delete it" if write.verb == Verb.DELETE else "to make it the newest revision"
        yield Fact(f"decided before for ReplicaSet {name}", then if sized else other)


def _revisions(scene: Scene) -> Iterator[Fact]:
    if scene.workload is not None:
        for replica_set in scene.deployment(scene.workload).sets:
            name = scene.set_name(scene.workload, replica_set.template)
            yield Fact(f"revision of ReplicaSet {name}", str(replica_set.revision))


def _history(scene: Scene) -> Iterator[Fact]:
    yield from _revisions(scene)
    if scene.workload is not None:
        yield Fact(
            "revisionHistoryLimit",
            str(scene.workload.revision_history_limit),
            scene.written.at(scene.workload, "spec", "revisionHistoryLimit"),
        )


# The ReplicaSet controller


def _counted(scene: Scene) -> Iterator[Fact]:
    workload = scene.workload
    if workload is None:
        return
    size = next((s for s in _sets(scene, workload) if s.template == scene.template), None)
    name = scene.set_name(workload, scene.template)
    if size is not None:
        yield Fact(f"spec.replicas of ReplicaSet {name}", str(size.replicas))
    yield Fact("active pods", str(scene.counts(workload, "active")[scene.template]))


def _sets(scene: Scene, workload: Workload) -> tuple[SetState, ...]:
    return scene.deployment(workload).sets


def _sync(scene: Scene) -> Iterator[Fact]:
    """What is left of the sync that creates or deletes."""
    workload = scene.workload
    if workload is None:
        return
    yield Fact("active pods", str(scene.counts(workload, "active")[scene.template]))
    deleting = scene.step.outcome.action == "delete-pod"
    left = _owned(scene, workload).chosen if deleting else _sync_of(scene, workload).adds
    yield Fact(f"left to {'delete' if deleting else 'create'}", str(left))
    if scene.step.outcome.action == "create-pod" and scene.pod_class and scene.pod_class.node_name:
        position = scene.written.template(workload, ("nodeName",))
        yield Fact("nodeName of the template", scene.pod_class.node_name, position)


def _sync_of(scene: Scene, workload: Workload) -> Sync:
    positions = scene.scenario.system.positions
    found: Sync = scene.before[positions[workload.sync(scene.template)].start]
    return found


def _owned(scene: Scene, workload: Workload) -> Owned:
    name = owned_name(workload, scene.template)
    found: Owned = scene.scenario.system.summary(scene.before)[name]
    return found


def _choice(scene: Scene) -> Iterator[Fact]:
    """What is chosen from: all active pods of the ReplicaSet that are not chosen yet, by phase."""
    workload = scene.workload
    if workload is None or scene.pod_class is None:
        return
    queue: Queue = scene.before[scene.scenario.system.positions[workload.queue].start]
    if queue.free[scene.template]:
        yield Fact("pods without a node", str(queue.free[scene.template]))
    for position in scene.scenario.system.positions[NODES]:
        node: NodeState = scene.before[position]
        for group in node.pods:
            own = group.pod_class == scene.pod_class.index
            if own and group.phase in ACTIVE and not group.marks & Marks.CHOSEN:
                name = f"{PHASES[group.phase]} on {node_name(scene.scenario, position)}"
                yield Fact(name, str(group.size))


def _status(scene: Scene) -> Iterator[Fact]:
    workload = scene.workload
    if workload is None:
        return
    counted = _sync_of(scene, workload).status
    if counted is not None:
        yield Fact("available pods when its sync counted them", str(counted.available))
    yield Fact("active pods", str(scene.counts(workload, "active")[scene.template]))
    yield Fact("available pods", str(scene.counts(workload, "available")[scene.template]))
    for replica_set in _sets(scene, workload):
        if replica_set.template == scene.template:
            yield Fact("available by the status so far", str(replica_set.status_available))
    seconds = scene.scenario.world.classes[workload.classes[scene.template]].min_ready_seconds
    if seconds:
        position = scene.written.at(workload, "spec", "minReadySeconds")
        yield Fact("minReadySeconds", str(seconds), position)


# The scheduler and the kubelets


def requests(pod: Pod) -> str:
    """What a pod asks for, such as ``cpu 500m, memory 64Mi``."""
    asked = fit_request(pod)
    return ", ".join(f"{name} {amount_text(name, n)}" for name, n in asked.items() if n) or "none"


def _binding(scene: Scene) -> Iterator[Fact]:
    if scene.workload is not None and scene.pod_class is not None:
        position = scene.written.requests(scene.workload)
        yield Fact("requests of the pod", requests(scene.pod_class.pod), position)


def _admission(scene: Scene) -> Iterator[Fact]:
    yield from _binding(scene)
    if scene.node is not None and scene.pod_class is not None:
        name, node = scene.node
        asked = {*fit_request(scene.pod_class.pod), "pods"}
        for used in usages(scene.scenario.world.node_info(node, ADMITTED)):
            if used.resource in asked:
                value = f"{used.requested} of {used.allocatable}"
                yield Fact(f"{used.resource} of admitted pods on {name}", value)


def _readiness(scene: Scene) -> Iterator[Fact]:
    if scene.workload is not None and scene.pod_class is not None:
        seconds = scene.pod_class.min_ready_seconds
        position = scene.written.at(scene.workload, "spec", "minReadySeconds")
        yield Fact("minReadySeconds", str(seconds), position if seconds else None)


# The node controllers


def _zone(scene: Scene) -> Iterator[Fact]:
    """How many nodes of each zone the API shows Ready: it decides whether pods are evicted."""
    ready: dict[str, list[bool]] = {}
    for position in scene.scenario.system.positions[NODES]:
        node: NodeState = scene.before[position]
        zone = scene.scenario.world.shapes[node.shape].zone
        ready.setdefault(zone, []).append(node.ready)
    for zone, nodes in sorted(ready.items()):
        name = f"Ready nodes of zone {zone}" if zone else "Ready nodes"
        yield Fact(name, f"{sum(nodes)} of {len(nodes)}")


def _condition(scene: Scene) -> Iterator[Fact]:
    if scene.node is not None:
        name, node = scene.node
        yield Fact(f"condition Ready of {name}", "True" if node.ready else "Unknown")


def _eviction(scene: Scene) -> Iterator[Fact]:
    if scene.node is None or scene.pod_class is None or scene.workload is None:
        return
    world, (name, node) = scene.scenario.world, scene.node
    taints = [t for t in world.node(node).spec.taints or () if t.effect == "NoExecute"]
    for taint in taints:
        value = f"={taint.value}" if taint.value else ""
        yield Fact(f"taint on {name}", f"{taint.key}{value}:{taint.effect}")
    seconds = world.evicted_after(scene.pod_class.index, node)
    yield Fact("tolerated by the pod", f"for {seconds} s" if seconds else "no", _tolerations(scene))


def _tolerations(scene: Scene) -> Position | None:
    return scene.written.template(scene.workload, ("tolerations",)) if scene.workload else None


_TELLERS: Mapping[str, Teller] = MappingProxyType(
    {
        "create-replicaset": _sizing,
        "scale-replicaset": _sizing,
        "annotate-revision": _revisions,
        "delete-replicaset": _history,
        "give-up-sync": _sizing,
        "decide": _counted,
        "count-pods": _status,
        "choose-pod": _choice,
        "choose-pending-pods": _choice,
        "create-pod": _sync,
        "delete-pod": _sync,
        "write-status": _status,
        "bind": _binding,
        "admit": _admission,
        "reject": _admission,
        "become-ready": _readiness,
        "become-available": _readiness,
        "taint-no-execute": _zone,
        "untaint": _zone,
        "judge-zones": _zone,
        "taint-no-schedule": _condition,
        "pod-unready": _condition,
        "evict": _eviction,
    }
)
