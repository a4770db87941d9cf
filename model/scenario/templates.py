"""What owners of pods have in common, whatever their kind: names, sizes, and pods of templates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kubelemma.model.cluster.owners import OwnerKind
from kubelemma.model.components.registry import OWNERS
from kubelemma.model.manifests.check import namings
from kubelemma.model.manifests.reading import Manifest, Manifests
from kubelemma.model.objects.pod import Pod


class Key(NamedTuple):
    """What identifies an owner of pods."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """How it may be named: NAME and NAMESPACE/NAME, with its kind before or without."""
        return namings(*self)["workload"]


def kind_of(owner: Any) -> OwnerKind:
    """The kind of an owner of pods."""
    return OWNERS[type(owner)]


def kind_called(name: str) -> OwnerKind:
    """The kind of owners of pods that the API calls so."""
    return next(kind for kind in OWNERS.values() if kind.kind == name)


def is_kind(name: str) -> bool:
    """Whether the API calls a kind of owners of pods so."""
    return any(kind.kind == name for kind in OWNERS.values())


def key_of(owner: Any) -> Key:
    """What identifies an owner of pods."""
    return Key(kind_of(owner).kind, owner.metadata.namespace, owner.metadata.name)


def is_named(owner: Any, names: Iterable[str]) -> bool:
    """Whether one of the names means this owner."""
    return not set(names).isdisjoint(key_of(owner).spellings)


def owner_manifests(manifests: Manifests) -> tuple[Manifest[Any], ...]:
    """What makes pods, and is not part of something else that does."""
    return tuple(
        manifest
        for kind in OWNERS.values()
        for manifest in manifests.of(kind.type)
        if kind.stands_alone(manifest.object)
    )


def part_manifests(manifests: Manifests) -> tuple[Manifest[Any], ...]:
    """What makes pods as a part of something else that does."""
    return tuple(
        manifest
        for kind in OWNERS.values()
        for manifest in manifests.of(kind.type)
        if not kind.stands_alone(manifest.object)
    )


def replicas_of(owner: Any) -> int:
    """For how many pods an owner asks."""
    return kind_of(owner).replicas(owner)


def most_pods(replicas: int, surge: int) -> int:
    """Far more pods than any orderly run of a workload has, terminating ones included."""
    return 3 * (replicas + surge) + 6


def pod_of(owner: Any, template: int) -> Pod:
    """A pod of the given template, after admission, without a name of its own."""
    return kind_of(owner).pod(owner, template)
