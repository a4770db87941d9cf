"""How pods of the input are stored, where that is not what their template makes of them.

A webhook may have put a sidecar, a gate or a node selector into a pod, or somebody may have resized
it in place. Where all pods of a template differ from it in the same way, that is what admission
makes of the template, and of those that come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from kubelemma.model.cluster.owners import plain
from kubelemma.model.components.scheduler.decision.resources import held_requests
from kubelemma.model.objects.pod import Pod, PodSpec


def fields(pod: Pod, like: Pod) -> Iterator[str]:
    """In what a pod differs from another one, of what decides where it may be."""
    if held_requests(pod)[0] != held_requests(like)[0]:
        yield "requests"
    if bool(pod.spec.scheduling_gates) and not like.spec.scheduling_gates:
        yield "schedulingGates"
    if (pod.spec.node_selector or {}) != (like.spec.node_selector or {}):
        yield "nodeSelector"
    if pod.spec.affinity != like.spec.affinity:
        yield "affinity"


def admitted_as(pods: Sequence[Pod], like: Pod) -> Pod | None:
    """What admission makes of ``like``, by the pods that there are of it.

    None where they are as it says, are not alike, or have been resized, which no new pod is.
    """
    staying = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
    if not staying or not any(fields(staying[0], like)):
        return None
    first, *others = staying
    if any(any(fields(a, b)) for pod in others for a, b in ((pod, first), (first, pod))):
        return None
    if any(is_resized(pod, like) for pod in staying):
        return None
    return made_of(like, plain(first))


def own_form(pod: Pod, like: Pod) -> Pod | None:
    """One that differs from others of its template as one of a class of its own.

    None where it does not, or only for as long as a resize takes.
    """
    if not any(fields(pod, like)):
        return None
    stored = plain(pod)
    if held_requests(stored) != held_requests(pod):
        return None
    given = stored.spec
    spec = replace(
        like.spec,
        containers=given.containers,
        init_containers=given.init_containers,
        resources=given.resources,
        overhead=given.overhead,
        scheduling_gates=given.scheduling_gates,
        node_selector=given.node_selector,
        affinity=given.affinity,
        tolerations=given.tolerations,
    )
    return replace(like, metadata=replace(like.metadata, labels=pod.metadata.labels), spec=spec)


def made_of(like: Pod, stored: Pod) -> Pod:
    """A pod of a template with what admission has added to one that there is."""
    labels = {**stored.metadata.label_map(), **like.metadata.label_map()}
    gates = like.spec.scheduling_gates or stored.spec.scheduling_gates
    spec = replace(stored.spec, scheduling_gates=gates, node_name=like.spec.node_name)
    return replace(like, metadata=replace(like.metadata, labels=labels), spec=spec)


def is_resized(pod: Pod, like: Pod) -> bool:
    """Whether its containers are those of its template, and its spec has changed since."""
    return pod.metadata.generation > 1 and _names(pod.spec) == _names(like.spec)


def _names(spec: PodSpec) -> list[str]:
    return [c.name for c in (*(spec.init_containers or ()), *(spec.containers or ()))]
