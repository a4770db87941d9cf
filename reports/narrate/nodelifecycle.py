"""The node lifecycle controller, and what the API shows of nodes."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.machines import NODELESS
from kubelemma.model.cluster.state import ACTIVE, NodeState, Phase
from kubelemma.model.cluster.world import AILMENT_KEYS
from kubelemma.model.components.kubelet.actions import REMOVE_NODE, RUNTIME_OUTAGE, RUNTIME_RETURN
from kubelemma.model.components.nodelifecycle.actions import (
    API_SERVER_OUTAGE,
    CATCH_UP,
    JUDGE_ZONES,
    KNOW_NODES,
    NODE_NOT_READY,
    NODE_READY,
    NODE_UNKNOWN,
    POD_UNREADY,
    REGISTER_NODE,
    SWAP_NO_EXECUTE,
    SWAP_NO_SCHEDULE,
    TAINT_NO_EXECUTE,
    TAINT_NO_SCHEDULE,
    UNTAINT,
)
from kubelemma.model.components.nodelifecycle.health import Health, ailment_of, is_silent
from kubelemma.model.components.nodelifecycle.rules import NODE_LIFECYCLE
from kubelemma.reports.story import Fact, Idle
from kubelemma.reports.style import enumeration, plural

from .causes import event, faults
from .differing import NONE
from .names import owner_name
from .phases import SHOWN_READY
from .scene import Belied, Claim, Scene, Standstill
from .teller import Teller


def _zone(scene: Scene) -> Iterator[Fact]:
    """How many nodes of each zone the API shows Ready: it decides whether pods are evicted."""
    ready: dict[str, list[bool]] = {}
    for node in scene.before.nodes().values():
        if node.machine in NODELESS:
            continue
        ready.setdefault(scene.world.shapes[node.shape].zone, []).append(node.ready)
    for zone, nodes in sorted(ready.items()):
        name = f"Ready nodes of zone {zone}" if zone else "Ready nodes"
        yield Fact(name, f"{sum(nodes)} of {len(nodes)}")


def _condition(scene: Scene) -> Iterator[Fact]:
    if scene.node is not None:
        name, node = scene.node
        yield Fact(f"condition Ready of {name}", _ready(node))


def _unseen(scene: Scene) -> Iterator[str]:
    """Nodes that are down while the API shows them Ready, where the step counts on them."""
    classes = {index for workload in scene.rewritten for index in workload.classes}
    after = scene.after.nodes()
    for name, node in scene.before.nodes().items():
        unnoticed = not (node.up or node.ails) and node.ready and after[name].ready
        counts = any(g.pod_class in classes and g.phase in SHOWN_READY for g in node.pods)
        if unnoticed and (counts or name in scene.node_names):
            yield f"{name} is down; the API still shows it Ready"


def _fields(node: NodeState) -> Iterator[tuple[str, str]]:
    yield "Ready", _ready(node)
    yield "taints", _taints(node)


def _ready(node: NodeState) -> str:
    if node.machine in NODELESS:
        return NONE
    return Health(node.ready, node.reported).status


def _taints(node: NodeState) -> str:
    effects = (("NoSchedule", node.tainted), ("NoExecute", node.evicting))
    parts = []
    for ailment, key in AILMENT_KEYS.items():
        own = [name for name, ailments in effects if ailments & ailment]
        if own:
            parts.append(f"{key.rpartition('/')[2]}:{','.join(own)}")
    return " ".join(parts) or NONE


def _conditions(node: NodeState) -> Iterator[str]:
    if not node.ready and node.machine not in NODELESS:
        yield "NotReady" if _ready(node) == "False" else "Unknown"
    if node.tainted:
        yield "NoSchedule"
    if node.evicting:
        yield "NoExecute"


def _idle(end: Standstill) -> Iterator[Idle]:
    nodes = {name: n for name, n in end.seen.nodes().items() if n.machine not in NODELESS}
    unready = [name for name, node in nodes.items() if not node.ready]
    spared = [name for name in unready if not nodes[name].evicting]
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


def _machine(node: NodeState) -> str:
    return "without its container runtime" if node.ails else "down"


def _left_behind(belied: Belied) -> Iterator[Claim]:
    world = belied.world
    for name, node in belied.seen.nodes().items():
        held = [
            group
            for group in node.pods
            if Phase(group.phase) in ACTIVE
            and not world.tolerates(group.pod_class, ailment_of(node))
        ]
        if held and not node.up:
            pods = sum(group.size for group in held)
            yield Claim(
                f"{name} is {_machine(node)}, and {plural(pods, 'pod')} on it will not be deleted",
                (
                    Fact(f"machine of {name}", _machine(node)),
                    Fact(f"Ready of {name}", _ready(node)),
                    Fact(f"taint NoExecute on {name}", "present" if node.evicting else "absent"),
                    *(Fact(f"pods of {owner_name(world, g.pod_class)}", str(g.size)) for g in held),
                ),
            )


def _unnoticed(belied: Belied) -> Iterator[Claim]:
    for name, node in belied.seen.nodes().items():
        if not is_silent(up=node.up, ails=node.ails):
            continue
        pods = sum(group.size for group in node.pods if group.phase in SHOWN_READY)
        terms = (
            Fact(f"machine of {name}", _machine(node)),
            Fact(f"Ready of {name}", _ready(node)),
            Fact(f"Ready pods on {name}", str(pods)),
        )
        if node.ready:
            yield Claim(f"Nothing is heard of {name}, and the API shows it Ready", terms)
        elif pods:
            there = f"the API shows {plural(pods, 'pod')} on it Ready"
            yield Claim(f"Nothing is heard of {name}, and {there}", terms)


def _tainted_anyway(belied: Belied) -> Iterator[Claim]:
    nodes = belied.seen.nodes().values()
    yield Claim(
        "The last step taints a node NoExecute, though all zones are taken to be disrupted",
        (Fact("Ready nodes", f"{sum(node.ready for node in nodes)} of {len(nodes)}"),),
    )


TELLER = Teller(
    name="nodelifecycle",
    sentences={
        # Faults
        API_SERVER_OUTAGE: "the API server is out of reach for a while",
        RUNTIME_OUTAGE: "the container runtime of {node} does not answer",
        RUNTIME_RETURN: "the container runtime of {node} answers again",
        # Users, and kubelets that restart
        REMOVE_NODE: "deletes the Node {node}",
        REGISTER_NODE: "{node} is registered again",
        # The controller, and the kubelets that report to it
        NODE_READY: "on {node} reports the node Ready",
        NODE_NOT_READY: "on {node} reports the node not Ready",
        NODE_UNKNOWN: "marks {node} Unknown",
        TAINT_NO_SCHEDULE: "taints {node} NoSchedule",
        TAINT_NO_EXECUTE: "taints {node} NoExecute",
        SWAP_NO_SCHEDULE: "removes the NoSchedule taint that {node} had before",
        SWAP_NO_EXECUTE: "removes the NoExecute taint that {node} had before",
        UNTAINT: "removes the NoExecute taint from {node}",
        JUDGE_ZONES: "judges how far each zone is disrupted",
        KNOW_NODES: "has seen all nodes once after its restart",
        CATCH_UP: "sees heartbeats again",
        POD_UNREADY: "marks {pod} on {node} not Ready",
    },
    facts={
        TAINT_NO_EXECUTE: _zone,
        UNTAINT: _zone,
        JUDGE_ZONES: _zone,
        TAINT_NO_SCHEDULE: _condition,
        SWAP_NO_SCHEDULE: _condition,
        SWAP_NO_EXECUTE: _condition,
        POD_UNREADY: _condition,
    },
    causes={
        API_SERVER_OUTAGE: faults,
        RUNTIME_OUTAGE: event("runtimeOutage"),
        RUNTIME_RETURN: event("runtimeReturn", "runtimeOutage"),
        REMOVE_NODE: event("deleteNode"),
        REGISTER_NODE: event("registerNode", "deleteNode"),
    },
    unseen=_unseen,
    fields=_fields,
    conditions=_conditions,
    idle=_idle,
    claims={"NODE-1": _unnoticed, "NODE-2": _left_behind, "NODE-3": _tainted_anyway},
)
