"""What of ConfigMaps and Secrets has to be there before the containers of a pod are started.

Sources: ``makeEnvironmentVariables`` in pkg/kubelet/kubelet_pods.go for variables, which are put
together whenever a container is created; pkg/volume/configmap/configmap.go,
pkg/volume/secret/secret.go and pkg/volume/projected/projected.go for volumes, which are mounted
before the first one is; ``getPullSecretsForPod`` in pkg/kubelet/kubelet_pods.go and
pkg/kubelet/images/image_manager.go for Secrets with which images are pulled. What a container has
read is its own: neither a change nor a deletion of the object stops it, or starts it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kubelemma.model.findings import FieldPath
from kubelemma.model.objects.configuration import (
    ConfigMapVolumeSource,
    EnvVarSource,
    KeyToPath,
    SecretProjection,
    SecretVolumeSource,
)
from kubelemma.model.objects.pod import Container, Pod
from kubelemma.model.objects.volume import Volume

from .images import NEVER, images_of

CONFIG_MAP = "ConfigMap"
SECRET = "Secret"  # noqa: S105 - the name of a kind
ROOT_CA = "kube-root-ca.crt"
"""The ConfigMap that the controller manager puts into every namespace
(pkg/controller/certificates/rootcacertpublisher/publisher.go)."""


class Source(NamedTuple):
    """Which object is meant."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Need(NamedTuple):
    """An object, or some of its keys, without which containers of a pod are not started.

    ``mounted`` says that it is a volume, and no variable; ``pulling`` that the registry of its
    images asks for it; ``path`` where the pod's specification refers to it.
    """

    source: Source
    keys: tuple[str, ...]
    mounted: bool
    path: FieldPath
    pulling: bool = False

    @property
    def reason(self) -> str:
        """What the kubelet calls it when it is not met."""
        if self.pulling:
            return "ImagePullBackOff"
        return "FailedMount" if self.mounted else "CreateContainerConfigError"


def needs(pod: Pod) -> Iterator[Need]:
    """All that a pod needs, but for what is optional and what is in every namespace anyway."""
    spec, namespace = pod.spec, pod.metadata.namespace
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            yield from _of_container(container, namespace, (field, index))
    for index, volume in enumerate(spec.volumes or ()):
        yield from _of_volume(volume, namespace, ("volumes", index))
    yield from _pulling(pod)


def _pulling(pod: Pod) -> Iterator[Need]:
    """The Secret for pulling its images, where it names one.

    Of several, one that is missing is passed over, as another may be the one that is asked for. An
    image that is on the node, and was pulled with credentials, is not given to a pod without them
    (the feature gate KubeletEnsureSecretPulledImages).
    """
    named = [(i, s.name) for i, s in enumerate(pod.spec.image_pull_secrets or ()) if s.name]
    if len(named) == 1 and any(image.policy != NEVER for image in images_of(pod)):
        ((index, name),) = named
        source = Source(SECRET, pod.metadata.namespace, name)
        path: FieldPath = ("imagePullSecrets", index, "name")
        yield Need(source, (), mounted=False, path=path, pulling=True)


def _of_container(container: Container, namespace: str, path: FieldPath) -> Iterator[Need]:
    for index, each in enumerate(container.env_from or ()):
        for kind, field, found in (
            (CONFIG_MAP, "configMapRef", each.config_map_ref),
            (SECRET, "secretRef", each.secret_ref),
        ):
            if found is not None and not found.optional:
                source = Source(kind, namespace, found.name)
                yield Need(source, (), mounted=False, path=(*path, "envFrom", index, field))
    for index, variable in enumerate(container.env or ()):
        given = variable.value_from or EnvVarSource()
        for kind, field, key in (
            (CONFIG_MAP, "configMapKeyRef", given.config_map_key_ref),
            (SECRET, "secretKeyRef", given.secret_key_ref),
        ):
            if key is not None and not key.optional:
                at = (*path, "env", index, "valueFrom", field)
                source = Source(kind, namespace, key.name)
                yield Need(source, (key.key,), mounted=False, path=at)


def _of_volume(volume: Volume, namespace: str, path: FieldPath) -> Iterator[Need]:
    if volume.config_map is not None:
        yield from _mounted(volume.config_map, namespace, (*path, "configMap"))
    if volume.secret is not None:
        yield from _mounted(volume.secret, namespace, (*path, "secret"))
    sources = volume.projected.sources if volume.projected is not None else None
    for index, each in enumerate(sources or ()):
        at: FieldPath = (*path, "projected", "sources", index)
        if each.config_map is not None:
            yield from _mounted(each.config_map, namespace, (*at, "configMap"))
        if each.secret is not None:
            yield from _mounted(each.secret, namespace, (*at, "secret"))


def _mounted(
    found: ConfigMapVolumeSource | SecretVolumeSource | SecretProjection,
    namespace: str,
    path: FieldPath,
) -> Iterator[Need]:
    if isinstance(found, ConfigMapVolumeSource):
        source = Source(CONFIG_MAP, namespace, found.name)
    else:
        named = found.secret_name if isinstance(found, SecretVolumeSource) else found.name
        source = Source(SECRET, namespace, named)
    if not found.optional and source[::2] != (CONFIG_MAP, ROOT_CA):
        yield Need(source, _keys(found.items or ()), mounted=True, path=path)


def _keys(items: Sequence[KeyToPath]) -> tuple[str, ...]:
    return tuple(item.key for item in items)


def lacking(need: Need, keys: frozenset[str] | None) -> str:
    """What is not there, in the kubelet's words; empty where all is.

    ``keys`` are those that the object has; None where there is no such object.
    """
    source = need.source
    kind = source.kind.lower()
    if keys is None:
        return f'{kind} "{source.name}" not found'
    absent = next((key for key in need.keys if key not in keys), None)
    if absent is None:
        return ""
    if need.mounted:
        word = "config" if source.kind == CONFIG_MAP else kind
        return f"references non-existent {word} key: {absent}"
    return f"couldn't find key {absent} in {source.kind} {source.namespace}/{source.name}"


class Kept(NamedTuple):
    """An object that there is, and which of the keys that somebody needs it has."""

    source: Source
    keys: frozenset[str]


class Absent(NamedTuple):
    """That there is no such object, whatever else was given."""

    source: Source
