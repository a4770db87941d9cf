"""What admission refuses of the pods of the input, and of the templates of its workloads."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.apiserver.admission import conflicts, policies_in
from kubelemma.model.findings import FieldPath, show
from kubelemma.model.kinds.registry import stamp_of
from kubelemma.model.objects.meta import ApiObject
from kubelemma.model.objects.pod import Pod, PodSpec

from .problems import Problem
from .reading import Manifests


def not_admitted(manifests: Manifests) -> Iterator[Problem]:
    """Values that the API server refuses in new pods, as it has others for them.

    What a cluster has stored already was admitted, and workloads that it has are there, though
    their pods may be refused.
    """
    known = policies_in(manifest.object for manifest in manifests.objects)
    for manifest in manifests.objects:
        path, spec = _spec(manifest.object)
        if spec is None or _is_stored(manifest.object):
            continue
        for found in conflicts(spec, known):
            whole: FieldPath = (*path, *found.path)
            yield Problem(manifest.document.at(whole), show(whole), found.reason)


def _spec(thing: ApiObject) -> tuple[FieldPath, PodSpec | None]:
    """Where the specification of the pods stands, as it was written but for defaults."""
    if isinstance(thing, Pod):
        return ("spec",), thing.spec
    if stamp_of(thing) is None:
        return (), None
    return ("spec", "template", "spec"), getattr(thing, "spec").template.spec  # noqa: B009 - of any kind with a stamp


def _is_stored(thing: ApiObject) -> bool:
    """Whether a cluster has it: only an API server gives these fields."""
    return bool(
        thing.metadata.uid
        or thing.metadata.creation_timestamp
        or (isinstance(thing, Pod) and thing.status.phase)
    )
