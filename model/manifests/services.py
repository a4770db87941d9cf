"""Services that nobody will answer for: accepted by the API server, and hardly meant.

Pods may also come from what is not among the manifests, so this is told and not refused; and only
where there are any pods beside the Service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from kubelemma.model.components.endpointslice.decision import endpoint_ports, selects
from kubelemma.model.findings import FieldPath, did_you_mean, show
from kubelemma.model.kinds.registry import stamp_of
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service

from .problems import Problem
from .reading import Manifest, Manifests


def unanswered(manifests: Manifests) -> Iterator[Problem]:
    """Services whose selector matches no pod, and ports that none of their pods has."""
    pods = tuple(_pods(manifests))
    for manifest in manifests.of(Service):
        service = manifest.object
        beside = [p for p in pods if p.metadata.namespace == service.metadata.namespace]
        if service.spec.type == "ExternalName" or not service.spec.selector or not beside:
            continue
        own = [pod for pod in beside if selects(service, pod)]
        yield from _without_ports(manifest, own) if own else _without_pods(manifest, beside)


def _pods(manifests: Manifests) -> Iterator[Pod]:
    """Pods of the input, and one of each template."""
    for manifest in manifests.objects:
        thing = manifest.object
        if isinstance(thing, Pod):
            yield thing
        elif stamp_of(thing) is not None:
            template = getattr(thing, "spec").template  # noqa: B009 - of any kind with a stamp
            named = _in_namespace(template.metadata, thing.metadata.namespace)
            yield Pod(metadata=named, spec=template.spec)


def _in_namespace(metadata: ObjectMeta, namespace: str) -> ObjectMeta:
    return structs.replace(metadata, namespace=namespace)


def _without_pods(manifest: Manifest[Service], beside: Sequence[Pod]) -> Iterator[Problem]:
    for key, value in (manifest.object.spec.selector or {}).items():
        there = {pod.metadata.label_map().get(key) for pod in beside}
        if value in there:
            continue
        field: FieldPath = ("spec", "selector", key)
        known = sorted(found for found in there if found is not None)
        hint = did_you_mean(value, known)
        yield Problem(
            manifest.document.at(field),
            show(field),
            f'no pod here has the label {key}: "{value}"{hint}: the Service selects none of them, '
            "and refuses every connection unless somebody else makes such pods",
        )
        return
    path: FieldPath = ("spec", "selector")
    yield Problem(
        manifest.document.at(path),
        show(path),
        "no pod here has all these labels: the Service selects none of them, and refuses every "
        "connection unless somebody else makes such pods",
    )


def _without_ports(manifest: Manifest[Service], own: Sequence[Pod]) -> Iterator[Problem]:
    """A named port that no pod has leads nowhere; one that some have, to these alone."""
    service = manifest.object
    offered = [{port.name for port in endpoint_ports(service, pod.spec)} for pod in own]
    for index, port in enumerate(service.spec.ports or ()):
        having = sum(port.name in names for names in offered)
        if having == len(own):
            continue
        path: FieldPath = ("spec", "ports", index, "targetPort")
        whose = "no pod" if not having else "not every pod"
        yield Problem(
            manifest.document.at(path),
            show(path),
            f'{whose} that the Service selects has a container with a port called "'
            f'{port.target_port}": connections to port {port.port} '
            + ("are refused" if not having else "go to the others alone"),
        )
