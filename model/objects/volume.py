"""The volumes of a pod, as far as they decide where it can run, and whether it starts."""

from __future__ import annotations

from collections.abc import Mapping

from .configuration import ConfigMapVolumeSource, ProjectedVolumeSource, SecretVolumeSource
from .meta import ApiStruct, LabelSelector, ObjectMeta
from .quantity import Quantity


class VolumeResourceRequirements(ApiStruct, frozen=True, kw_only=True):
    """How large a volume must be, and may become."""

    requests: Mapping[str, Quantity] | None = None
    limits: Mapping[str, Quantity] | None = None


class PersistentVolumeClaimSpec(ApiStruct, frozen=True, kw_only=True):
    """What a claim asks for. No class at all means the default class, "" means none."""

    access_modes: tuple[str, ...] | None = None
    selector: LabelSelector | None = None
    resources: VolumeResourceRequirements | None = None
    volume_name: str = ""
    storage_class_name: str | None = None
    volume_mode: str = "Filesystem"


class PersistentVolumeClaimTemplate(ApiStruct, frozen=True, kw_only=True):
    """The pattern of the claim that each pod gets for itself."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()


class PersistentVolumeClaimVolumeSource(ApiStruct, frozen=True, kw_only=True):
    """The claim of a volume, in the pod's namespace."""

    claim_name: str = ""
    read_only: bool = False


class EphemeralVolumeSource(ApiStruct, frozen=True, kw_only=True):
    """A volume whose claim is made for the pod alone, and goes with it."""

    volume_claim_template: PersistentVolumeClaimTemplate | None = None


class EmptyDirVolumeSource(ApiStruct, frozen=True, kw_only=True):
    """An empty folder that lives and dies with its pod."""

    medium: str = ""
    size_limit: Quantity | None = None


class Volume(ApiStruct, frozen=True, kw_only=True):
    """A volume of a pod; sources that constrain neither scheduling nor its start are left out."""

    name: str = ""
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    ephemeral: EphemeralVolumeSource | None = None
    empty_dir: EmptyDirVolumeSource | None = None
    config_map: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
