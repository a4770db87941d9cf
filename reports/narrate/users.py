"""What users do to nodes and to pods, and what they and faults may still do."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.cluster.state import NodeState
from kubelemma.model.components.users.actions import APPLY, CORDON, SCALE, UNCORDON, USER_DELETE_POD

from .causes import event
from .differing import flag
from .names import workload_name
from .scene import Scene, Seen
from .teller import Teller


def _fields(node: NodeState) -> Iterator[tuple[str, str]]:
    yield "spec.unschedulable", flag(node.cordoned)


def _conditions(node: NodeState) -> Iterator[str]:
    if node.cordoned:
        yield "cordoned"


def _lines(seen: Seen) -> Iterator[str]:
    """What users and faults may still do."""
    for cell in seen.scenario.system.cells:
        _, is_event, what = cell.name.partition(": ")
        left = seen.value(cell.name)
        if is_event and cell.name.startswith("event ") and left:
            yield f"may happen: {what}, {left} more"


def _applied(scene: Scene) -> str:
    """What is applied is there already, or is created by that."""
    workload = scene.workload
    if workload is None:
        return "applies a change"
    name = workload_name(scene.world, workload)
    new = not workload.templates or scene.before.owner(workload).absent
    return f"creates {name}" if new else f"applies {name} anew"


TELLER = Teller(
    name="users",
    sentences={
        SCALE: "scales {workload} to {replicas}",
        APPLY: "{applied}",
        CORDON: "cordons {node}",
        UNCORDON: "uncordons {node}",
        USER_DELETE_POD: "deletes {pod}{where}",
    },
    words={"applied": _applied},
    causes={
        SCALE: event("scale"),
        APPLY: event("apply"),
        CORDON: event("cordon"),
        UNCORDON: event("uncordon", "cordon", "drain"),
        USER_DELETE_POD: event("deletePod"),
    },
    fields=_fields,
    conditions=_conditions,
    lines=_lines,
)
