"""What the checker knows of one pod and one node: requests, selectors, taints, ports.

This is a second reading of the rules, on purpose: it shares no code with the scheduler's room, or
with whoever searches for placements, so that one mistake does not hide another. Sources are the
API's own definitions: staging/src/k8s.io/component-helpers/resource/helpers.go,
staging/src/k8s.io/component-helpers/scheduling/corev1/ and pkg/scheduler/framework/plugins/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from kubelemma.model.objects.node import Node, Taint
from kubelemma.model.objects.pod import (
    Container,
    ContainerStatus,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
    Toleration,
)
from kubelemma.model.objects.quantity import Quantity

from .problem import Cluster

PODS = "pods"
Exact = dict[str, Fraction]
Port = tuple[str, int, str]

_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_LONGEST_VALUE = 63
_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - a value of the API, nothing is bound to it
_CORDON = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


def residents(cluster: Cluster) -> list[tuple[int, Pod]]:
    """The existing pods with the numbers of their nodes.

    Raises:
        ValueError: one lies on a node that is not in the cluster.
    """
    numbers = {node.metadata.name: i for i, node in enumerate(cluster.nodes)}
    for pod in cluster.pods:
        if pod.spec.node_name not in numbers:
            name = f"{pod.metadata.namespace}/{pod.metadata.name}"
            raise ValueError(f"pod {name} lies on {pod.spec.node_name!r}, which is no node here")
    return [(numbers[pod.spec.node_name], pod) for pod in cluster.pods]


# --- resources ----------------------------------------------------------------------------------


def counts(name: str) -> bool:
    """Whether the scheduler accounts for a resource at all; it ignores names it does not know."""
    if name in ("cpu", "memory", "ephemeral-storage"):
        return True
    if name.startswith(("hugepages-", "attachable-volumes-")) or "kubernetes.io/" in name:
        return True
    return "/" in name and not name.startswith("requests.")


def _up(name: str, amount: Fraction) -> int:
    """In millicores for cpu and in base units else, rounded up."""
    units = amount * 1000 if name == "cpu" else amount
    return -((-units) // 1)


def offered(node: Node) -> dict[str, int]:
    """What the node has for pods, by resource; the number of pods is under ``pods``."""
    listed = (node.status.allocatable or {}).items()
    return {name: _up(name, q.amount) for name, q in listed if name == PODS or counts(name)}


def _plus(left: Exact, right: Exact) -> Exact:
    return {**left, **{name: amount + left.get(name, 0) for name, amount in right.items()}}


def _most(left: Exact, right: Exact) -> Exact:
    return {**left, **{n: max(amount, left.get(n, amount)) for n, amount in right.items()}}


def _exact(raw: Mapping[str, Quantity] | None) -> Exact:
    return {name: quantity.amount for name, quantity in (raw or {}).items()}


def _asked(container: Container) -> Exact:
    return _exact(container.resources.requests) if container.resources else {}


def _held(container: Container, pod: Pod) -> Exact:
    """What a running container counts as: a resize under way holds the most of old and new."""
    status = _status_of(container, pod)
    if status is None or status.resources is None:
        return _asked(container)
    held = _most(_exact(status.resources.requests), _exact(status.allocated_resources))
    refused = any(
        c.type == "PodResizePending" and c.reason == "Infeasible"
        for c in pod.status.conditions or ()
    )
    return held if refused else _most(held, _asked(container))


def _status_of(container: Container, pod: Pod) -> ContainerStatus | None:
    listed = (*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ()))
    return next((s for s in listed if s.name == container.name and s.resources), None)


def requests(pod: Pod, *, running: bool = False) -> dict[str, int]:
    """What a pod takes from its node; a running one maybe more than its spec says.

    The containers and sidecars together, or the start-up's peak if that is more; what is given
    for the pod as a whole replaces it; the overhead comes on top.
    """

    def own(container: Container) -> Exact:
        return _held(container, pod) if running else _asked(container)

    together: Exact = {}
    for container in pod.spec.containers or ():
        together = _plus(together, own(container))
    sidecars: Exact = {}
    peak: Exact = {}
    for container in pod.spec.init_containers or ():
        if container.restart_policy == "Always":
            sidecars = _plus(sidecars, own(container))
            peak = _most(peak, sidecars)
        else:
            peak = _most(peak, _plus(sidecars, _asked(container)))
    needed = _most(_plus(together, sidecars), peak)
    whole = _exact(pod.spec.resources.requests) if pod.spec.resources else {}
    for name, amount in whole.items():
        if name in ("cpu", "memory") or name.startswith("hugepages-"):
            needed[name] = amount
    needed = _plus(needed, _exact(pod.spec.overhead))
    return {name: _up(name, amount) for name, amount in needed.items() if counts(name)}


def request_key(pod: Pod) -> Any:
    """Equal for pods without a resize under way that take the same; None where one is."""
    if any(s.resources for s in pod.status.container_statuses or ()) or any(
        s.resources for s in pod.status.init_container_statuses or ()
    ):
        return None
    spec = pod.spec

    def listed(containers: tuple[Container, ...] | None) -> tuple[Any, ...]:
        return tuple(
            (c.restart_policy, *(c.resources.requests or {}).items()) if c.resources else None
            for c in containers or ()
        )

    whole = spec.resources.requests if spec.resources else None
    return (
        listed(spec.containers),
        listed(spec.init_containers),
        tuple((whole or {}).items()),
        tuple((spec.overhead or {}).items()),
    )


# --- where a pod may go whatever else is there ----------------------------------------------------


def _is_tolerated(taint: Taint, tolerations: Iterable[Toleration]) -> bool:
    for t in tolerations:
        if t.key and t.key != taint.key:
            continue
        if t.effect and t.effect != taint.effect:
            continue
        if t.operator == "Exists" or (t.operator in ("Equal", "") and t.value == taint.value):
            return True
    return False


def repels(node: Node, pod: Pod) -> bool:
    """Whether a NoSchedule or NoExecute taint of the node is not tolerated."""
    tolerations = pod.spec.tolerations or ()
    return any(
        taint.effect in ("NoSchedule", "NoExecute") and not _is_tolerated(taint, tolerations)
        for taint in node.spec.taints or ()
    )


def _number(text: str | None) -> int | None:
    if text is None or not _WHOLE.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def _label_holds(r: NodeSelectorRequirement, labels: Mapping[str, str]) -> bool:
    found, values = labels.get(r.key), r.values or ()
    if r.operator in ("In", "NotIn"):
        sound = all(not v or (len(v) <= _LONGEST_VALUE and _VALUE.fullmatch(v)) for v in values)
        return bool(values) and sound and (found in values) == (r.operator == "In")
    if r.operator in ("Exists", "DoesNotExist"):
        return (found is not None) == (r.operator == "Exists")
    have, limit = _number(found), _number(values[0]) if len(values) == 1 else None
    if have is None or limit is None:
        return False
    return have > limit if r.operator == "Gt" else have < limit


def _field_holds(r: NodeSelectorRequirement, node: Node) -> bool:
    if r.key != "metadata.name" or len(r.values or ()) != 1:
        return False
    same = (r.values or ())[0] == node.metadata.name
    return {"In": same, "NotIn": not same}.get(r.operator, False)


def _term_holds(term: NodeSelectorTerm, node: Node) -> bool:
    labels, fields = term.match_expressions or (), term.match_fields or ()
    if not labels and not fields:
        return False
    return all(_label_holds(r, node.metadata.label_map()) for r in labels) and all(
        _field_holds(r, node) for r in fields
    )


def selects_node(pod: Pod, node: Node) -> bool:
    """Whether the node fits the pod's node selector and required node affinity."""
    labels = node.metadata.label_map()
    if any(labels.get(key) != value for key, value in (pod.spec.node_selector or {}).items()):
        return False
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    if affinity is None or affinity.required is None:
        return True
    return any(_term_holds(term, node) for term in affinity.required.node_selector_terms)


def objections(pod: Pod, node: Node) -> Iterator[tuple[str, str]]:
    """Why the node may not take the pod, whatever else lies there: rules and sentences."""
    if pod.spec.scheduling_gates:
        yield "SchedulingGates", "the pod has scheduling gates, so it is never considered"
    if pod.spec.node_name not in ("", node.metadata.name):
        yield "NodeName", f"the pod names another node, {pod.spec.node_name}"
    if node.spec.unschedulable and not _is_tolerated(_CORDON, pod.spec.tolerations or ()):
        yield "NodeUnschedulable", "the node is cordoned"
    if repels(node, pod):
        yield "TaintToleration", "a taint of the node is not tolerated"
    if not selects_node(pod, node):
        yield "NodeAffinity", "the node does not fit the pod's node selector or node affinity"


def affinity_key(pod: Pod) -> Any:
    """Equal for pods with the same node selector and required node affinity."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    selector = pod.spec.node_selector
    return (
        tuple(sorted(selector.items())) if selector else (),
        affinity.required if affinity else None,
    )


def static_key(pod: Pod) -> Any:
    """Equal for pods that ``objections`` cannot tell apart."""
    return (
        affinity_key(pod),
        pod.spec.tolerations or (),
        pod.spec.node_name,
        bool(pod.spec.scheduling_gates),
    )


def names_asked(pod: Pod) -> Iterator[str]:
    """The node names that the pod's own rules mention."""
    if pod.spec.node_name:
        yield pod.spec.node_name
    for term in _terms(pod):
        for field in term.match_fields or ():
            yield from field.values or ()


def label_keys_asked(pod: Pod) -> Iterator[str]:
    """The node labels that the pod's node selector and node affinity read."""
    yield from pod.spec.node_selector or ()
    for term in _terms(pod):
        for expression in term.match_expressions or ():
            yield expression.key


def _terms(pod: Pod) -> tuple[NodeSelectorTerm, ...]:
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    return affinity.required.node_selector_terms if affinity and affinity.required else ()


# --- host ports -----------------------------------------------------------------------------------


def host_ports(pod: Pod) -> tuple[Port, ...]:
    """Protocol, port and address of what the containers and sidecars open on the node."""
    running = [
        *(pod.spec.containers or ()),
        *(c for c in pod.spec.init_containers or () if c.restart_policy == "Always"),
    ]
    return tuple(
        (port.protocol or "TCP", port.host_port, port.host_ip or ANY_ADDRESS)
        for container in running
        for port in container.ports or ()
        if port.host_port
    )


def overlap(ours: tuple[Port, ...], theirs: tuple[Port, ...]) -> bool:
    """Whether two pods with these ports cannot share a node."""
    return any(
        (protocol, port) == (their_protocol, their_port)
        and (address == their_address or ANY_ADDRESS in (address, their_address))
        for protocol, port, address in ours
        for their_protocol, their_port, their_address in theirs
    )
