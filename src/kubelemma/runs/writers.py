"""Who writes in a run, and what that makes of a write: judged, an input, or beyond the model."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from kubelemma.model.components.registry import OWNERS
from kubelemma.model.objects.disruption import PodDisruptionBudget
from kubelemma.model.objects.pod import Pod

from .cluster import BUDGET, Cluster, Stored
from .format import Request, Write
from .observation import ACTORS, API_SERVER, DRIVER
from .roster import Roster
from .seen import Change, Stage

KUBELET = "kubelet"
OWNING = frozenset(kind.__name__ for kind in OWNERS)
REPLICATING = (
    "sa:replicaset-controller",
    "sa:replication-controller",
    "sa:statefulset-controller",
)
FAILED = 400
"""The least code of an answer that says no."""
UNANSWERED = 504
INPUTS = frozenset(
    {"rollout", "rollback", "scale", "pause", "resume", "cordon", "uncordon", "user-delete-pod"}
)
"""The model's events that a user causes."""


class Role(Enum):
    """What a write is to the model."""

    CONTROL = auto()
    """Done by somebody who is modelled: the model must be able to do it."""
    INPUT = auto()
    """Done by a user, or a fault."""
    OUTSIDE = auto()
    """Done by, or to, what is not modelled."""
    NOTED = auto()
    """The same, and counted already."""


def writer_of(line: Write) -> str | None:
    """Who wrote, kubelets going by one name; None where that is not known."""
    actor = line.actor
    if actor is not None and (actor.endswith("kubelet") or actor.startswith("system:node:")):
        return KUBELET
    return actor


def node_of(line: Write) -> str:
    """The name of the node that a kubelet writes, or a pod of which it writes."""
    if line.kind == "Node":
        return line.name
    name: str = line.object.get("spec", {}).get("nodeName", "")
    return name


def role_of(line: Write, before: Cluster, roster: Roster) -> Role:
    """What a write is, given the objects before it."""
    actor = writer_of(line)
    known, after = (cluster.of(line.kind).get(line.uid) for cluster in (before, before.after(line)))
    if line.kind == "Pod" and not _is_ours(known, after, before, roster):
        return Role.OUTSIDE
    if actor == DRIVER and is_eviction(line):
        return Role.CONTROL
    if actor == DRIVER:
        return Role.INPUT if _is_input(line, roster) else Role.OUTSIDE
    if actor == KUBELET and line.kind == "Node" and line.type == "ADDED":
        return Role.INPUT
    if actor is None:
        return Role.INPUT if _is_of_users(known, after) else Role.CONTROL
    beyond = actor not in ACTORS or _is_beyond(line, actor, before, roster)
    return Role.OUTSIDE if beyond else Role.CONTROL


def is_eviction(line: Write) -> bool:
    """Whether a pod that has a node is written for the sake of its eviction."""
    asked = line.kind == "Pod" and (line.via or "").startswith("create/eviction")
    return asked and bool(node_of(line))


def _is_of_users(known: Stored | None, after: Stored | None) -> bool:
    """Whether nobody but a user makes such a pod, or changes it in this way."""
    if after is None or not isinstance(after.value, Pod):
        return False
    if known is None:
        return not after.owner_kind
    return known.look != after.look and known.owner_kind == after.owner_kind


def _is_ours(known: Stored | None, after: Stored | None, before: Cluster, roster: Roster) -> bool:
    """Whether a pod is one of a member, before or after the write."""
    return any(
        found is not None and roster.class_of_pod(before, found) is not None
        for found in (known, after)
    )


def _is_input(line: Write, roster: Roster) -> bool:
    """Whether it is something that users may do: whatever they like to pods."""
    if line.kind == "Pod":
        return True
    if line.kind in OWNING:
        return roster.member(line.uid) is not None
    return line.kind in ("Node", BUDGET)


def _is_beyond(line: Write, actor: str, before: Cluster, roster: Roster) -> bool:
    """Whether a modelled controller does what the model leaves out.

    That is preemption, adoption of ReplicaSets and by StatefulSets, and the eviction of pods of
    others.
    """
    if actor == API_SERVER:
        return line.kind != BUDGET or paid_for(line, before, roster) is None
    if actor == "system:kube-scheduler":
        return line.via != "create/binding"
    adopting = ("sa:deployment-controller", "sa:statefulset-controller")
    return actor in adopting and line.via == "patch"


def paid_for(line: Write, before: Cluster, roster: Roster) -> tuple[str, int] | None:
    """The node and the class of a workload's pod that a budget newly names as to be evicted.

    None where it names no other pod than before, or one of somebody else.
    """
    if line.kind != BUDGET:
        return None
    known = before.of(BUDGET).get(line.uid)
    then = known.value if known is not None else None
    earlier = (isinstance(then, PodDisruptionBudget) and then.status.disrupted_pods) or {}
    now = line.object.get("status", {}).get("disruptedPods") or {}
    named = {name for name, at in now.items() if earlier.get(name) != at}
    for found, pod in before.pods():
        pod_class = roster.class_of_pod(before, found)
        same = found.name in named and found.namespace == line.namespace
        if same and pod_class is not None:
            return pod.spec.node_name, pod_class
    return None


def is_refused_creation(line: Request) -> bool:
    """Whether a controller of theirs asked for a pod and did not get it."""
    created = (line.verb, line.resource, line.subresource) == ("create", "pods", None)
    return created and line.user in REPLICATING and line.code >= FAILED


def creator_of(line: Request) -> str:
    """The uid of the owner that the pod asked for would have had; empty if it is not known."""
    body = line.body if isinstance(line.body, dict) else {}
    owners = body.get("metadata", {}).get("ownerReferences") or []
    return next((o.get("uid", "") for o in owners if o.get("controller")), "")


def what_of(line: Write) -> str:
    """The verb and the kind of a write, such as ``update/status ReplicaSet``."""
    return f"{line.via or line.type.lower()} {_kind(line)}"


def _kind(line: Write) -> str:
    if line.kind != "Pod":
        return line.kind
    owner = _controller(line)
    if owner is None:
        return "Pod of nobody"
    return "Pod" if owner.get("kind") in OWNING else f"Pod of a {owner.get('kind')}"


def _controller(line: Write) -> dict[str, Any] | None:
    owners = line.object.get("metadata", {}).get("ownerReferences") or []
    return next((o for o in owners if o.get("controller")), None)


def ends_alone(found: tuple[Change, ...]) -> bool:
    """Whether all that a write does is that running pods are gone which nobody has deleted."""
    rises = {c.what[2]: c.rise for c in found if c.what[0] == "pods"}
    only = all(c.what[0] == "pods" for c in found)
    return only and len(rises) == 1 and bool(rises.keys() & {Stage.UNREADY, Stage.READY})


def turns_unready(found: tuple[Change, ...]) -> bool:
    """Whether all that a write does is that pods are no longer Ready."""
    rises = {c.what[2]: c.rise for c in found if c.what[0] == "pods"}
    only = all(c.what[0] == "pods" for c in found)
    stages = set(rises)
    return only and stages == {Stage.READY, Stage.UNREADY} and rises[Stage.READY] < 0
