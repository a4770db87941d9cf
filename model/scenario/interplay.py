"""Whether workloads that change at once may be asked about one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from msgspec import structs

from kubelemma.model.components.scheduler.decision.node_ports import host_ports
from kubelemma.model.manifests.check import Check
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.pod import Pod

from .application import Application
from .cluster import Sizing
from .events import Change
from .start import place_all
from .templates import key_of, kind_of, replicas_of

AFTER = "-after"
"""What an owner as it is to be is called where it stands beside itself."""


def apart(application: Application, check: Check, sizing: Sizing) -> bool:
    """Whether what changes does not want the same room, and does not look at each other.

    That is so where all pods find nodes that there are before, and beside them all that there are
    to be, with every surge; and where no rule of one is about pods of another.
    """
    if application.arriving:
        return False
    admitted = application.admitted()
    pods = [(key_of(c.owner), pod) for c in admitted.changes for pod in _pods(admitted, c)]
    if any(_concern(one, other) for a, one in pods for b, other in pods if a != b):
        return False
    return not _crowded(admitted, check, sizing)


def beside_itself(change: Change, replicas: int | None = None) -> Any:
    """An owner as it is to be, as if it was another one: a cluster has room for both."""
    owner = change.owner
    named = structs.replace(owner.metadata, name=f"{owner.metadata.name}{AFTER}")
    spec = owner.spec if replicas is None else structs.replace(owner.spec, replicas=replicas)
    return structs.replace(owner, metadata=named, spec=spec)


def _pods(application: Application, change: Change) -> Iterator[Pod]:
    """A pod of an owner that changes, as it is before and after."""
    before = (owner for owner in application.owners if key_of(owner) == key_of(change.owner))
    for owner in (*before, change.owner):
        yield kind_of(owner).pod(owner, 0)


def _crowded(application: Application, check: Check, sizing: Sizing) -> bool:
    """Whether some pod finds no node where all stand at once."""
    later = tuple(
        beside_itself(change, _most(change)) for change in application.changes if not change.goes
    )
    both = replace(application, owners=(*application.owners, *later))
    known = bool(application.nodes or check.spec.cluster.nodes)
    placement = place_all(both.given(nodes_known=known), sizing.nodes, application.namespaces)
    return any(placed.pending for placed in placement.placed.values())


def _most(change: Change) -> int:
    owner = change.owner
    return replicas_of(owner) + kind_of(owner).surge(owner)


def _concern(one: Pod, other: Pod) -> bool:
    """Whether a rule of a pod is about another one: affinity, spread, or a host port of both."""
    labels = other.metadata.label_map()
    if any(selector is not None and selector.matches(labels) for selector in _selectors(one)):
        return True
    taken = {(port.protocol, port.port) for port in host_ports(one)}
    return any((port.protocol, port.port) in taken for port in host_ports(other))


def _selectors(pod: Pod) -> Iterable[LabelSelector | None]:
    for constraint in pod.spec.topology_spread_constraints or ():
        yield constraint.label_selector
    affinity = pod.spec.affinity
    parts = (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else ()
    for part in (each for each in parts if each is not None):
        yield from (term.label_selector for term in part.required or ())
        yield from (each.pod_affinity_term.label_selector for each in part.preferred or ())
