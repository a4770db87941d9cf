"""Claims and volumes as the API shows them."""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from kubelemma.model.components.scheduler.decision.volumes import (
    ClaimKey,
    Shelf,
)
from kubelemma.model.objects.meta import ObjectMeta
from kubelemma.model.objects.pod import (
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
)
from kubelemma.model.objects.storage import (
    BIND_COMPLETED,
    SELECTED_NODE,
    CSIVolume,
    ObjectReference,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeSpec,
    PersistentVolumeStatus,
    VolumeNodeAffinity,
)

from .storage import (
    ANOTHER,
    NONE,
    ClaimState,
    Followed,
    Stock,
    Stored,
    VolumePhase,
    VolumeState,
)


@lru_cache(4096)
def shelf_of(stock: Stock, stored: Stored) -> Shelf:
    """The storage objects of a state."""
    claims = {
        found.key: _claim_object(stock, found, state)
        for found, state in zip(stock.claims, stored.claims, strict=True)
        if found.claim is not None
    }
    volumes = [
        _volume_object(stock, i, state) for i, state in enumerate(stored.volumes) if state.present
    ]
    names = {volume.name for volume in stock.volumes}
    others = (v for v in stock.storage.volumes if v.metadata.name not in names)
    beside = (c for c in stock.storage.claims if _key(c) not in claims)
    present = (
        claims[found.key]
        for found, state in zip(stock.claims, stored.claims, strict=True)
        if state.present and found.key in claims
    )
    return Shelf(replace(stock.storage, claims=(*beside, *present), volumes=(*others, *volumes)))


def _key(claim: PersistentVolumeClaim) -> ClaimKey:
    return (claim.metadata.namespace, claim.metadata.name)


def _claim_object(stock: Stock, found: Followed, state: ClaimState) -> PersistentVolumeClaim:
    claim = found.template if state.renewed else found.claim
    assert claim is not None  # noqa: S101 - absent claims are left out
    annotations = {
        k: v
        for k, v in claim.metadata.annotation_map().items()
        if k not in (BIND_COMPLETED, SELECTED_NODE)
    }
    spec = claim.spec
    if state.node != NONE:
        annotations[SELECTED_NODE] = stock.nodes[state.node].metadata.name
    if state.volume != NONE:
        annotations[BIND_COMPLETED] = "yes"
        spec = replace(spec, volume_name=stock.volumes[state.volume].name)
    metadata = replace(
        claim.metadata,
        annotations=annotations,
        deletion_timestamp="1970-01-01T00:00:00Z" if state.deleted else None,
    )
    status = replace(claim.status, phase=state.phase.name.capitalize())
    return replace(claim, metadata=metadata, spec=spec, status=status)


def _volume_object(stock: Stock, index: int, state: VolumeState) -> PersistentVolume:
    found = stock.volumes[index]
    volume = found.volume or _made(stock, index, state.segment)
    reference = volume.spec.claim_ref if state.claim == ANOTHER else None
    if state.claim >= 0:
        namespace, name = stock.claims[state.claim].key
        uid = claim.metadata.uid if (claim := stock.claims[state.claim].claim) else ""
        reference = ObjectReference(namespace=namespace, name=name, uid=uid)
    elif volume.spec.claim_ref is not None and not volume.spec.claim_ref.uid:
        reference = volume.spec.claim_ref
    metadata = replace(
        volume.metadata, deletion_timestamp="1970-01-01T00:00:00Z" if state.deleted else None
    )
    phase = "" if state.phase == VolumePhase.PENDING else state.phase.name.capitalize()
    return replace(
        volume,
        metadata=metadata,
        spec=replace(volume.spec, claim_ref=reference),
        status=PersistentVolumeStatus(phase=phase),
    )


def _made(stock: Stock, index: int, segment: int) -> PersistentVolume:
    """The volume that is made for a claim in a segment."""
    found = stock.volumes[index]
    claim = next(c.claim for c in stock.claims if c.made == index)
    assert claim is not None  # noqa: S101 - of what is absent nothing is made
    wanted = found.segments[segment] if segment != NONE else ()
    terms = tuple(
        NodeSelectorRequirement(key=key, operator="In", values=(value,)) for key, value in wanted
    )
    affinity = NodeSelector(node_selector_terms=(NodeSelectorTerm(match_expressions=terms),))
    return PersistentVolume(
        metadata=ObjectMeta(name=found.name),
        spec=PersistentVolumeSpec(
            capacity=claim.spec.resources.requests if claim.spec.resources else None,
            access_modes=claim.spec.access_modes,
            storage_class_name=claim.spec.storage_class_name or "",
            volume_mode=claim.spec.volume_mode,
            node_affinity=VolumeNodeAffinity(required=affinity) if terms else None,
            csi=CSIVolume(driver=found.backing.driver, volume_handle=found.name),
        ),
    )
