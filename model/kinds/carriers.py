"""Custom resources whose controllers make pods, or bring workloads along.

Nobody knows all of them. What they have in common is in their fields: templates of pods, numbers of
replicas, references to a workload.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelemma.model.findings import FieldPath, show

from .notes import Note

UNKNOWN = Note("not modelled", "a kind that kubelemma does not know: what it does is not checked")

_ELSEWHERE = {
    "argoproj.io": ("Application", "ApplicationSet"),
    "helm.toolkit.fluxcd.io": ("HelmRelease",),
    "helm.cattle.io": ("HelmChart",),
    "kustomize.toolkit.fluxcd.io": ("Kustomization",),
}
"""Kinds that name objects which lie somewhere else, by API group."""
_COUNTS = ("replicas", "instances", "numberOfInstances", "nodeCount", "size")
_REFERENCES = ("workloadRef", "scaleTargetRef", "targetRef")
_MISSING = "missing from the cluster that is looked at"


def carried(data: Mapping[str, Any]) -> Note:
    """What is said of a custom resource: which pods it stands for, as far as that can be seen."""
    group = str(data.get("apiVersion")).rpartition("/")[0]
    kind = str(data.get("kind"))
    if kind in _ELSEWHERE.get(group, ()):
        reason = f"brings objects along that lie elsewhere: render them; they are {_MISSING}"
        return Note("not modelled", reason)
    spec = data.get("spec")
    path = next(_templates(spec, ("spec",)), None)
    if path is not None:
        reason = (
            f"a custom resource that carries a workload ({show(path)}): its pods are {_MISSING}"
        )
        return Note("not modelled", reason)
    if not isinstance(spec, dict):
        return UNKNOWN
    for field in _REFERENCES:
        named = spec.get(field)
        if isinstance(named, dict) and isinstance(named.get("name"), str):
            workload = f"{named.get('kind') or 'workload'} {named['name']}"
            reason = f"a custom resource that acts on {workload}: what it does is not checked"
            return Note("not modelled", reason)
    for field in _COUNTS:
        if isinstance(spec.get(field), int) and not isinstance(spec[field], bool):
            what = f"a custom resource that likely carries a workload (spec.{field})"
            return Note("not modelled", f"{what}: pods that its controller makes are {_MISSING}")
    return UNKNOWN


def _templates(raw: Any, path: FieldPath) -> Iterator[FieldPath]:
    """Where there are containers with images."""
    if isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from _templates(item, (*path, index))
    elif isinstance(raw, dict):
        containers = raw.get("containers")
        if isinstance(containers, list) and any(
            isinstance(c, dict) and "image" in c for c in containers
        ):
            yield path
        for key, value in raw.items():
            yield from _templates(value, (*path, str(key)))
