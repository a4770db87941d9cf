"""What the controllers of nodes promise: NODE-*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.columns import (
    AILS,
    CORDONED,
    MACHINE,
    PODS,
    READY,
    REPORTED,
    SHAPE,
    SHOWN,
    UP,
)
from kubelemma.model.cluster.state import ACTIVE, Ailment, Phase, Pods, ShownNode, count
from kubelemma.model.cluster.world import World
from kubelemma.model.components.kubelet.actions import (
    END_POD,
    EVICT_SHORT,
    MEMORY_SHORT,
    NODE_SHUTDOWN,
    POWER_OFF,
    REMOVE_NODE,
)
from kubelemma.model.components.kubelet.decision.shutdown import SYSTEM_CRITICAL_PRIORITY
from kubelemma.model.components.kubelet.pressure import EVICTABLE
from kubelemma.model.components.nodelifecycle.actions import (
    REGISTER_NODE,
    TAINT_NO_EXECUTE,
)
from kubelemma.model.components.nodelifecycle.health import Health, is_silent, loses_pods
from kubelemma.model.components.nodelifecycle.rules import LIFECYCLE, Lifecycle
from kubelemma.model.components.scheduler.decision.resources import pod_requests
from kubelemma.model.components.tainteviction.actions import EVICT
from kubelemma.model.objects.pod import Pod
from kubelemma.model.scenario import Scenario
from kubelemma.model.system import View

from .formula import Converges, EachStep, Formula, StepPredicate
from .statement import ALL_NODES, Kind, Property, Severity, Statement, asked

_NODES = "https://kubernetes.io/docs/concepts/architecture/nodes/"
_TAINTS = (
    "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"
    "#taint-based-evictions"
)
_SHUTDOWN = "https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/"
_LIFECYCLE = "pkg/controller/nodelifecycle/node_lifecycle_controller.go"
_NONE = "None: this is an invariant of the controllers themselves. Please report it."

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        id="NODE-1",
        title="Silence is noticed",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "Once users and faults stop, a node of which nothing is heard is not Ready, nor is any "
            "pod on it."
        ),
        why="Services would go on sending requests to pods that nobody can reach.",
        conditions=(
            "Of pods: where the node was Ready before it fell silent. Those of a node whose Ready "
            "was False keep what they had, for nobody writes of them."
        ),
        source=f"{_NODES}#node-status; {_LIFECYCLE}",
        components=("node-lifecycle-controller",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="NODE-2",
        title="Pods leave unreachable nodes",
        kind=Kind.LIVENESS,
        severity=Severity.HIGH,
        statement=(
            "Once users and faults stop, no pod that does not tolerate it for ever is left "
            "undeleted on a node that is down, or whose kubelet reports that it cannot work."
        ),
        why="Until the old pod is deleted its ReplicaSet does not replace it.",
        conditions=(
            "The node's zone still evicts: not when all zones are disrupted, nor when more than "
            "two nodes of a zone of up to 50, and at least 55 % of them, are down."
        ),
        source=f"{_TAINTS}; pkg/controller/tainteviction/taint_eviction.go; {_LIFECYCLE}",
        components=("node-lifecycle-controller", "taint-eviction-controller"),
        remediation=(
            "None on the user's side: this is an invariant of the controllers themselves. How long "
            "a pod stays is for its toleration of node.kubernetes.io/unreachable (or not-ready) to "
            "say: with tolerationSeconds it leaves after that time, without it stays and is not "
            "asked about."
        ),
    ),
    Statement(
        id="NODE-3",
        title="Nothing is evicted while all zones are disrupted",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "As long as the node lifecycle controller takes all zones to be fully disrupted, it "
            "taints no node NoExecute."
        ),
        why=(
            "Where no node answers, the fault is rather the control plane's own, and all pods of "
            "the cluster would be deleted for it."
        ),
        conditions="It has to see all nodes first: until then it may go on.",
        source=f"{_NODES}#rate-limits-on-eviction; {_LIFECYCLE}",
        components=("node-lifecycle-controller",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="NODE-4",
        title="A taint that goes takes its evictions along",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A pod is evicted only from a node that carries, at that time, a NoExecute taint which "
            "the pod does not tolerate for ever."
        ),
        why="A node that was away for a minute would lose its pods five minutes later.",
        conditions="",
        source=f"{_TAINTS}; pkg/controller/tainteviction/taint_eviction.go",
        components=("taint-eviction-controller",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="NODE-5",
        title="A cordon outlasts its Node",
        kind=Kind.STEP,
        severity=Severity.MEDIUM,
        statement=(
            "No Node that was cordoned when somebody deleted it comes back open to new pods: its "
            "kubelet registers it with a taint that keeps them away."
        ),
        why=(
            "The Node that a kubelet registers is a new one: cordon, labels and taints that "
            "somebody gave to the old one are lost, and pods are bound to a machine that was to "
            "be left alone."
        ),
        conditions=(
            "Asked where somebody may delete a Node (deleteNode) and a kubelet may register it "
            "again. Taints of the input are taken to be those that the kubelet registers it with."
        ),
        source=(f"{_NODES}#self-registration-of-nodes; pkg/kubelet/kubelet_node_status.go"),
        components=("kubelet",),
        remediation=(
            "Stop the kubelet, or switch the machine off, before you delete the Node, and let "
            "nobody start it; or have it register with a taint (--register-with-taints, or "
            "registerWithTaints of its configuration), which whoever takes the node into service "
            "removes. A Node that is only to be left alone for a while need not be deleted: "
            "cordoned is enough."
        ),
    ),
    Statement(
        id="MEM-1",
        title="Who keeps to its memory goes last",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A kubelet that is short of memory evicts no pod that is critical to the system, none "
            "of higher priority than another that requests no memory, and none that cannot use "
            "more than it requests while one that requests none is there."
        ),
        why="Requests are what a pod can count on, and priorities say who matters.",
        conditions=(
            "Asked where a node may be short of memory (memoryPressure). Critical is a priority of "
            "2000000000 or more. Nobody knows what pods use; who requests nothing uses more."
        ),
        source=(
            "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"
            "#pod-selection-for-kubelet-eviction; pkg/kubelet/eviction/helpers.go"
        ),
        components=("kubelet",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="SHUT-1",
        title="Critical pods end last",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "While a machine is shut down gracefully, a pod that is critical to the system ends "
            "only once no other pod is left on its node."
        ),
        why="What other pods need to end in order, such as DNS or logging, is there until then.",
        conditions=(
            "Asked where a machine may be shut down (nodeShutdown). Critical is a priority of "
            "2000000000 or more. Of the kubelet's default groups."
        ),
        source=f"{_SHUTDOWN}; pkg/kubelet/nodeshutdown/nodeshutdown_manager.go",
        components=("kubelet",),
        remediation=_NONE,
        defect_only=True,
    ),
    Statement(
        id="SHUT-2",
        title="Off once all has ended",
        kind=Kind.STEP,
        severity=Severity.HIGH,
        statement=(
            "A machine that is shut down gracefully goes off only once the API shows its node not "
            "Ready, and no pod runs on it."
        ),
        why="Whatever still ran would be killed without its grace.",
        conditions=(
            "Asked where a machine may be shut down (nodeShutdown). Pods are taken to end within "
            "the time that the kubelet has for it."
        ),
        source=f"{_SHUTDOWN}; pkg/kubelet/nodeshutdown/nodeshutdown_manager.go",
        components=("kubelet",),
        remediation=_NONE,
        defect_only=True,
    ),
)


def formulas(scenario: Scenario) -> Iterator[Property]:
    """What is asked of all nodes."""
    if scenario.world.classes:
        yield from asked(STATEMENTS, ALL_NODES, _formulas(scenario.world))
    if any(event.action == REMOVE_NODE for event in scenario.events):
        view = View((SHAPE, MACHINE, CORDONED))
        closed = EachStep(view, _stays_closed(scenario.world), frozenset({REGISTER_NODE}))
        yield from asked(STATEMENTS, ALL_NODES, {"NODE-5": closed})

    if any(event.action == NODE_SHUTDOWN for event in scenario.events):
        last = EachStep(View((PODS,)), _critical_last(scenario.world), frozenset({END_POD}))
        off = EachStep(View((AILS, READY, PODS)), _ended, frozenset({POWER_OFF}))
        yield from asked(STATEMENTS, ALL_NODES, {"SHUT-1": last, "SHUT-2": off})

    if any(event.action == MEMORY_SHORT for event in scenario.events):
        ranked = EachStep(View((PODS,)), _ranked(scenario.world), frozenset({EVICT_SHORT}))
        yield from asked(STATEMENTS, ALL_NODES, {"MEM-1": ranked})


def _ranked(world: World) -> StepPredicate:
    """Whether the pod that a kubelet evicts is one that has to go before others."""
    priority = [found.pod.spec.priority or 0 for found in world.classes]
    requests = [pod_requests(found.pod).get("memory", 0) for found in world.classes]
    spared = [priority_of >= SYSTEM_CRITICAL_PRIORITY for priority_of in priority]
    within = [_keeps_within(found.pod) for found in world.classes]

    def holds(before: tuple[Pods], _action: str, after: tuple[Pods]) -> bool | None:
        (pods,), (now,) = before, after
        if pods == now:
            return None
        (gone,) = (
            c.index
            for c in world.classes
            if count(now, c.index, EVICTABLE) < count(pods, c.index, EVICTABLE)
        )
        greedy = [
            c.index
            for c in world.classes
            if not requests[c.index] and not spared[c.index] and count(pods, c.index, EVICTABLE)
        ]
        return not (
            spared[gone]
            or any(priority[gone] > priority[other] for other in greedy)
            or (within[gone] and bool(greedy))
        )

    return holds


def _keeps_within(pod: Pod) -> bool:
    """Whether each container requests the memory that it is limited to."""
    found = [container.resources for container in pod.spec.containers or ()]
    return all(
        each is not None
        and "memory" in (each.limits or {})
        and (each.requests or {}).get("memory") == (each.limits or {})["memory"]
        for each in found
    )


def _critical_last(world: World) -> StepPredicate:
    """Whether a pod that ends is critical only where no other is left."""
    critical = frozenset(
        found.index
        for found in world.classes
        if (found.pod.spec.priority or 0) >= SYSTEM_CRITICAL_PRIORITY
    )

    def holds(before: tuple[Pods], _action: str, after: tuple[Pods]) -> bool | None:
        (pods,), (now,) = before, after
        if pods == now:
            return None
        left = [g for g in now if g.phase != Phase.FAILED]
        ends = sum(g.size for g in pods if g.phase != Phase.FAILED and g.pod_class in critical)
        still = sum(g.size for g in left if g.pod_class in critical)
        return still == ends or all(g.pod_class in critical for g in left)

    return holds


def _ended(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
    (ails, ready, pods), (now, *_) = before, after
    if ails == now:
        return None
    return not ready and all(group.phase == Phase.FAILED for group in pods)


def _stays_closed(world: World) -> StepPredicate:
    """Whether a Node that was cordoned is registered with a taint that keeps pods away."""

    def holds(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        (shape, machine, cordoned), (_, now, _) = before, after
        if machine == now or not cordoned:
            return None
        taints = world.shapes[shape].node.spec.taints or ()
        return any(taint.effect in ("NoSchedule", "NoExecute") for taint in taints)

    return holds


def _formulas(world: World) -> dict[str, Formula]:
    """The formulas about all nodes, by property."""
    names = world.zones()

    def noticed(up: bool, ails: Ailment, ready: bool, said: Ailment, pods: Pods) -> bool:  # noqa: FBT001
        if not is_silent(up, ails):
            return True
        shown = any(g.phase in (Phase.READY, Phase.AVAILABLE) for g in pods)
        return not ready and not (shown and loses_pods(Health(ready, said)))

    def left(shape: int, up: bool, ails: Ailment, pods: Pods, memory: Lifecycle) -> bool:  # noqa: FBT001
        if up or not memory.evicts(names.index(world.shapes[shape].zone)):
            return True
        wrong = Ailment.NOT_READY if ails else Ailment.UNREACHABLE
        return not any(
            Phase(g.phase) in ACTIVE and not world.tolerates(g.pod_class, wrong) for g in pods
        )

    def spares(before: tuple[Lifecycle], _action: str, _after: tuple[Lifecycle]) -> bool:
        (memory,) = before
        return not memory.all_disrupted

    def due(before: tuple[Any, ...], _action: str, after: tuple[Any, ...]) -> bool | None:
        node, then = ShownNode(*before), ShownNode(*after)
        evicted = [
            g.pod_class
            for g in node.pods
            if Phase(g.phase) in ACTIVE
            and count(then.pods, g.pod_class, ACTIVE) < count(node.pods, g.pod_class, ACTIVE)
        ]
        if not evicted:
            return None
        return all(world.evicted_after(pod_class, node) is not None for pod_class in evicted)

    return {
        "NODE-1": Converges(View((UP, AILS, READY, REPORTED, PODS)), noticed),
        "NODE-2": Converges(View((SHAPE, UP, AILS, PODS, LIFECYCLE)), left),
        "NODE-3": EachStep(View((LIFECYCLE,)), spares, frozenset({TAINT_NO_EXECUTE})),
        "NODE-4": EachStep(View(SHOWN), due, frozenset({EVICT})),
    }
