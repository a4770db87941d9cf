"""Whether a pod may stand on a node, judged here from the documentation alone.

None of the scheduler's filters is used, so that a mistake there shows. Sources:
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/,
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/,
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelemma.model.objects.node import Node, Taint
from kubelemma.model.objects.pod import (
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
    PodAffinityTerm,
    Toleration,
)

CORDON = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")
Port = tuple[str, str, int]


def refusals(pod: Pod, node: Node, others: Iterable[Pod]) -> tuple[str, ...]:
    """Why the pod may not stand on the node beside the others; empty if it may.

    Resources are judged in `overcommitment`; the pods of other nodes in `scheduler`, from sums over
    domains.
    """
    checks = (
        ("spec.nodeName", pod.spec.node_name in ("", node.metadata.name)),
        ("taints", not _repelling_taints(pod, node)),
        ("nodeSelector", _has_labels(pod, node)),
        ("node affinity", _in_affinity(pod, node)),
        ("host ports", not _ports_taken(pod, others)),
        ("anti-affinity", not any(_repelled(pod, node, other) for other in others)),
    )
    return tuple(name for name, fine in checks if not fine)


def _repelling_taints(pod: Pod, node: Node) -> list[Taint]:
    taints = [*(node.spec.taints or ()), *([CORDON] if node.spec.unschedulable else [])]
    tolerations = pod.spec.tolerations or ()
    return [
        taint
        for taint in taints
        if taint.effect in ("NoSchedule", "NoExecute")
        and not any(_tolerates(toleration, taint) for toleration in tolerations)
    ]


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect not in ("", taint.effect):
        return False
    if toleration.operator == "Exists":
        return toleration.key in ("", taint.key)
    return toleration.key == taint.key and toleration.value == taint.value


def _has_labels(pod: Pod, node: Node) -> bool:
    labels = node.metadata.label_map()
    return all(labels.get(key) == value for key, value in (pod.spec.node_selector or {}).items())


def _in_affinity(pod: Pod, node: Node) -> bool:
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    if affinity is None or affinity.required is None:
        return True
    return any(_term_holds(term, node) for term in affinity.required.node_selector_terms)


def _term_holds(term: NodeSelectorTerm, node: Node) -> bool:
    labels, fields = term.match_expressions or (), term.match_fields or ()
    found = node.metadata.label_map()
    return bool(labels or fields) and (
        all(_requirement_holds(r, found.get(r.key)) for r in labels)
        and all(_requirement_holds(r, node.metadata.name) for r in fields)
    )


def _requirement_holds(requirement: NodeSelectorRequirement, value: str | None) -> bool:
    wanted = requirement.values or ()
    match requirement.operator:
        case "In":
            return value in wanted
        case "NotIn":
            return value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and int(value) > int(wanted[0])
        case "Lt":
            return value is not None and int(value) < int(wanted[0])


def _host_ports(pod: Pod) -> set[Port]:
    return {
        (port.protocol, port.host_ip or "0.0.0.0", port.host_port)  # noqa: S104 - an address to compare, not to bind
        for container in pod.spec.containers or ()
        for port in container.ports or ()
        if port.host_port
    }


def _ports_taken(pod: Pod, others: Iterable[Pod]) -> bool:
    taken = {port for other in others for port in _host_ports(other)}
    return any(
        mine[0] == theirs[0] and mine[2] == theirs[2] and _same_address(mine[1], theirs[1])
        for mine in _host_ports(pod)
        for theirs in taken
    )


def _same_address(a: str, b: str) -> bool:
    return a == b or "0.0.0.0" in (a, b)  # noqa: S104 - an address to compare, not to bind


def _repelled(pod: Pod, node: Node, other: Pod) -> bool:
    """Whether either pod's required anti-affinity keeps both from sharing this node."""
    return _keeps_off(pod, node, other) or _keeps_off(other, node, pod)


def _keeps_off(pod: Pod, node: Node, other: Pod) -> bool:
    """A term over a label that the node does not have keeps nobody off."""
    affinity = pod.spec.affinity.pod_anti_affinity if pod.spec.affinity else None
    terms = (affinity.required if affinity else None) or ()
    labels = node.metadata.label_map()
    return any(term.topology_key in labels and _means(pod, term, other) for term in terms)


def required_affinity(pod: Pod) -> tuple[PodAffinityTerm, ...]:
    """The terms that all must find a pod in the node's domain."""
    affinity = pod.spec.affinity.pod_affinity if pod.spec.affinity else None
    return (affinity.required if affinity else None) or ()


def means_all(pod: Pod, other: Pod) -> bool:
    """Whether all required affinity terms of the pod mean the other."""
    return all(_means(pod, term, other) for term in required_affinity(pod))


def _means(pod: Pod, term: PodAffinityTerm, other: Pod) -> bool:
    """Whether the term of the pod means the other; terms with a namespaceSelector are left out."""
    if term.label_selector is None or term.namespace_selector is not None:
        return False
    namespaces = term.namespaces or (pod.metadata.namespace,)
    labels = other.metadata.label_map()
    return other.metadata.namespace in namespaces and term.label_selector.matches(labels)


def skew_exceeded(matching: dict[str, int], domain: str, max_skew: int, min_domains: int) -> bool:
    """Whether a domain has more than ``max_skew`` pods above the least crowded one.

    ``matching`` counts the matching pods of every domain, the new one included; with fewer than
    ``min_domains`` domains the least is taken as 0.
    """
    least = 0 if len(matching) < min_domains else min(matching.values(), default=0)
    return matching.get(domain, 0) - least > max_skew
