"""Static pods, which kubelets run from files, and their mirror pods.

Sources: pkg/kubelet/config/common.go, ``applyDefaults`` (the node in the name, the toleration of
every NoExecute taint) and ``tryDecodeSinglePod`` (what a static pod may not refer to);
pkg/kubelet/pod/mirror_client.go, ``CreateMirrorPod`` (the annotation, the Node that owns it). A
mirror pod that somebody deletes is created again, and the pod itself runs on: so nothing takes it
away, and it is load that never moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from kubelemma.model.components.kubelet.decision import needs
from kubelemma.model.findings import FieldPath, Finding, did_you_mean
from kubelemma.model.manifests.groups import Cluster, static_pods
from kubelemma.model.objects.meta import OwnerReference
from kubelemma.model.objects.pod import MIRROR, Pod, Toleration

_EVERY_NO_EXECUTE = Toleration(operator="Exists", effect="NoExecute")


def mirrored(pods: Sequence[Pod], cluster: Cluster) -> tuple[Pod, ...]:
    """The pods, with the mirror pods on each node in place of those that are static."""
    on_nodes = static_pods(cluster)
    names = {name for each in on_nodes.values() for name in each}
    static = {_called(pod, names): pod for pod in pods if _called(pod, names)}
    mirrors = (
        _mirror(static[name], node)
        for node, each in on_nodes.items()
        for name in each
        if name in static
    )
    return (*(pod for pod in pods if not _called(pod, names)), *mirrors)


def _called(pod: Pod, names: Iterable[str]) -> str:
    """By which of the names a pod is meant; empty where by none."""
    name, namespace = pod.metadata.name, pod.metadata.namespace
    return next((each for each in names if each in (name, f"{namespace}/{name}")), "")


def _mirror(pod: Pod, node: str) -> Pod:
    annotations = {**(pod.metadata.annotations or {}), MIRROR: "static"}
    owner = OwnerReference(kind="Node", name=node, controller=True)
    metadata = msgspec.structs.replace(
        pod.metadata,
        name=f"{pod.metadata.name}-{node}",
        annotations=annotations,
        owner_references=(owner,),
    )
    tolerations = (*(pod.spec.tolerations or ()), _EVERY_NO_EXECUTE)
    spec = msgspec.structs.replace(pod.spec, node_name=node, tolerations=tolerations)
    return msgspec.structs.replace(pod, metadata=metadata, spec=spec)


def static_findings(pods: Sequence[Pod], cluster: Cluster) -> Iterator[Finding]:
    """Static pods that are not there, or that no kubelet would run."""
    known = [pod.metadata.name for pod in pods]
    for index, group in enumerate(cluster.nodes):
        for number, name in enumerate(group.static_pods):
            path: FieldPath = ("spec", "cluster", "nodes", index, "staticPods", number)
            found = [pod for pod in pods if _called(pod, (name,))]
            if not found:
                yield Finding(path, f'there is no Pod "{name}"{did_you_mean(name, known)}')
            elif len(found) > 1:
                spaces = " or ".join(f"{p.metadata.namespace}/{name}" for p in found)
                yield Finding(path, f'"{name}" may be {spaces}')
            elif reason := _refused(found[0]):
                yield Finding(path, f'"{name}": static pods may not reference {reason}')


def _refused(pod: Pod) -> str:
    """To what a static pod refers that needs the API; empty for nothing."""
    if pod.spec.service_account_name not in ("", "default"):
        return "serviceaccounts"
    kinds: list[Any] = [need.source.kind.lower() for need in needs(pod)]
    if kinds:
        return f"{kinds[0]}s"
    claims = any(volume.persistent_volume_claim for volume in pod.spec.volumes or ())
    return "persistentvolumeclaims" if claims else ""
