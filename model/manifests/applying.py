"""What becomes of objects when others are applied to them, as ``kubectl apply`` does it.

Sources: ``staging/src/k8s.io/kubectl/pkg/cmd/apply/patcher.go`` and
``staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go``, ``CreateThreeWayMergePatch``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from kubelemma.model.findings import show
from kubelemma.model.kinds.registry import kind_of
from kubelemma.model.objects.meta import ApiObject

from .coverage import left_out
from .differences import TEMPLATE, Difference, beside, differing, told
from .documents import Document
from .problems import InvalidInput, Problem
from .purposes import CHECK
from .reading import Manifest, Manifests, interpret, name_in_messages
from .shapes import shape_of

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "topologySpreadConstraints": "topologyKey",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
}
"""Lists of which items are told by a field (``patchMergeKey``); all others are replaced."""
_REPLACED = frozenset({"strategy"})
"""Maps of which only what is given stays (``patchStrategy: retainKeys``)."""
_DEFAULTS: Mapping[str, Any] = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "",
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "protocol": "TCP",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "creationTimestamp": None,
    "terminationGracePeriodSeconds": 30,
    "hostNetwork": False,
    "hostPID": False,
    "hostIPC": False,
}
"""What the API server adds to templates, or is the same as nothing; of ``imagePullPolicy``,
anything."""
_NOTHING: tuple[Any, ...] = (None, "", [], (), {})
"""What a field is that is not there, as far as the model reads it."""
_LIVE = ("uid", "resourceVersion", "managedFields")
"""Fields of metadata that only the API server writes."""


class Applied(NamedTuple):
    """An object as it is after it has been applied, and ``before``; None where there was none.

    ``fields`` are those that are another value, as the model reads them, and those of a template
    that no rule reads; ``rolls``: whether there are any of a template. ``replicas``: whether what
    is applied says how many there are to be, or has taken that away.
    """

    after: Manifest[Any]
    before: Manifest[Any] | None
    fields: tuple[Difference, ...]
    rolls: bool
    replicas: bool

    @property
    def name(self) -> str:
        """What the object is called."""
        return name_in_messages(self.after.document.data, self.after.object.metadata)

    def __str__(self) -> str:
        return told(self.fields) if self.before is not None else "new"


class Change(NamedTuple):
    """What differs: ``applied``, in the order in which it is given; ``missing`` is not given.

    ``aside`` are objects that differ in what is not modelled alone, or are new and not modelled.
    """

    applied: tuple[Applied, ...]
    missing: tuple[Manifest[Any], ...]
    aside: tuple[str, ...] = ()


def change_of(old: Manifests, new: Manifests) -> Change:
    """What is different once the new objects have been applied to the old ones.

    Raises:
        InvalidInput: the API server would refuse to change a field, or what comes out.
    """
    there = {_identity(m): m for m in old.objects}
    every = {**there, **{_identity(m): m for m in new.objects}}
    things = tuple(m.object for m in every.values())
    applied, problems, aside = [], [], []
    for manifest in new.objects:
        before = there.pop(_identity(manifest), None)
        if before is None:
            applied.append(Applied(manifest, None, (), rolls=True, replicas=True))
            continue
        merged, wrong = _merged(manifest, before)
        problems += wrong
        if merged is not None:
            found = _difference(manifest, merged, before)
            problems += _refused(found, before, things)
            if any(_counts(each, kind_of(merged.object).untold) for each in found.fields):
                applied.append(found)
            elif _unmodelled(merged) != _unmodelled(before):
                aside.append(found.name)
    if problems:
        raise InvalidInput(problems)
    return Change(tuple(applied), tuple(there.values()), (*aside, *_others_aside(old, new)))


def _unmodelled(manifest: Manifest[Any]) -> Mapping[str, Any]:
    """What an object says in fields that are not modelled, or that nobody knows."""
    document, struct = manifest.document, cast("Any", kind_of(manifest.object).struct)
    shape = shape_of(struct)
    found = left_out(document.data, shape, CHECK.fields)
    return {
        show(each.path): document.value(each.path)
        for each in found
        if each.note.severity == "not modelled" and each.path[:1] == ("spec",)
    }


def _others_aside(old: Manifests, new: Manifests) -> Iterator[str]:
    """The objects of kinds that are not modelled, and could matter, that differ or are new."""
    there = _others(old)
    for name, document in _others(new).items():
        before = there.get(name)
        if before is not None:
            merged = _three_way(before.data, document.data, _last_applied(before))
            if _written(merged) == _written(before.data):
                continue
        yield name


def _others(manifests: Manifests) -> Mapping[str, Document]:
    """The objects of kinds that are not modelled and could matter, by what they are called."""
    noted = {each.position: each for each in manifests.not_modelled if not each.path}
    found = ((noted.get(document.at()), document) for document in manifests.others)
    return {
        note.object: document
        for note, document in found
        if note is not None and note.severity == "not modelled"
    }


def _written(data: Any) -> Any:
    """What people write of an object, without what the API server says and adds."""
    own = {key: value for key, value in data.items() if key not in ("metadata", "status")}
    return _unread(own, frozenset())


def _identity(manifest: Manifest[Any]) -> tuple[str, str, str]:
    metadata = manifest.object.metadata
    return (type(manifest.object).__name__, metadata.namespace, metadata.name)


def _merged(
    manifest: Manifest[Any], before: Manifest[Any]
) -> tuple[Manifest[ApiObject] | None, list[Problem]]:
    live, given = before.document.data, manifest.document.data
    data = _three_way(live, given, _last_applied(before.document))
    metadata = {**data.get("metadata", {}), "namespace": manifest.object.metadata.namespace}
    metadata = {key: value for key, value in metadata.items() if value != ""}
    document = manifest.document._replace(data={**data, "metadata": metadata})
    read, problems = interpret([document])
    return (read.objects[0] if read.objects else None), list(problems)


def _last_applied(document: Document) -> Any:
    """What was applied before; what nobody has read from an API server counts as applied."""
    metadata = document.data.get("metadata") or {}
    text = (metadata.get("annotations") or {}).get(LAST_APPLIED)
    if text is not None:
        try:
            return json.loads(text)
        except ValueError:
            return {}
    return {} if any(key in metadata for key in _LIVE) else document.data


def _three_way(live: Any, given: Any, applied: Any, field: str = "") -> Any:
    """The live value with what is given, without what was applied and is given no more."""
    if isinstance(live, dict) and isinstance(given, dict):
        earlier = applied if isinstance(applied, dict) else {}
        found = {
            key: value
            for key, value in live.items()
            if key in given or (key not in earlier and field not in _REPLACED)
        }
        for key, value in given.items():
            found[key] = (
                _three_way(live[key], value, earlier.get(key), key) if key in live else value
            )
        return found
    if field in _KEYS and isinstance(live, list) and isinstance(given, list):
        return _items(live, given, applied if isinstance(applied, list) else [], _KEYS[field])
    return given


def _items(live: list[Any], given: list[Any], applied: list[Any], key: str) -> list[Any]:
    own, earlier = ({_key(i, key): i for i in items} for items in (live, applied))
    names = [_key(item, key) for item in given]
    found = [
        _three_way(own[name], item, earlier.get(name)) if name in own else item
        for name, item in zip(names, given, strict=True)
    ]
    kept = (i for i in live if _key(i, key) not in names and _key(i, key) not in earlier)
    return [*found, *kept]


def _key(item: Any, key: str) -> str:
    return json.dumps(item.get(key) if isinstance(item, dict) else item, default=str)


def _refused(
    found: Applied, before: Manifest[Any], things: Sequence[ApiObject]
) -> Iterator[Problem]:
    """What the API server does not let anybody change."""
    document, kind = found.after.document, kind_of(found.after.object)
    for path in kind.immutable:
        if any(each.path[: len(path)] == path for each in found.fields):
            shown = json.dumps(document.value(path))
            message = f"Invalid value: {shown}: field is immutable"
            yield Problem(document.at(path), show(path), message)
    changed = tuple(each.path for each in found.fields)
    refused = kind.refused_change(before.object, found.after.object, changed)
    unadmitted = kind.unadmitted_change(before.object, found.after.object, things)
    for finding in (*refused, *unadmitted):
        yield Problem(document.at(finding.path), show(finding.path), finding.message)


def _difference(given: Manifest[Any], after: Manifest[Any], before: Manifest[Any]) -> Applied:
    new, old = (_plain(m.object) for m in (after, before))
    kind = kind_of(after.object)
    read = tuple(_told(each, kind.untold) for each in differing(old, new) if not _same(each))
    written = kind.written_whole or TEMPLATE
    old, new = (_unread(m.document.value(written)) for m in (before, after))
    unread = tuple(beside(differing(old, new, written, read=False), read))
    rolls = any(each.of_template for each in (*read, *unread))
    said = given.document.value(("spec", "replicas")) is not None
    replicas = said or any(each.path == ("spec", "replicas") for each in read)
    return Applied(after, before, (*read, *unread), rolls, replicas)


def _counts(found: Difference, untold: tuple[str, ...]) -> bool:
    """Whether it can matter: of an object whose values are told to nobody, only its keys do."""
    if not untold:
        return True
    return found.path[0] in untold and any(v in _NOTHING for v in (found.before, found.after))


def _told(found: Difference, untold: tuple[str, ...]) -> Difference:
    return found._replace(read=False) if found.path[:1] and found.path[0] in untold else found


def _same(found: Difference) -> bool:
    """Whether a field is as it is where nobody says anything of it, before and after."""
    name = str(found.path[-1]) if found.path else ""
    return all(
        value in _NOTHING or (name in _DEFAULTS and value == _DEFAULTS[name])
        for value in (found.before, found.after)
    )


def _plain(thing: ApiObject) -> Any:
    """What the model reads of an object that people write: its labels, and its own fields."""
    data = msgspec.to_builtins(thing, enc_hook=str)
    metadata = data.pop("metadata", {})
    data.pop("status", None)
    return {**data, "metadata": {"labels": metadata.get("labels", {})}}


_READ = frozenset({"resources", "limits", "requests"})


def _unread(value: Any, read: frozenset[str] = _READ) -> Any:
    """What is left of a value without what is read elsewhere, and what is the same as nothing."""
    if isinstance(value, dict):
        return {
            key: _unread(held, read)
            for key, held in value.items()
            if key not in read
            and held not in (None, [])
            and not (key in _DEFAULTS and _DEFAULTS[key] in (held, ""))
        }
    return [_unread(item, read) for item in value] if isinstance(value, list) else value
