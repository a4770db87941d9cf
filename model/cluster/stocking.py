"""Which claims and volumes of an input are followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

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
    VolumeAttachment,
)

from .storage import (
    NONE,
    ClaimToMake,
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
    VolumeAttachment,
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

    Claims that are made for pods are among them where the input has none of that name. Of several
    default classes the newest is taken, and of equally old ones the first by name.
    """
    every = tuple(objects)

    def of(kind: type[Any]) -> tuple[Any, ...]:
        return tuple(each for each in every if isinstance(each, kind))

    given = [c for c in of(PersistentVolumeClaim) if not isinstance(c, ClaimToMake)]
    there = {(claim.metadata.namespace, claim.metadata.name) for claim in given}
    made = (claim for claim in of(ClaimToMake) if claim.key not in there)
    return Storage(
        volumes=of(PersistentVolume),
        claims=_with_class((*given, *made), of(StorageClass)),
        classes=of(StorageClass),
        csi_nodes=of(CSINode),
        drivers=of(CSIDriver),
        capacities=of(CSIStorageCapacity),
    )


ClaimT = TypeVar("ClaimT", bound=PersistentVolumeClaim)


def _with_class(claims: Iterable[ClaimT], classes: tuple[StorageClass, ...]) -> tuple[ClaimT, ...]:
    """The claims as admission stores them."""
    shelf = Shelf(Storage(classes=classes))
    return tuple(
        replace(claim, spec=replace(claim.spec, storage_class_name=shelf.default_class))
        if claim.spec.storage_class_name is None
        and not claim.spec.volume_name
        and shelf.default_class
        and shelf.class_of(claim) == shelf.default_class
        else claim
        for claim in claims
    )


def stock_of(world: World) -> Stock:
    """What is followed in a world: the claims of its pods, and their volumes."""
    pods = tuple(c.pod for c in world.classes)
    keys = tuple(dict.fromkeys(key for pod in pods for key in used_claims(pod)))
    if not keys:
        return _EMPTY
    storage = storage_of(world.objects)
    nodes = tuple(shape.node for shape in world.shapes)
    made = _with_class(world.objects_of(ClaimToMake), storage.classes)
    claims, volumes = _followed(keys, storage, nodes, {claim.key: claim for claim in made})
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
    ways = (updates for workload in world.workloads for updates in workload.updates)
    collects = any(updates.deletes_claims for updates in ways)
    told = attached_by_input(world.objects)
    attached_to = {
        number: frozenset(i for i, node in enumerate(nodes) if node.metadata.name in told[name])
        for number in dict.fromkeys(claim.wanted for claim in claims if claim.wanted != NONE)
        for name in (volumes[number].name,)
        if name in told
    }
    return Stock(storage, claims, volumes, uses, beside, nodes, collects, attached_to)


def attached_by_input(objects: Iterable[Any]) -> Mapping[str, frozenset[str]]:
    """The nodes that volumes are attached to, of those of which the input has a VolumeAttachment.

    One that is not done yet is of no node, and so says that the volume is not there.
    """
    found: dict[str, set[str]] = {}
    for each in objects:
        if isinstance(each, VolumeAttachment) and each.spec.source.persistent_volume_name:
            nodes = found.setdefault(each.spec.source.persistent_volume_name, set())
            nodes |= {each.spec.node_name} if each.status.attached else set()
    return {name: frozenset(nodes) for name, nodes in found.items()}


_EMPTY = Stock(Storage(), (), (), (), ())


def _followed(
    keys: Sequence[ClaimKey],
    storage: Storage,
    nodes: Sequence[Node],
    made_from: Mapping[ClaimKey, ClaimToMake],
) -> tuple[tuple[Followed, ...], tuple[Volume, ...]]:
    shelf = Shelf(storage)
    of_input = (c for c in storage.claims if not isinstance(c, ClaimToMake))
    given_keys = {(c.metadata.namespace, c.metadata.name) for c in of_input}
    found: list[Followed] = []
    volumes: dict[str, Volume] = {}

    def at(volume: Volume) -> int:
        volumes.setdefault(volume.name, volume)
        return list(volumes).index(volume.name)

    for key in keys:
        claim, template = shelf.claims.get(key), made_from.get(key)
        if claim is None:
            found.append(Followed(key, None))
            continue
        wanted = NONE
        if claim.spec.volume_name:
            given = shelf.volumes.get(claim.spec.volume_name)
            wanted = at(_given(given, shelf) if given else _unseen(claim, shelf))
            if template is None:
                found.append(Followed(key, claim, wanted=wanted))
                continue
        open_ = claim if wanted == NONE or template is None else template
        matching = (v for v in storage.volumes if might_match(v, open_, shelf))
        candidates = tuple(at(_given(volume, shelf)) for volume in matching)
        backing = backing_of(open_, shelf)
        made = at(_to_make(open_, backing, shelf, nodes)) if backing.makes else NONE
        own = claim if template is None or key in given_keys else template
        found.append(Followed(key, own, backing.waits, made, candidates, wanted, template))
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
