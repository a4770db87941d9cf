"""Pods that lose their node: which of them are created again, and as what.

Source: ``staging/src/k8s.io/kubectl/pkg/drain/filters.go`` (daemon and mirror pods are left
alone) and ``pkg/controller/tainteviction/taint_eviction.go``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec
from msgspec.structs import replace

from kubelemma.model.kinds.registry import BY_NAME, ON_EACH_NODE
from kubelemma.model.objects.meta import ObjectMeta, OwnerReference
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import (
    Affinity,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
)

from .problem import Afterwards, Workload

_MIRROR = "kubernetes.io/config.mirror"
_ENCODER = msgspec.json.Encoder(enc_hook=str, order="sorted")


def controller_of(pod: Pod) -> OwnerReference | None:
    """Who manages the pod."""
    return next((o for o in pod.metadata.owner_references or () if o.controller), None)


def belongs_to_node(pod: Pod) -> bool:
    """Whether the pod exists for its node's sake: one of a daemon, or a kubelet's own."""
    owner = controller_of(pod)
    return is_mirror(pod) or (owner is not None and owner.kind in ON_EACH_NODE)


def is_mirror(pod: Pod) -> bool:
    """Whether the pod stands for one that a kubelet runs by itself."""
    owner = controller_of(pod)
    of_node = owner is not None and owner.kind == Node.__name__
    return of_node or _MIRROR in pod.metadata.annotation_map()


def afterwards(pod: Pod) -> Afterwards:
    """What becomes of the pod when it is deleted, as far as its owner tells."""
    if pod.metadata.deletion_timestamp is not None:
        return Afterwards.ENDING
    owner = controller_of(pod)
    if belongs_to_node(pod):
        return Afterwards.AGAIN
    if owner is None:
        return Afterwards.GONE
    kind = BY_NAME.get(owner.kind)
    makes_pods = kind is not None and kind.stamp is not None
    return Afterwards.AGAIN if makes_pods else Afterwards.OPEN


def creator(pod: Pod) -> str:
    """Who creates the pod again, or might: kind and name; empty where nobody does."""
    if is_mirror(pod):
        return f"the kubelet of {pod.spec.node_name}"
    owner = controller_of(pod)
    return f"{owner.kind} {pod.metadata.namespace}/{owner.name}" if owner else ""


def moves(pod: Pod) -> bool:
    """Whether the pod is created again elsewhere if its node is lost.

    Pods that are leaving already are not: their replacements exist, or are asked for, by now. A pod
    that nobody controls would not come back by itself; whoever put it there will want it elsewhere,
    so it is among those that need a place.
    """
    return not belongs_to_node(pod) and pod.metadata.deletion_timestamp is None


def unbound(pod: Pod) -> Pod:
    """The pod as it is created again: on no node, without a name or a history."""
    metadata = ObjectMeta(
        namespace=pod.metadata.namespace,
        labels=pod.metadata.labels,
        annotations=pod.metadata.annotations,
        owner_references=pod.metadata.owner_references,
    )
    return Pod(metadata=metadata, spec=replace(pod.spec, node_name=""))


def again(pod: Pod) -> Pod:
    """The pod as it is created again: ``unbound``, and for its node only where it belongs there."""
    free = unbound(pod)
    return only_on(free, pod.spec.node_name) if _is_bound_to_node(pod) else free


def _is_bound_to_node(pod: Pod) -> bool:
    return bool(pod.spec.node_name) and belongs_to_node(pod)


def only_on(pod: Pod, node: str) -> Pod:
    """The pod as a daemon's controller creates it: with an affinity for the node's name.

    Source: ``pkg/controller/daemon/util``.
    """
    name = NodeSelectorRequirement(key="metadata.name", operator="In", values=(node,))
    required = NodeSelector(node_selector_terms=(NodeSelectorTerm(match_fields=(name,)),))
    given = pod.spec.affinity or Affinity()
    own = given.node_affinity or NodeAffinity()
    affinity = replace(given, node_affinity=replace(own, required=required))
    return replace(pod, spec=replace(pod.spec, affinity=affinity))


def likeness(pod: Pod) -> bytes:
    """Equal for pods that placement cannot tell apart, wherever they are now.

    Those that belong to their node are told apart by it.
    Volumes that are no claims are left aside: every pod has one of its own for its token.
    """
    owner = controller_of(pod)
    if _is_bound_to_node(pod):
        pod = only_on(pod, pod.spec.node_name)
    claims = [v for v in pod.spec.volumes or () if v.persistent_volume_claim or v.ephemeral]
    spec = replace(
        pod.spec, node_name="", volumes=tuple(claims) or None, priority=pod.spec.priority or 0
    )
    named = (owner.kind, owner.name) if owner else pod.metadata.name
    return _ENCODER.encode((named, pod.metadata.namespace, pod.metadata.labels, spec))


def alike(pods: Iterable[Pod]) -> dict[bytes, list[Pod]]:
    """The pods by likeness, in the order in which each is first met."""
    groups: dict[bytes, list[Pod]] = {}
    for pod in pods:
        groups.setdefault(likeness(pod), []).append(pod)
    return groups


def workloads_of(pods: Iterable[Pod], taken: Collection[str]) -> Iterator[Workload]:
    """Displaced pods as workloads in the order of ``alike``, with names that are not ``taken``.

    They are called by who controls them, or by themselves where they are alone.
    """
    names = set(taken)
    for group in alike(pods).values():
        name = _free_name(_name(group[0]), names)
        names.add(name)
        yield Workload(name, again(group[0]), len(group))


def _name(pod: Pod) -> str:
    owner = controller_of(pod)
    kind, name = (owner.kind, owner.name) if owner else ("Pod", pod.metadata.name)
    return f"{kind} {pod.metadata.namespace}/{name} (displaced)"


def _free_name(name: str, taken: Collection[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name.removesuffix(')')} {number})"
    return candidate
