"""What loaded controllers and users send to the API server, and what it answers.

Source: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (names, conflicts,
finalizers), staging/src/k8s.io/apiserver/pkg/storage/names/generate.go (generated names).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from .objects import EMPTY, FrozenMap, Object, Objects, Owner, find, freeze, title

Verb: TypeAlias = Literal["create", "update", "patch", "delete", "get"]


class ApiError(Exception):
    """The API server refuses a request; loaded controllers may catch it."""


class AlreadyExists(ApiError):
    """409: there is an object of this name."""


class NotFound(ApiError):
    """404: there is no object of this name (any more)."""


class Conflict(ApiError):
    """409: the object has changed since it was read."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request about one object; made by the functions below.

    Attributes:
        namespace: None where that of the object in question is meant.
        name: empty where the API server is to generate one from ``prefix``.
        read: the object as it was read, where the request holds only for that version.
        parts: the new values of the attributes of `Object`, or for ``patch`` what is merged into
            them.
    """

    verb: Verb
    kind: str
    namespace: str | None
    name: str
    prefix: str = ""
    read: Object | None = None
    parts: FrozenMap = EMPTY

    @property
    def key(self) -> tuple[str, str]:
        """The namespace and name that it asks for."""
        return (self.namespace or "", self.name)

    @property
    def target(self) -> str:
        """What it is about; of a name that is to be generated, its beginning."""
        return title(self.kind, self.namespace or "", self.name or f"{self.prefix}*")

    def __str__(self) -> str:
        return f"{self.verb} {self.target}"


def create(  # noqa: PLR0913 - the parts of an object are as many as they are
    kind: str,
    name: str = "",
    *,
    generate_name: str = "",
    namespace: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    finalizers: Iterable[str] = (),
    owner: Object | None = None,
    spec: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Request:
    """POST an object; its answer is the object as it was stored.

    It takes either a name, or ``generate_name``, from which a free one is made. Its namespace is
    that of the object in question unless said otherwise; ``owner`` becomes its owner reference.

    Raises:
        ValueError: there are two names, or none.
        NotJson: a field holds something else than JSON.
    """
    if bool(name) == bool(generate_name):
        raise ValueError(f"create of {kind} takes either a name or generate_name")
    owners = (Owner(owner.kind, owner.name),) if owner else ()
    given = _parts(labels=labels, annotations=annotations, spec=spec, data=data)
    parts = FrozenMap({**given, "finalizers": tuple(finalizers), "owners": owners})
    return Request("create", kind, namespace, name, generate_name, parts=parts)


def update(
    obj: Object,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    finalizers: Iterable[str] | None = None,
    spec: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Request:
    """PUT an object: what is given replaces what it has, and all else stays.

    The API server refuses it (`Conflict`) where the object is not as it was read any more.
    """
    given = _parts(labels=labels, annotations=annotations, spec=spec, data=data)
    parts = FrozenMap(given | _finalizers(finalizers))
    return Request("update", obj.kind, obj.namespace, obj.name, read=obj, parts=parts)


def update_status(obj: Object, status: Mapping[str, Any]) -> Request:
    """PUT the status of an object; refused (`Conflict`) where the object has changed."""
    parts = FrozenMap(_parts(status=status))
    return Request("update", obj.kind, obj.namespace, obj.name, read=obj, parts=parts)


def patch(
    obj: Object,
    *,
    labels: Mapping[str, str | None] | None = None,
    annotations: Mapping[str, str | None] | None = None,
    finalizers: Iterable[str] | None = None,
    spec: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Request:
    """PATCH an object, whatever has become of it: a merge patch, in which None deletes a key.

    Finalizers are replaced as a whole.
    """
    given = _parts(labels=labels, annotations=annotations, spec=spec, data=data)
    parts = FrozenMap(given | _finalizers(finalizers))
    return Request("patch", obj.kind, obj.namespace, obj.name, parts=parts)


def patch_status(obj: Object, status: Mapping[str, Any]) -> Request:
    """PATCH the status of an object: a merge patch, in which None deletes a key."""
    parts = FrozenMap(_parts(status=status))
    return Request("patch", obj.kind, obj.namespace, obj.name, parts=parts)


def delete(obj: Object) -> Request:
    """DELETE an object: it goes at once, or as soon as it has no finalizers any more."""
    return Request("delete", obj.kind, obj.namespace, obj.name)


def get(kind: str, name: str, namespace: str | None = None) -> Request:
    """GET an object past the cache; its answer is the object, or None where there is none."""
    return Request("get", kind, namespace, name)


def located(request: Request, namespace: str, cluster_scoped: Collection[str] = ()) -> Request:
    """The request with its namespace, if it names none: ``namespace``, or none for such kinds."""
    if request.namespace is not None:
        return request
    return replace(request, namespace="" if request.kind in cluster_scoped else namespace)


def _parts(**given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: freeze(value, name) for name, value in given.items() if value is not None}


def _finalizers(given: Iterable[str] | None) -> dict[str, Any]:
    return {} if given is None else {"finalizers": tuple(given)}


# What the API server does


class Performed(NamedTuple):
    """The objects of the kind afterwards, the answer, and what was done in a few words."""

    objects: Objects
    answer: Object | None


def perform(request: Request, objects: Objects) -> Performed:
    """Do what is asked, to the objects of the kind; the request is `located`.

    Raises:
        ApiError: the API server refuses.
    """
    namespace, name = request.key
    if request.verb == "create":
        return _create(request, objects, namespace)
    found = find(objects, request.key)
    if request.verb == "get":
        return Performed(objects, found)
    if found is None:
        raise NotFound(f"{title(request.kind, namespace, name)} does not exist")
    if request.read is not None and request.read != found:
        raise Conflict(f"{found} has changed since it was read")
    after = _deleted(found) if request.verb == "delete" else _written(request, found)
    gone = after.deleting and not after.finalizers
    return Performed(_with(objects, found, None if gone else after), after)


def _create(request: Request, objects: Objects, namespace: str) -> Performed:
    name = request.name or _generated(request.prefix, namespace, objects)
    if find(objects, (namespace, name)) is not None:
        raise AlreadyExists(f"{title(request.kind, namespace, name)} exists already")
    created = Object(request.kind, namespace, name, **request.parts)
    return Performed(_sorted((*objects, created)), created)


def _generated(prefix: str, namespace: str, objects: Objects) -> str:
    """The first free name: which one it is makes no difference, and fewer names, fewer states."""
    number = 1
    while find(objects, (namespace, f"{prefix}{number}")) is not None:
        number += 1
    return f"{prefix}{number}"


def _deleted(found: Object) -> Object:
    return replace(found, deleting=True)


def _written(request: Request, found: Object) -> Object:
    parts = dict(request.parts)
    if request.verb == "patch":
        merged = (name for name in parts if name != "finalizers")
        parts |= {name: _merged(getattr(found, name), parts[name]) for name in merged}
    return replace(found, **parts)


def _merged(value: Any, change: Any) -> Any:
    """A JSON merge patch (RFC 7386)."""
    if not isinstance(change, FrozenMap):
        return change
    old = value if isinstance(value, FrozenMap) else EMPTY
    kept = {k: v for k, v in old.items() if k not in change}
    new = {k: _merged(old.get(k), v) for k, v in change.items() if v is not None}
    return FrozenMap(kept | new)


def _with(objects: Objects, found: Object, after: Object | None) -> Objects:
    kept = tuple(other for other in objects if other is not found)
    return _sorted(kept if after is None else (*kept, after))


def _sorted(objects: Iterable[Object]) -> Objects:
    return tuple(sorted(objects, key=lambda found: found.key))
