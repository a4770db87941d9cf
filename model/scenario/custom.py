"""The loaded part of a scenario: its objects at the start, its bounds, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kubelemma.model.components.reconcile.declarations import Code, Controller, CustomEvent
from kubelemma.model.components.reconcile.legal import BUILT_IN
from kubelemma.model.components.reconcile.objects import FrozenMap, Object, Objects, Owner, freeze
from kubelemma.model.components.reconcile.sources import Custom
from kubelemma.model.kinds.parts.metadata import DEFAULT_NAMESPACE
from kubelemma.model.kinds.registry import CLUSTER_SCOPED, KNOWN
from kubelemma.model.manifests.check import CheckSpec
from kubelemma.model.manifests.coverage import NotModelled
from kubelemma.model.manifests.custom import (
    DEFINITION,
    Definition,
    belongs,
    definitions,
    with_schema_defaults,
)
from kubelemma.model.manifests.documents import Document
from kubelemma.model.manifests.problems import Problem
from kubelemma.model.manifests.reading import Manifests

MORE_OBJECTS = 4
"""So many objects more than at the start are followed of each kind, where nobody says."""
_KEPT = frozenset({"apiVersion", "kind", "metadata", "spec", "status", "data"})


class Kept(NamedTuple):
    """An object that is kept as it is, and where it is written."""

    object: Object
    document: Document


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loaded code brings to an application.

    Attributes:
        predicates: the code of its properties, on which verdicts depend, too.
        kinds: all that anything of it looks at.
        objects: those of its kinds, but for what the model has its own idea of.
        cluster_scoped: those of its kinds whose objects are in no namespace.
    """

    controllers: tuple[Controller, ...] = ()
    events: tuple[CustomEvent, ...] = ()
    predicates: tuple[Code, ...] = ()
    kinds: tuple[str, ...] = ()
    objects: tuple[Object, ...] = ()
    cluster_scoped: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.controllers or self.events or self.predicates)

    @property
    def built_in(self) -> frozenset[str]:
        """The kinds that the model has its own idea of: what it has is one system with them."""
        return BUILT_IN & frozenset(self.kinds)


NOTHING_LOADED = Loaded()


def custom_of(loaded: Loaded, spec: CheckSpec) -> Custom:
    """The loaded part under a Check; how caches may lag holds for whatever is reconciled."""
    kinds = [kind for kind in loaded.kinds if kind not in BUILT_IN]
    objects = {kind: _sorted(o for o in loaded.objects if o.kind == kind) for kind in kinds}
    faults, bound = spec.faults, spec.bounds.max_objects
    restarts, lists = faults.controller_restarts, faults.stale_lists
    scope = loaded.cluster_scoped
    return Custom(
        controllers=tuple(replace(c, cluster_scoped=scope) for c in loaded.controllers),
        events=tuple(replace(event, cluster_scoped=scope) for event in loaded.events),
        predicates=loaded.predicates,
        objects=objects,
        restarts=1 if restarts is None else restarts,
        lag=faults.stale_reads,
        lists=faults.stale_reads if lists is None else lists,
        most={kind: bound or len(found) + MORE_OBJECTS for kind, found in objects.items()},
        built_in=loaded.built_in,
    )


def _sorted(objects: Iterable[Object]) -> Objects:
    return tuple(sorted(objects, key=lambda found: found.key))


# From manifests


def known_kinds(manifests: Manifests) -> frozenset[str]:
    """All kinds that Kubernetes, a definition or an object has."""
    defined = {definition.kind for definition in definitions(manifests.others)}
    written = {document.data["kind"] for document in manifests.others}
    return KNOWN | defined | written


def cluster_scoped(manifests: Manifests, kinds: Iterable[str]) -> frozenset[str]:
    """Those of the kinds whose objects are in no namespace."""
    own = {d.kind for d in definitions(manifests.others) if not d.namespaced}
    return frozenset(kinds) & (CLUSTER_SCOPED | own)


def kept_objects(
    manifests: Manifests, kinds: Iterable[str], namespace: str
) -> tuple[tuple[Kept, ...], tuple[Problem, ...]]:
    """The objects of these kinds, and what is wrong with them.

    ``namespace`` is of those that name none.
    """
    wanted = frozenset(kinds)
    defined = definitions(manifests.others)
    kept: list[Kept] = []
    problems: list[Problem] = []
    groups: dict[str, str] = {}
    for document in _documents(manifests, wanted - BUILT_IN):
        kind, group = document.data["kind"], document.data["apiVersion"].rpartition("/")[0]
        if groups.setdefault(kind, group) != group:
            message = f"{kind} is a kind of {groups[kind]} already: they cannot be told apart here"
            problems.append(Problem(document.at(("apiVersion",)), "apiVersion", message))
        definition = next((d for d in defined if belongs(document, d)), None)
        kept.append(Kept(_object(document, definition, namespace or DEFAULT_NAMESPACE), document))
    return tuple(kept), (*problems, *_twice(kept))


def _documents(manifests: Manifests, kinds: frozenset[str]) -> Iterator[Document]:
    """The documents of these kinds; what is read for another purpose, too, is found twice."""
    every = (*manifests.others, *(manifest.document for manifest in manifests.objects))
    own = {document.at(): document for document in every if document.data["kind"] in kinds}
    yield from own.values()


def _twice(kept: Iterable[Kept]) -> Iterator[Problem]:
    first: dict[str, Document] = {}
    for found, document in kept:
        if str(found) in first:
            where = first[str(found)].at(("metadata", "name"))
            message = f"{found} is defined twice (first in {where})"
            yield Problem(document.at(("metadata", "name")), "metadata.name", message)
        first.setdefault(str(found), document)


def _object(document: Document, definition: Definition | None, namespace: str) -> Object:
    data = with_schema_defaults(document, definition)
    metadata = data.get("metadata") or {}
    kind = data["kind"]
    everywhere = kind in CLUSTER_SCOPED or (definition is not None and not definition.namespaced)
    owners = metadata.get("ownerReferences") or ()
    return Object(
        kind=kind,
        namespace="" if everywhere else metadata.get("namespace") or namespace,
        name=str(metadata.get("name") or ""),
        labels=_map(metadata, "labels"),
        annotations=_map(metadata, "annotations"),
        owners=tuple(Owner(str(o.get("kind")), str(o.get("name"))) for o in owners),
        finalizers=tuple(metadata.get("finalizers") or ()),
        deleting=bool(metadata.get("deletionTimestamp")),
        spec=_map(data, "spec"),
        status=_map(data, "status"),
        data=_map(data, "data"),
    )


def _map(data: Mapping[str, Any], part: str) -> FrozenMap:
    frozen = freeze(data.get(part) or {}, part)
    return frozen if isinstance(frozen, FrozenMap) else FrozenMap({"": frozen})


def without_kept(manifests: Manifests, kinds: Iterable[str], kept: tuple[Kept, ...]) -> Manifests:
    """The manifests, where what is kept is not listed as left out any more, but for odd parts.

    Nor are the definitions of these kinds.
    """
    places = {found.document.at() for found in kept}
    places |= {d.document.at() for d in definitions(manifests.others) if d.kind in set(kinds)}
    left = tuple(m for m in manifests.not_modelled if m.path or m.position not in places)
    return manifests._replace(not_modelled=(*left, *_odd_parts(kept)))


def _odd_parts(kept: Iterable[Kept]) -> Iterator[NotModelled]:
    for found, document in kept:
        for part in document.data:
            if part not in _KEPT:
                reason = "loaded code sees metadata, spec, status and data only"
                yield NotModelled(document.at((part,)), str(found), part, "not modelled", reason)


def used_documents(manifests: Manifests, kept: Iterable[Kept]) -> Iterator[tuple[Document, Any]]:
    """What has to be kept on file to read these objects again, each with its data."""
    for document in manifests.others:
        if document.data["kind"] == DEFINITION:
            yield document, document.data
    written = {manifest.document.at() for manifest in manifests.objects}
    for found, document in kept:
        if document.at() in written:
            continue
        metadata = {**document.data.get("metadata", {})}
        metadata |= {"namespace": found.namespace} if found.namespace else {}
        yield document, {**document.data, "metadata": metadata}


# What is assumed


def custom_setting(custom: Custom) -> Iterator[str]:
    """The sentences about the loaded part."""
    if not (custom.controllers or custom.events or custom.predicates):
        return
    for controller in custom.controllers:
        reads = f", reads {', '.join(controller.reads)}" if controller.reads else ""
        yield (
            f"{controller.name}, loaded from {controller.code.file}: reconciles {controller.kind}"
            f"{reads}{_workers(controller)}; {_restarts(custom)}; {_caches(custom)}"
        )
    found = [str(o) for objects in custom.objects.values() for o in objects]
    yield f"custom objects at the start: {', '.join(found) or 'none'}"
    for event in custom.events:
        often = "once" if event.times == 1 else f"up to {event.times} times"
        yield f"event of the loaded file, at any time: {event.name} {often}"
    bounds = ", ".join(f"{most} of {kind}" for kind, most in custom.most.items())
    if bounds:
        yield f"bound: at most {bounds} at once"


def _workers(controller: Controller) -> str:
    return f", {controller.workers} objects at once" if controller.workers > 1 else ""


def _restarts(custom: Custom) -> str:
    match custom.restarts:
        case 0:
            return "it never restarts"
        case 1:
            return "it may restart once, at any point"
        case often:
            return f"it may restart up to {often} times, at any point"


def _caches(custom: Custom) -> str:
    if not custom.lag:
        return "its caches are current"
    caches = f"its caches lag by up to {_events(custom.lag)}"
    if not custom.restarts:
        return caches
    if not custom.lists:
        return f"{caches}; after a restart they are current"
    return f"{caches}; so may the lists that fill them after a restart, by {_events(custom.lists)}"


def _events(number: int) -> str:
    return f"{number} {'event' if number == 1 else 'events'}"
