"""Volumes of the input: which claims of pods are known, and which pods are taken to be free of.

Source: ``plugin/pkg/admission/storage/storageclass/setdefault/admission.go`` (the default class),
``pkg/controller/statefulset/stateful_set_utils.go`` (the names of a StatefulSet's claims).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from kubelemma.model.manifests import Manifests
from kubelemma.model.objects.pod import Pod, PodSpec
from kubelemma.model.objects.storage import (
    BIND_COMPLETED,
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    Storage,
    StorageClass,
)
from kubelemma.model.objects.volume import (
    EphemeralVolumeSource,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimTemplate,
    PersistentVolumeClaimVolumeSource,
    Volume,
)

_UNKNOWN = "its claim is not in the input: the pod is free of it here"
_NO_VOLUME = "the volume of its claim is not in the input: the pod is free of it here"
_AT_ONCE = (
    "its claim would get a volume before the pod is scheduled, nobody knows where: "
    "the pod is free of it here"
)


class Claims(NamedTuple):
    """All storage objects, with what they say about new claims."""

    storage: Storage
    by_name: Mapping[tuple[str, str], PersistentVolumeClaim]
    volumes: frozenset[str]
    classes: Mapping[str, StorageClass]
    default: str | None

    def objection(self, volume: Volume, namespace: str) -> str | None:
        """Why a volume is left out; None if it is modelled, or constrains nothing anyway."""
        if volume.persistent_volume_claim is not None:
            name = volume.persistent_volume_claim.claim_name
            return self._against(self.by_name.get((namespace, name)))
        if volume.ephemeral is not None:
            template = volume.ephemeral.volume_claim_template
            spec = template.spec if template else PersistentVolumeClaimSpec()
            return None if self._waits(self.class_of(spec)) else _AT_ONCE
        return None

    def _against(self, claim: PersistentVolumeClaim | None) -> str | None:
        """A claim of a running cluster is taken as it is, a new one will be served at once."""
        if claim is None:
            return _UNKNOWN
        if claim.spec.volume_name:
            return None if claim.spec.volume_name in self.volumes else _NO_VOLUME
        wanted = claim.spec.storage_class_name
        pending = bool(claim.status.phase) and wanted in self.classes
        return None if pending or self._waits(wanted) else _AT_ONCE

    def _waits(self, name: str | None) -> bool:
        """Whether volumes of the class wait for the first pod that needs them."""
        found = self.classes.get(name or "")
        return found is not None and found.volume_binding_mode == "WaitForFirstConsumer"

    def class_of(self, spec: PersistentVolumeClaimSpec) -> str | None:
        """The class of a claim: where it names none, the default one."""
        return self.default if spec.storage_class_name is None else spec.storage_class_name

    def attached(self, pod: Pod) -> Pod:
        """The pod with the volumes that are modelled, and classes filled in."""
        if not pod.spec.volumes:
            return pod
        namespace = pod.metadata.namespace
        kept = tuple(
            self._filled(v) for v in pod.spec.volumes if self.objection(v, namespace) is None
        )
        return replace(pod, spec=replace(pod.spec, volumes=kept or None))

    def _filled(self, volume: Volume) -> Volume:
        if volume.ephemeral is None or volume.ephemeral.volume_claim_template is None:
            return volume
        template = volume.ephemeral.volume_claim_template
        spec = replace(template.spec, storage_class_name=self.class_of(template.spec))
        return replace(
            volume,
            ephemeral=EphemeralVolumeSource(volume_claim_template=replace(template, spec=spec)),
        )

    def left_out(self, spec: PodSpec, namespace: str) -> Iterator[tuple[int, str]]:
        """The volumes that are left out, by index, and why."""
        for index, volume in enumerate(spec.volumes or ()):
            why = self.objection(volume, namespace)
            if why is not None:
                yield index, why


def claims(manifests: Manifests) -> Claims:
    """The storage objects of the input."""
    classes = tuple(m.object for m in manifests.of(StorageClass))
    default = min((c.metadata.name for c in classes if c.is_default), default=None)
    volumes = tuple(m.object for m in manifests.of(PersistentVolume))
    names = frozenset(v.metadata.name for v in volumes)
    given = tuple(_stored(m.object, default, names) for m in manifests.of(PersistentVolumeClaim))
    storage = Storage(
        volumes=volumes,
        claims=given,
        classes=classes,
        csi_nodes=tuple(m.object for m in manifests.of(CSINode)),
        drivers=tuple(m.object for m in manifests.of(CSIDriver)),
        capacities=tuple(m.object for m in manifests.of(CSIStorageCapacity)),
    )
    by_name = {(c.metadata.namespace, c.metadata.name): c for c in given}
    return Claims(storage, by_name, names, {c.metadata.name: c for c in classes}, default)


def _stored(
    claim: PersistentVolumeClaim, default: str | None, volumes: frozenset[str]
) -> PersistentVolumeClaim:
    """The claim with its class, and bound where it names a volume that is there."""
    if claim.spec.volume_name in volumes:
        annotations = {**claim.metadata.annotation_map(), BIND_COMPLETED: "yes"}
        return replace(claim, metadata=replace(claim.metadata, annotations=annotations))
    if claim.spec.storage_class_name is not None or claim.spec.volume_name or default is None:
        return claim
    return replace(claim, spec=replace(claim.spec, storage_class_name=default))


def of_ordinal(
    spec: PodSpec,
    templates: tuple[PersistentVolumeClaimTemplate, ...],
    existing: Mapping[str, str],
) -> PodSpec:
    """A StatefulSet's pod with its claims: those that are there by name, others yet to be made.

    ``existing`` gives the names of claims by those of their templates.
    """
    names = {template.metadata.name for template in templates}
    volumes = [v for v in spec.volumes or () if v.name not in names]
    for template in templates:
        name = template.metadata.name
        if name in existing:
            source = PersistentVolumeClaimVolumeSource(claim_name=existing[name])
            volumes.append(Volume(name=name, persistent_volume_claim=source))
        else:
            own = EphemeralVolumeSource(volume_claim_template=template)
            volumes.append(Volume(name=name, ephemeral=own))
    return replace(spec, volumes=tuple(volumes) or None)
