"""ConfigMaps and Secrets, and how containers and volumes of a pod refer to them."""

from __future__ import annotations

from collections.abc import Mapping

from .meta import ApiObject, ApiStruct


class ConfigMap(ApiObject, frozen=True, kw_only=True):
    """A ConfigMap; of what it holds only the keys make a difference to the control plane."""

    data: Mapping[str, str] | None = None
    binary_data: Mapping[str, str] | None = None
    immutable: bool = False

    def keys(self) -> frozenset[str]:
        """What can be referred to by name."""
        return frozenset((*(self.data or {}), *(self.binary_data or {})))


class Secret(ApiObject, frozen=True, kw_only=True):
    """A Secret. Values in ``data`` are base64; the API server moves ``stringData`` there."""

    data: Mapping[str, str] | None = None
    string_data: Mapping[str, str] | None = None
    type: str = ""
    immutable: bool = False

    def keys(self) -> frozenset[str]:
        """What can be referred to by name."""
        return frozenset((*(self.data or {}), *(self.string_data or {})))


class KeySelector(ApiStruct, frozen=True, kw_only=True):
    """One key of an object in the pod's namespace, for a variable."""

    name: str = ""
    key: str = ""
    optional: bool = False


class EnvVarSource(ApiStruct, frozen=True, kw_only=True):
    """Where the value of a variable comes from."""

    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None


class EnvVar(ApiStruct, frozen=True, kw_only=True):
    """A variable of a container's environment."""

    name: str = ""
    value_from: EnvVarSource | None = None


class EnvSource(ApiStruct, frozen=True, kw_only=True):
    """An object all of whose keys become variables."""

    name: str = ""
    optional: bool = False


class EnvFromSource(ApiStruct, frozen=True, kw_only=True):
    """All keys of a ConfigMap or of a Secret as variables."""

    config_map_ref: EnvSource | None = None
    secret_ref: EnvSource | None = None


class KeyToPath(ApiStruct, frozen=True, kw_only=True):
    """A key that becomes a file."""

    key: str = ""
    path: str = ""


class ConfigMapVolumeSource(ApiStruct, frozen=True, kw_only=True):
    """The keys of a ConfigMap as files: those in ``items``, or all."""

    name: str = ""
    items: tuple[KeyToPath, ...] | None = None
    optional: bool = False


class SecretVolumeSource(ApiStruct, frozen=True, kw_only=True):
    """The keys of a Secret as files: those in ``items``, or all."""

    secret_name: str = ""
    items: tuple[KeyToPath, ...] | None = None
    optional: bool = False


class SecretProjection(ApiStruct, frozen=True, kw_only=True):
    """The same as one of several sources of a volume."""

    name: str = ""
    items: tuple[KeyToPath, ...] | None = None
    optional: bool = False


class VolumeProjection(ApiStruct, frozen=True, kw_only=True):
    """One source of a projected volume."""

    config_map: ConfigMapVolumeSource | None = None
    secret: SecretProjection | None = None


class ProjectedVolumeSource(ApiStruct, frozen=True, kw_only=True):
    """Several sources in one folder."""

    sources: tuple[VolumeProjection, ...] | None = None
