"""What is hardly meant of an object, given the pods and other objects that there are beside it.

They may also come from what is not among the manifests, so this is told and not refused; and only
where there are any pods in the namespace of the object.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from kubelemma.model.findings import show
from kubelemma.model.kinds.kind import Beside
from kubelemma.model.kinds.registry import kind_of, stamp_of
from kubelemma.model.objects.pod import Pod

from .problems import Problem
from .reading import Manifests


def advice_beside(manifests: Manifests) -> Iterator[Problem]:
    """What kinds say of their objects beside pods."""
    pods, things = tuple(_pods(manifests)), tuple(m.object for m in manifests.objects)
    for manifest in manifests.objects:
        thing = manifest.object
        namespace = thing.metadata.namespace
        own = [(pod, n) for pod, n in pods if pod.metadata.namespace == namespace]
        if not own:
            continue
        named = tuple(t for t in things if t.metadata.namespace in (namespace, ""))
        given = Beside(tuple(pod for pod, _ in own), tuple(n for _, n in own), named)
        for finding in kind_of(thing).beside(thing, given):
            yield Problem(manifest.document.at(finding.path), show(finding.path), finding.message)


def _pods(manifests: Manifests) -> Iterator[tuple[Pod, int | None]]:
    """Pods of the input, and one of each template, and how many there are of it."""
    for manifest in manifests.objects:
        thing = manifest.object
        if isinstance(thing, Pod):
            yield thing, 1
        elif (stamp := stamp_of(thing)) is not None:
            template = getattr(thing, "spec").template  # noqa: B009 - of any kind with a stamp
            namespace = thing.metadata.namespace
            pod = Pod(
                metadata=structs.replace(template.metadata, namespace=namespace),
                spec=template.spec,
            )
            yield pod, None if stamp.wanted is None else stamp.wanted(thing)
