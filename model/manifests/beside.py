"""What is hardly meant of an object, given the pods that there are beside it.

Pods may also come from what is not among the manifests, so this is told and not refused; and only
where there are any pods in the namespace of the object.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from kubelemma.model.findings import show
from kubelemma.model.kinds.registry import kind_of, stamp_of
from kubelemma.model.objects.pod import Pod

from .problems import Problem
from .reading import Manifests


def advice_beside(manifests: Manifests) -> Iterator[Problem]:
    """What kinds say of their objects beside pods."""
    pods = tuple(_pods(manifests))
    for manifest in manifests.objects:
        thing = manifest.object
        own = tuple(p for p in pods if p.metadata.namespace == thing.metadata.namespace)
        for finding in kind_of(thing).beside(thing, own) if own else ():
            yield Problem(manifest.document.at(finding.path), show(finding.path), finding.message)


def _pods(manifests: Manifests) -> Iterator[Pod]:
    """Pods of the input, and one of each template."""
    for manifest in manifests.objects:
        thing = manifest.object
        if isinstance(thing, Pod):
            yield thing
        elif stamp_of(thing) is not None:
            template = getattr(thing, "spec").template  # noqa: B009 - of any kind with a stamp
            namespace = thing.metadata.namespace
            yield Pod(
                metadata=structs.replace(template.metadata, namespace=namespace),
                spec=template.spec,
            )
