"""What is observed of the objects of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.world import AILMENT_KEYS, OUT_OF_SERVICE
from kubelemma.model.objects.controllers import StatefulSet
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment, ReplicaSet
from kubelemma.model.scenario.initial import is_ready
from kubelemma.model.scenario.templates import kind_of

from .cluster import BUDGET, Cluster, Stored
from .roster import Member, Roster
from .seen import BudgetSeen, NodeSeen, OwnerSeen, Part, QueueSeen, Seen, SetSeen, Stage

ABSENT = OwnerSeen(0, 0, paused=True, sets=())
"""An owner that is not there: nobody would do anything about it."""

_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAXIMUM = "deployment.kubernetes.io/max-replicas"
_REVISION = "deployment.kubernetes.io/revision"
_TERMINAL = ("Succeeded", "Failed")
_NOT_READY = frozenset(AILMENT_KEYS.values())


def owner_part(member: Member) -> str:
    """The name of the part with an owner of pods and its ReplicaSets."""
    return f"{member.kind} {member.namespace}/{member.name}"


def queue_part(member: Member) -> str:
    """The name of the part with the pods of a member that have no node."""
    return f"pods without a node of {owner_part(member)}"


def node_part(name: str) -> str:
    """The name of the part with a node and the pods on it."""
    return f"Node {name}"


def observed(cluster: Cluster, roster: Roster, *, admitted: bool = False) -> Seen:
    """All parts of the observation.

    Pods that their kubelet has admitted and that do not run yet count as Pending, as to everybody
    else, or with ``admitted`` as started, as to their kubelet.
    """
    pods = tuple(_stages(cluster, roster, admitted=admitted))
    return {
        **dict(_of_members(cluster, roster, pods)),
        **dict(_of_nodes(cluster, pods)),
        **dict(_of_budgets(cluster)),
    }


def terminal(pod: Pod) -> bool:
    """Whether all containers have stopped for good."""
    return pod.status.phase in _TERMINAL


def _stages(
    cluster: Cluster, roster: Roster, *, admitted: bool
) -> Iterator[tuple[int, str, Stage]]:
    """Of every pod of a member: its class, its node (or none), where it stands.

    A pod whose containers have stopped is gone, and so is one without a node that is deleted.
    """
    for found, pod in cluster.pods():
        pod_class = roster.class_of_pod(cluster, found)
        if pod_class is not None and not is_gone(pod):
            stage = _stage(pod)
            if admitted and stage is Stage.ASSIGNED and pod.status.start_time:
                stage = Stage.UNREADY
            yield pod_class, pod.spec.node_name, stage


def is_deleted(found: Stored) -> bool:
    """Whether an object is marked for deletion."""
    return found.value.metadata.deletion_timestamp is not None


def is_gone(pod: Pod) -> bool:
    """Whether nothing but the object is left of a pod, and nobody waits for it."""
    if terminal(pod):
        return True
    at_once = not pod.spec.node_name or pod.spec.termination_grace_period_seconds == 0
    return pod.metadata.deletion_timestamp is not None and at_once


def _stage(pod: Pod) -> Stage:
    if pod.metadata.deletion_timestamp is not None:
        return Stage.TERMINATING
    if pod.status.phase != "Running":
        return Stage.ASSIGNED
    ready = any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or ())
    return Stage.READY if ready else Stage.UNREADY


def _of_members(
    cluster: Cluster, roster: Roster, pods: tuple[tuple[int, str, Stage], ...]
) -> Iterator[tuple[str, Part]]:
    there = {found.uid: found for found in cluster.owners() if not is_deleted(found)}
    waiting = Counter(pod_class for pod_class, node, _ in pods if not node)
    for member in roster.members:
        if member.templates:
            found = there.get(member.uid)
            yield owner_part(member), _owner_seen(cluster, roster, member, found)
        classes = (roster.class_of(member, slot) for slot in range(member.width))
        yield queue_part(member), QueueSeen(tuple(waiting[c] for c in classes))


def _owner_seen(
    cluster: Cluster, roster: Roster, member: Member, found: Stored | None
) -> OwnerSeen:
    if found is not None and isinstance(found.value, StatefulSet):
        current = roster.template_called(member, found.value.status.current_revision)
        replicas, template = found.value.spec.replicas or 0, member.template_of(found)
        return OwnerSeen(replicas, template, paused=False, sets=(), current=current)
    if member.ordinals:
        return ABSENT
    if member.rolled_out:
        sets = tuple(sorted(_sets(cluster, member)))
    else:
        sets = () if found is None else (_itself(found.value),)
    if found is None:
        return ABSENT._replace(sets=sets)
    replicas = kind_of(found.value).replicas(found.value)
    paused = isinstance(found.value, Deployment) and found.value.spec.paused
    return OwnerSeen(replicas, member.template_of(found), paused, sets)


def _sets(cluster: Cluster, member: Member) -> Iterator[SetSeen]:
    """One for each template: of several, which only tampering makes, the oldest.

    Nobody works any more on one that waits for its pods to be deleted first.
    """
    owned = [pair for pair in cluster.replica_sets(member.uid) if not is_deleted(pair[0])]
    revisions = sorted(_number(value, _REVISION) for _, value in owned)
    done: set[int] = set()
    for found, value in owned:
        template = member.template_of(found)
        if template not in done:
            done.add(template)
            yield _set(found, value, template, revisions)


def _itself(value: Any) -> SetSeen:
    """A ReplicaSet or ReplicationController that nobody controls, which has no annotations."""
    size, status = value.spec.replicas or 0, value.status
    counts = (status.available_replicas, status.replicas)
    return SetSeen(0, 1, size, size, size, *counts)


def _set(_found: Stored, value: ReplicaSet, template: int, revisions: list[int]) -> SetSeen:
    return SetSeen(
        template=template,
        revision=revisions.index(_number(value, _REVISION)) + 1,
        replicas=value.spec.replicas or 0,
        desired=_number(value, _DESIRED),
        maximum=_number(value, _MAXIMUM),
        available=value.status.available_replicas,
        counted=value.status.replicas,
    )


def _number(value: ReplicaSet, annotation: str) -> int:
    """The number that an annotation has; -1 where it is absent or none."""
    text = value.metadata.annotation_map().get(annotation, "")
    return int(text) if text.isdigit() else -1


def _of_nodes(
    cluster: Cluster, pods: tuple[tuple[int, str, Stage], ...]
) -> Iterator[tuple[str, Part]]:
    counts = Counter((node, pod_class, int(stage)) for pod_class, node, stage in pods if node)
    for name, node in cluster.nodes().items():
        here = tuple(sorted((c, stage, n) for (at, c, stage), n in counts.items() if at == name))
        yield node_part(name), _node(node, here)


def _of_budgets(cluster: Cluster) -> Iterator[tuple[str, Part]]:
    for budget in cluster.budgets():
        metadata, given = budget.metadata, budget.status
        seen = BudgetSeen(
            expected=given.expected_pods,
            healthy=given.current_healthy,
            needed=given.desired_healthy,
            allowed=given.disruptions_allowed,
        )
        yield f"{BUDGET} {metadata.namespace}/{metadata.name}", seen


def _node(node: Node, pods: tuple[tuple[int, int, int], ...]) -> NodeSeen:
    effects = {t.effect for t in node.spec.taints or () if t.key in _NOT_READY}
    return NodeSeen(
        ready=is_ready(node),
        tainted="NoSchedule" in effects,
        evicting="NoExecute" in effects,
        cordoned=node.spec.unschedulable,
        out_of_service=any(t.key == OUT_OF_SERVICE for t in node.spec.taints or ()),
        pods=pods,
    )
