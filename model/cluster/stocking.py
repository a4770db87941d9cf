"""Which claims and volumes of an input are followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from kubelemma.model.components.persistentvolume.decision import (
    Backing,
    backing_of,
    is_attached,
    is_exclusive,
    segments_of,
)
from kubelemma.model.components.scheduler.decision.volumes import (
    ZONE_LABELS,
    ClaimKey,
    Shelf,
    smallest_match,
)
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import (
    Pod,
    PodSpec,
)
from kubelemma.model.objects.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    ObjectReference,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeSpec,
    Storage,
    StorageClass,
)

from .storage import (
    NONE,
    Followed,
    Stock,
    Volume,
)
from .world import World

STORAGE_KINDS: tuple[type, ...] = (
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    CSINode,
    CSIDriver,
    CSIStorageCapacity,
)
"""The types of objects that claims of pods are about."""


def used_claims(pod: Pod) -> tuple[ClaimKey, ...]:
    """The claims that a pod names, each once."""
    return tuple(dict.fromkeys(key for _, key in named_claims(pod.metadata.namespace, pod.spec)))


def named_claims(namespace: str, spec: PodSpec) -> Iterator[tuple[int, ClaimKey]]:
    """The claims that a pod of a namespace names, with the numbers of their volumes."""
    for number, volume in enumerate(spec.volumes or ()):
        source = volume.persistent_volume_claim
        if source is not None:
            yield number, (namespace, source.claim_name)


def storage_of(objects: Iterable[Any]) -> Storage:
    """The storage objects of the input; claims that name no class have the default one.

    Of several default classes the newest is taken, and of equally old ones the first by name.
    """
    every = tuple(objects)

    def of(kind: type[Any]) -> tuple[Any, ...]:
        return tuple(each for each in every if isinstance(each, kind))

    shelf = Shelf(Storage(classes=of(StorageClass)))
    claims = tuple(
        replace(claim, spec=replace(claim.spec, storage_class_name=shelf.default_class))
        if claim.spec.storage_class_name is None
        and not claim.spec.volume_name
        and shelf.default_class
        and shelf.class_of(claim) == shelf.default_class
        else claim
        for claim in of(PersistentVolumeClaim)
    )
    return Storage(
        volumes=of(PersistentVolume),
        claims=claims,
        classes=of(StorageClass),
        csi_nodes=of(CSINode),
        drivers=of(CSIDriver),
        capacities=of(CSIStorageCapacity),
    )


def stock_of(world: World) -> Stock:
    """What is followed in a world: the claims of its pods, and their volumes."""
    pods = tuple(c.pod for c in world.classes)
    keys = tuple(dict.fromkeys(key for pod in pods for key in used_claims(pod)))
    if not keys:
        return _EMPTY
    storage = storage_of(world.objects)
    nodes = tuple(shape.node for shape in world.shapes)
    claims, volumes = _followed(keys, storage, nodes)
    place = {claim.key: i for i, claim in enumerate(claims)}
    uses = tuple(tuple(place[key] for key in used_claims(pod)) for pod in pods)
    beside = tuple(
        tuple(
            dict.fromkeys(
                place[key] for pod in shape.standing for key in used_claims(pod) if key in place
            )
        )
        for shape in world.shapes
    )
    return Stock(storage, claims, volumes, uses, beside, nodes)


_EMPTY = Stock(Storage(), (), (), (), ())


def _followed(
    keys: Sequence[ClaimKey], storage: Storage, nodes: Sequence[Node]
) -> tuple[tuple[Followed, ...], tuple[Volume, ...]]:
    shelf = Shelf(storage)
    found: list[Followed] = []
    volumes: dict[str, Volume] = {}

    def at(volume: Volume) -> int:
        volumes.setdefault(volume.name, volume)
        return list(volumes).index(volume.name)

    for key in keys:
        claim = shelf.claims.get(key)
        if claim is None:
            found.append(Followed(key, None))
            continue
        if claim.spec.volume_name:
            given = shelf.volumes.get(claim.spec.volume_name)
            wanted = at(_given(given, shelf) if given else _unseen(claim, shelf))
            found.append(Followed(key, claim, wanted=wanted))
            continue
        matching = (v for v in storage.volumes if might_match(v, claim, shelf))
        candidates = tuple(at(_given(volume, shelf)) for volume in matching)
        backing = backing_of(claim, shelf)
        made = at(_to_make(claim, backing, shelf, nodes)) if backing.makes else NONE
        found.append(Followed(key, claim, backing.waits, made, candidates))
    return tuple(found), tuple(volumes.values())


def might_match(volume: PersistentVolume, claim: PersistentVolumeClaim, shelf: Shelf) -> bool:
    """Whether a claim may be bound to a volume from some node."""
    only = Shelf(replace(shelf.storage, volumes=(_reachable(volume),)))
    return smallest_match(claim, Node(), only, set()) is not None


def _reachable(volume: PersistentVolume) -> PersistentVolume:
    return replace(volume, spec=replace(volume.spec, node_affinity=None))


def _given(volume: PersistentVolume, shelf: Shelf) -> Volume:
    modes = volume.spec.access_modes or ()
    return Volume(
        volume.metadata.name,
        volume,
        Backing(known=True),
        is_exclusive(modes),
        is_attached(volume, shelf),
        volume.spec.persistent_volume_reclaim_policy == "Delete",
    )


def _unseen(claim: PersistentVolumeClaim, shelf: Shelf) -> Volume:
    """The volume of a claim that is bound to one which is not in the input: it is there."""
    backing = backing_of(claim, shelf)._replace(keys=(), makes=False)
    modes = claim.spec.access_modes or ()
    return Volume(
        claim.spec.volume_name,
        PersistentVolume(
            metadata=ObjectMeta(name=claim.spec.volume_name),
            spec=PersistentVolumeSpec(
                capacity=claim.spec.resources.requests if claim.spec.resources else None,
                access_modes=claim.spec.access_modes,
                storage_class_name=shelf.class_of(claim),
                volume_mode=claim.spec.volume_mode,
                claim_ref=ObjectReference(
                    namespace=claim.metadata.namespace, name=claim.metadata.name
                ),
            ),
        ),
        backing,
        is_exclusive(modes),
        backing.attaches,
        backing.reclaimed,
    )


def _to_make(
    claim: PersistentVolumeClaim, backing: Backing, shelf: Shelf, nodes: Sequence[Node]
) -> Volume:
    return Volume(
        f"pvc-{claim.metadata.namespace}-{claim.metadata.name}",
        None,
        backing,
        is_exclusive(claim.spec.access_modes or ()),
        backing.attaches,
        backing.reclaimed,
        segments_of(backing, shelf.classes.get(shelf.class_of(claim)), nodes),
    )


def node_labels(objects: Iterable[Any]) -> tuple[str, ...]:
    """The labels of nodes that may say which volumes they reach, sorted."""
    storage = storage_of(objects)
    shelf = Shelf(storage)
    keys = {
        requirement.key
        for volume in storage.volumes
        if volume.spec.node_affinity is not None and volume.spec.node_affinity.required is not None
        for term in volume.spec.node_affinity.required.node_selector_terms
        for requirement in term.match_expressions or ()
    }
    keys |= {
        key
        for volume in storage.volumes
        if ZONE_LABELS.keys() & volume.metadata.label_map().keys()
        for key in ZONE_LABELS
    }
    for claim in storage.claims:
        keys |= set(backing_of(claim, shelf).keys)
    for found in storage.classes:
        for term in found.allowed_topologies or ():
            keys |= {r.key for r in term.match_label_expressions or ()}
    for capacity in storage.capacities:
        topology = capacity.node_topology
        if topology is not None:
            keys |= set(topology.match_labels or {})
            keys |= {e.key for e in topology.match_expressions or ()}
    return tuple(sorted(keys))
