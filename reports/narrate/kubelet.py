"""Kubelets, their machines and the containers on them, as stories and pictures tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubelemma.model.cluster.machines import Memory
from kubelemma.model.cluster.snapshot import Place
from kubelemma.model.cluster.state import ACTIVE, ADMITTED, UNSTARTED, Ailment, NodeState, Phase
from kubelemma.model.cluster.world import Behaviour, Workload
from kubelemma.model.components.kubelet.actions import (
    ADMIT,
    BECOME_AVAILABLE,
    BECOME_READY,
    CONTAINER_CRASH,
    CREATE_CONFIG_MAP,
    CREATE_SECRET,
    DELETE_CONFIG_MAP,
    DELETE_SECRET,
    END_POD,
    EVICT_SHORT,
    FINISH_TERMINATION,
    FORCE_DELETE_POD,
    KILL,
    LATE_CLEANUP,
    MEMORY_EASES,
    MEMORY_FREED,
    MEMORY_SHORT,
    MOUNT,
    NODE_CRASH,
    NODE_PARTITION,
    NODE_RETURN,
    NODE_SHUTDOWN,
    POWER_OFF,
    PROBE_FAILURE,
    REFUSE_RESIZE,
    REGISTRY_OUTAGE,
    REGISTRY_RETURN,
    REJECT,
    REPORT_MEMORY,
    RESIZE,
    RESIZE_POD,
    START,
    UNMOUNT,
)
from kubelemma.model.components.kubelet.decision import never_ready
from kubelemma.model.components.kubelet.rules import KUBELET
from kubelemma.model.components.nodelifecycle.health import ailment_of
from kubelemma.model.components.podgc.rules import ENDING
from kubelemma.model.components.scheduler.decision.node_resources import fit_request
from kubelemma.reports.story import Fact, Hindrance, Idle, NodeReview
from kubelemma.reports.style import enumeration, few

from .amounts import requests, usages
from .causes import event, given
from .overcommitted import too_little
from .resizing import asked, unresized, unsettled
from .scene import Scene, Standstill, about_workload
from .starting import (
    asked_in_vain,
    begun,
    impatience,
    killed,
    left_waiting,
    missing,
    named,
    needed,
    too_early,
    unstarted,
)
from .teller import Teller, Waits
from .volumes import lacking


@about_workload
def _admission(scene: Scene, workload: Workload) -> Iterator[Fact]:
    if scene.pod_class is None:
        return
    pod = scene.pod_class.pod
    yield Fact("requests of the pod", requests(pod), scene.written.requests(workload))
    if scene.node is not None:
        name, node = scene.node
        asked = {*fit_request(pod), "pods"}
        for used in usages(scene.world.node_info(node, ADMITTED)):
            if used.resource in asked:
                value = f"{used.requested} of {used.allocatable}"
                yield Fact(f"{used.resource} of admitted pods on {name}", value)


@about_workload
def _readiness(scene: Scene, workload: Workload) -> Iterator[Fact]:
    if scene.pod_class is not None:
        seconds = scene.pod_class.min_ready_seconds
        position = scene.written.at(workload, "spec", "minReadySeconds")
        yield Fact("minReadySeconds", str(seconds), position if seconds else None)


def _fields(node: NodeState) -> Iterator[tuple[str, str]]:
    yield "machine", _machine(node)
    if node.memory != Memory.ENOUGH:
        yield "memory", _MEMORY[Memory(node.memory)]


_MEMORY = {Memory.SHORT: "short", Memory.EASED: "was short"}


def _machine(node: NodeState) -> str:
    if node.up:
        return "up"
    if node.ails:
        shutting = node.ails & Ailment.SHUTTING_DOWN
        return "shutting down" if shutting else "without its container runtime"
    return "cut off" if node.runs else "down"


def _conditions(node: NodeState) -> Iterator[str]:
    if not node.up:
        yield _machine(node)
    if node.memory == Memory.SHORT:
        yield "short of memory"


def _comes_back(scene: Scene) -> str:
    """How a node comes back: from a crash, or from having been cut off."""
    cut_off = scene.node is not None and scene.node[1].runs
    return "can be reached again" if cut_off else "boots again"


def _waits(end: Standstill, place: Place) -> Waits | None:
    """Why a pod on a node is not available, and will not be."""
    if not place.node:
        return None
    if not end.seen.nodes()[place.node].up:
        what = "end" if place.phase in ENDING else "become Ready"
        machine = _machine(end.seen.nodes()[place.node])
        return f"it cannot {what}: {place.node} is {machine}, and need not come back.", ()
    missing = tuple(lacking(end.seen, place.pod_class, place.node))
    if place.phase in (Phase.STARTING, *UNSTARTED) and missing:
        return f"it is in ContainerCreating on {place.node}: {'; '.join(missing)}.", ()
    if place.phase in UNSTARTED:
        return f"its containers are not started on {place.node}: {unstarted(end, place)}.", ()
    if end.world.classes[place.pod_class].behaviour is Behaviour.POST_START_FAILS:
        why = "its postStart hook fails, so its containers are killed and started again for ever"
        return f"{why}: they never become Ready on {place.node} (the scenario says so).", ()
    unasked = never_ready(end.world.classes[place.pod_class].pod)
    if unasked is not None:
        why = f"its containers run on {place.node} and never become Ready: {unasked.reason}"
        return f"{why}.", ()
    if end.world.classes[place.pod_class].behaviour is Behaviour.GATE_NEVER_TRUE:
        gates = end.world.classes[place.pod_class].pod.spec.readiness_gates or ()
        named = enumeration(gate.condition_type for gate in gates)
        why = f"its containers run on {place.node}, and nobody sets {named} of its readiness gates"
        return f"{why} to True: it is never Ready (the scenario says so).", ()
    words = f"its containers run on {place.node} and never become Ready: the scenario says so."
    return words, ()


def _idle(end: Standstill) -> Iterator[Idle]:
    nodes = end.seen.nodes()
    up = {name for name, node in nodes.items() if node.up}
    places = [
        (place, pods)
        for place, pods in sorted(end.last.names.items())
        if place.node in up and place.phase in (Phase.STARTING, *UNSTARTED)
    ]
    without = {p for p, _ in places if any(lacking(end.seen, p.pod_class, p.node))}
    waiting = [pod for place, pods in places for pod in pods if place in without]
    unready = [
        pod
        for place, pods in places
        for pod in pods
        if place not in without and place.phase == Phase.STARTING
    ]
    held_up = [
        (unstarted(end, place), pod)
        for place, pods in sorted(end.last.names.items())
        if place.node in up and place.phase in UNSTARTED and place not in without
        for pod in pods
    ]
    if waiting:
        reason = f"the volumes of {few(waiting)} are not attached, so no container starts"
        yield Idle(KUBELET, reason, held_up=True)
    elif held_up:
        why, names = held_up[0][0], [pod for _, pod in held_up]
        reason = f"the containers of {few(names)} are not started: {why}"
        yield Idle(KUBELET, reason, held_up=True)
    elif unready:
        reason = f"the containers of {few(unready)} run, and never become Ready"
        yield Idle(KUBELET, reason, held_up=True)
    elif len(up) < len(nodes):
        down = enumeration(name for name in nodes if name not in up)
        yield Idle(KUBELET, f"{down} cannot act while down; elsewhere all pods are as they should")
    else:
        why = unsettled(end) or "every pod on a node runs and is Ready"
        yield Idle(KUBELET, why, held_up=why.startswith("resizes"))


def _hinders(end: Standstill, place: Place, _reviews: Sequence[NodeReview]) -> Iterator[Fact]:
    """That its machine is down, and what keeps it there."""
    if not place.node:
        return
    node = end.seen.nodes()[place.node]
    if node.up:
        yield from missing(end, place)
        yield from asked_in_vain(end, place)
        return
    yield Fact(Hindrance.MACHINE, place.node)
    if node.ails and not node.ails & Ailment.SHUTTING_DOWN:
        yield Fact(Hindrance.RUNTIME, place.node)
    stays = place.phase in ACTIVE and end.world.tolerates(place.pod_class, ailment_of(node))
    if stays and node.evicting:
        workload = end.world.workloads[end.world.classes[place.pod_class].workload]
        position = end.written.template(workload, ("tolerations",))
        yield Fact(Hindrance.FOR_EVER, "without tolerationSeconds", position)


TELLER = Teller(
    name="kubelet",
    hinders=_hinders,
    sentences={
        # Faults
        NODE_CRASH: "{node} crashes",
        NODE_PARTITION: "{node} is cut off from all others",
        FORCE_DELETE_POD: "deletes {pod} of {node} by force",
        NODE_RETURN: "{node} {comes_back}",
        NODE_SHUTDOWN: "{node} is shut down",
        MEMORY_SHORT: "{node} is short of memory",
        PROBE_FAILURE: "{pod} on {node} stops being Ready",
        LATE_CLEANUP: "{pod} on {node} has ended, and is not cleaned up yet",
        DELETE_CONFIG_MAP: "deletes {object}",
        DELETE_SECRET: "deletes {object}",
        CREATE_CONFIG_MAP: "creates {object}",
        CREATE_SECRET: "creates {object}",
        REGISTRY_OUTAGE: "the registry cannot be reached",
        REGISTRY_RETURN: "the registry can be reached again",
        # The kubelet and its containers
        CONTAINER_CRASH: "{pod} on {node} crashes",
        ADMIT: "on {node} admits {pod}",
        REJECT: "on {node} rejects {pod}",
        KILL: "on {node} kills the containers of {pod} while they start",
        START: "on {node} starts the containers of {pod}",
        BECOME_READY: "on {node} reports {pod} Ready",
        BECOME_AVAILABLE: "{pod} on {node} becomes available",
        FINISH_TERMINATION: "on {node} removes {pod}, which has terminated",
        MOUNT: "on {node} mounts {volume}",
        UNMOUNT: "on {node} unmounts {volume}",
        RESIZE: "asks to resize {pod} on {node}",
        RESIZE_POD: "on {node} resizes {pod}",
        REFUSE_RESIZE: "on {node} says that {pod} cannot be resized",
        END_POD: "on {node} ends {pod}",
        POWER_OFF: "on {node} lets the machine go off",
        EVICT_SHORT: "on {node} evicts {pod} for want of memory",
        MEMORY_FREED: "on {node} has memory enough again",
        REPORT_MEMORY: "on {node} reports MemoryPressure",
        MEMORY_EASES: "on {node} reports MemoryPressure no more",
    },
    words={"comes_back": _comes_back, "object": named},
    facts={
        START: needed,
        KILL: impatience,
        ADMIT: _admission,
        REJECT: _admission,
        RESIZE: asked,
        RESIZE_POD: asked,
        REFUSE_RESIZE: asked,
        BECOME_READY: _readiness,
        BECOME_AVAILABLE: _readiness,
    },
    causes={
        NODE_CRASH: event("nodeCrash"),
        NODE_PARTITION: event("nodePartition"),
        FORCE_DELETE_POD: event("forceDeletePod"),
        NODE_RETURN: event("nodeReturn", "nodeCrash", "nodePartition", "nodeShutdown"),
        NODE_SHUTDOWN: event("nodeShutdown"),
        MEMORY_SHORT: event("memoryPressure"),
        PROBE_FAILURE: event("probeFailure"),
        LATE_CLEANUP: event("lateCleanup"),
        RESIZE: event("resize"),
        DELETE_CONFIG_MAP: event("deleteConfigMap"),
        DELETE_SECRET: event("deleteSecret"),
        CREATE_CONFIG_MAP: event("createConfigMap"),
        CREATE_SECRET: event("createSecret"),
        KILL: given("startSeconds"),
        REGISTRY_OUTAGE: event("registryOutage"),
        REGISTRY_RETURN: event("registryReturn", "registryOutage"),
    },
    ends={REJECT: "Failed", END_POD: "Failed", EVICT_SHORT: "Failed, Evicted"},
    fields=_fields,
    conditions=_conditions,
    idle=_idle,
    waits=_waits,
    claims={
        "KUB-3": too_early,
        "KUB-7": too_little(ADMITTED),
        "KUB-8": begun,
        "KUB-5": left_waiting,
        "KUB-9": left_waiting,
        "KUB-10": killed,
        "KUB-15": unresized,
    },
)
