"""Pods whose labels or owner change: what becomes of them, as the API stores it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from kubelemma.model.objects.meta import ObjectMeta, OwnerReference
from kubelemma.model.objects.pod import Pod


class Labelling(NamedTuple):
    """What ``kubectl label`` does to a pod: it sets a label, or takes it away (``value`` None)."""

    key: str
    value: str | None

    def __str__(self) -> str:
        return f"{self.key}-" if self.value is None else f"{self.key}={self.value}"


def labelling(text: str) -> Labelling:
    """What is written as ``KEY=VALUE`` or ``KEY-``."""
    key, equals, value = text.partition("=")
    return Labelling(key, value) if equals else Labelling(text.removesuffix("-"), None)


def relabelled(pod: Pod, change: Labelling) -> Pod:
    """The pod with a label set or taken away."""
    labels = dict(pod.metadata.label_map())
    labels.pop(change.key, None)
    if change.value is not None:
        labels[change.key] = change.value
    return _with(pod, msgspec.structs.replace(pod.metadata, labels=labels))


def disowned(pod: Pod) -> Pod:
    """The pod without the reference to its controller."""
    others = tuple(o for o in pod.metadata.owner_references or () if not o.controller)
    return _with(pod, msgspec.structs.replace(pod.metadata, owner_references=others))


def owned(pod: Pod, controller: OwnerReference) -> Pod:
    """The pod with a reference to a controller beside those that it has."""
    references = (*(pod.metadata.owner_references or ()), controller)
    return _with(pod, msgspec.structs.replace(pod.metadata, owner_references=references))


def _with(pod: Pod, metadata: ObjectMeta) -> Pod:
    return msgspec.structs.replace(pod, metadata=metadata)
