"""Keys and sizes of ConfigMaps and Secrets, and references of pods to them.

Sources: ``ValidateConfigMap``, ``ValidateSecret``, ``validateEnv``, ``validateEnvFrom`` and
``validateVolumeSource`` in ``pkg/apis/core/validation/validation.go``; ``IsConfigMapKey`` in
``staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go``.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.configuration import (
    EnvFromSource,
    EnvVar,
    KeySelector,
    KeyToPath,
    VolumeProjection,
)
from kubelemma.model.objects.pod import PodSpec
from kubelemma.model.objects.volume import Volume

MAX_SIZE = 1024 * 1024
"""Bytes of all values together, of a ConfigMap or a Secret (``MaxSecretSize``)."""

_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_LONGEST_KEY = 253
_VARIABLE = re.compile(r"[ -<>-~]+")
_ENV_SOURCES = {"config_map_ref": "configMapRef", "secret_ref": "secretRef"}
_KEY_SOURCES = {"config_map_key_ref": "configMapKeyRef", "secret_key_ref": "secretKeyRef"}


def key_problem(key: str) -> str | None:
    """Why this is no key of a ConfigMap or a Secret; None where it is one."""
    if len(key) > _LONGEST_KEY:
        return f'"{key[:20]}..." must be no more than {_LONGEST_KEY} characters'
    if not _KEY.fullmatch(key):
        return (
            f'"{key}": a valid config key must consist of alphanumeric characters, "-", "_" or "."'
        )
    if key == ".":
        return '"." must not be "."'
    if key.startswith(".."):
        return f'"{key}" must not start with ".."' if key != ".." else '".." must not be ".."'
    return None


def keys(given: Mapping[str, str], path: FieldPath) -> Iterator[Finding]:
    """All keys of one of the fields that hold values."""
    for key in given:
        message = key_problem(key)
        if message is not None:
            yield Finding((*path, key), message)


def base64_values(given: Mapping[str, str], path: FieldPath) -> Iterator[Finding]:
    """Values that are written in base64."""
    for key, value in given.items():
        if decoded(value) is None:
            hint = " (plain text? write it under stringData)" if path == ("data",) else ""
            yield Finding((*path, key), f"is no base64{hint}")


def decoded(value: str) -> bytes | None:
    """The bytes that a value in base64 stands for; None where it is none."""
    try:
        return b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return None


def size_of(plain: Mapping[str, str], encoded: Mapping[str, str]) -> int:
    """How many bytes values hold together."""
    return sum(len(v.encode()) for v in plain.values()) + sum(
        len(decoded(v) or b"") for v in encoded.values()
    )


def too_long(size: int, path: FieldPath) -> Iterator[Finding]:
    """More than an object may hold."""
    if size > MAX_SIZE:
        yield Finding(path, f"Too long: may not be more than {MAX_SIZE} bytes, and is {size}")


def referred(spec: PodSpec, path: FieldPath) -> Iterator[Finding]:
    """What is refused in references of a pod to ConfigMaps and Secrets."""
    for field, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers or ()):
            here: FieldPath = (*path, field, index)
            yield from _variables(container.env or (), (*here, "env"))
            yield from _sources(container.env_from or (), (*here, "envFrom"))
    for index, volume in enumerate(spec.volumes or ()):
        yield from _volume(volume, (*path, "volumes", index))


def _variables(given: Sequence[EnvVar], path: FieldPath) -> Iterator[Finding]:
    for index, variable in enumerate(given):
        here: FieldPath = (*path, index)
        if not variable.name:
            yield Finding((*here, "name"), "is required")
        elif not _VARIABLE.fullmatch(variable.name):
            message = f'"{variable.name}": only printable ASCII characters, without "="'
            yield Finding((*here, "name"), message)
        source = variable.value_from
        if source is None:
            continue
        given_here = [name for name in _KEY_SOURCES if getattr(source, name) is not None]
        if len(given_here) > 1:
            yield Finding(
                (*here, "valueFrom"), "may not have more than one field specified at a time"
            )
        for name in given_here:
            yield from _key_selector(
                getattr(source, name), (*here, "valueFrom", _KEY_SOURCES[name])
            )


def _key_selector(selector: KeySelector, path: FieldPath) -> Iterator[Finding]:
    if not selector.name:
        yield Finding((*path, "name"), "is required")
    if not selector.key:
        yield Finding((*path, "key"), "is required")
    elif (message := key_problem(selector.key)) is not None:
        yield Finding((*path, "key"), message)


def _sources(given: Sequence[EnvFromSource], path: FieldPath) -> Iterator[Finding]:
    for index, source in enumerate(given):
        here: FieldPath = (*path, index)
        named = [name for name in _ENV_SOURCES if getattr(source, name) is not None]
        if not named:
            yield Finding(here, "must specify one of: `configMapRef` or `secretRef`")
        elif len(named) > 1:
            yield Finding(here, "may not have more than one field specified at a time")
        for name in named:
            if not getattr(source, name).name:
                yield Finding((*here, _ENV_SOURCES[name], "name"), "is required")


def _volume(volume: Volume, path: FieldPath) -> Iterator[Finding]:
    if volume.config_map is not None:
        here: FieldPath = (*path, "configMap")
        if not volume.config_map.name:
            yield Finding((*here, "name"), "is required")
        yield from _items(volume.config_map.items or (), (*here, "items"))
    if volume.secret is not None:
        here = (*path, "secret")
        if not volume.secret.secret_name:
            yield Finding((*here, "secretName"), "is required")
        yield from _items(volume.secret.items or (), (*here, "items"))
    if volume.projected is not None:
        for index, source in enumerate(volume.projected.sources or ()):
            yield from _projection(source, (*path, "projected", "sources", index))


def _projection(source: VolumeProjection, path: FieldPath) -> Iterator[Finding]:
    if source.config_map is not None and source.secret is not None:
        yield Finding((*path, "configMap"), "may not specify more than 1 volume type per source")
    for name, found in (("configMap", source.config_map), ("secret", source.secret)):
        if found is not None:
            if not found.name:
                yield Finding((*path, name, "name"), "is required")
            yield from _items(found.items or (), (*path, name, "items"))


def _items(items: Sequence[KeyToPath], path: FieldPath) -> Iterator[Finding]:
    for index, item in enumerate(items):
        here: FieldPath = (*path, index)
        if not item.key:
            yield Finding((*here, "key"), "is required")
        if not item.path:
            yield Finding((*here, "path"), "is required")
        elif item.path.startswith("/"):
            yield Finding((*here, "path"), f'"{item.path}" must be a relative path')
        elif ".." in item.path.split("/"):
            yield Finding((*here, "path"), f'"{item.path}" must not contain ".."')
        elif item.path.startswith(".."):
            yield Finding((*here, "path"), f'"{item.path}" must not start with ".."')
