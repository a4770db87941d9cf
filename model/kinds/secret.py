"""Secret.

Source: ``ValidateSecret`` and ``ValidateSecretUpdate`` in
``pkg/apis/core/validation/validation.go``; ``SetDefaults_Secret`` in
``pkg/apis/core/v1/defaults.go``.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.configuration import Secret

from .kind import Kind, Use
from .notes import NOT_PLACING, Note, irrelevant
from .parts.configuration import base64_values, decoded, keys, size_of, too_long

_LATER = "keeps its values from being changed, and nobody in a check changes any"
_FIXED = "Forbidden: field is immutable when `immutable` is set"
_HELD = ("data", "stringData")

OPAQUE = "Opaque"
_ACCOUNT = "kubernetes.io/service-account.name"
_ALL_OF: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}
"""The keys that a Secret of a type has."""
_EITHER_OF: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/basic-auth": ("username", "password"),
}
"""Keys of which a Secret of a type has at least one."""
_JSON = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}


def _filled(thing: Secret) -> Secret:
    """What is given as text becomes base64, and is stored with the rest."""
    text = {key: b64encode(v.encode()).decode() for key, v in (thing.string_data or {}).items()}
    data = {**(thing.data or {}), **text} if text else thing.data
    return replace(thing, data=data, string_data=None, type=thing.type or OPAQUE)


def _refused(thing: Secret) -> Iterator[Finding]:
    data, text = thing.data or {}, thing.string_data or {}
    yield from keys(data, ("data",))
    yield from keys(text, ("stringData",))
    yield from base64_values(data, ("data",))
    kept = {key: value for key, value in data.items() if key not in text}
    yield from too_long(size_of(text, kept), ("data",))
    yield from _of_type(thing)


def _of_type(thing: Secret) -> Iterator[Finding]:
    there = thing.keys()
    for key in _ALL_OF.get(thing.type, ()):
        if key not in there:
            yield Finding(("data", key), f"Required value: a Secret of type {thing.type} has it")
    either = _EITHER_OF.get(thing.type, ())
    if either and there.isdisjoint(either):
        words = " or ".join(either)
        yield Finding(("data",), f"Required value: a Secret of type {thing.type} has {words}")
    account = thing.metadata.annotation_map().get(_ACCOUNT)
    if thing.type == "kubernetes.io/service-account-token" and not account:
        path: FieldPath = ("metadata", "annotations", _ACCOUNT)
        yield Finding(path, f"Required value: a Secret of type {thing.type} has it")
    key = _JSON.get(thing.type, "")
    text = (thing.string_data or {}).get(key)
    value = decoded((thing.data or {}).get(key, "")) if text is None else text.encode()
    if key in there and value is not None and not _is_json(value):
        yield Finding(("data", key), "is no JSON (its value is not shown)")


def _is_json(value: bytes) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _refused_change(
    before: Secret, after: Secret, changed: tuple[FieldPath, ...]
) -> Iterator[Finding]:
    if before.immutable and not after.immutable:
        yield Finding(("immutable",), _FIXED)
    if before.immutable and any(path[:1] == ("data",) for path in changed):
        yield Finding(("data",), _FIXED)


KIND = Kind(
    Secret,
    "v1",
    check=Use(
        fields={
            Secret: {
                **irrelevant(_LATER, "immutable"),
                **irrelevant("says what its keys are meant for", "type"),
            },
        }
    ),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    filled=_filled,
    refused=_refused,
    immutable=(("type",),),
    refused_change=_refused_change,
    untold=_HELD,
)
