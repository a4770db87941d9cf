"""Documents to typed objects, with everything that is wrong with any of them."""

from __future__ import annotations

import posixpath
import types
from collections.abc import Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from kubelemma.model.findings import FieldPath, Finding, nearest, show, template_hint
from kubelemma.model.kinds.api_versions import api_version_problem, is_custom, kind_problem
from kubelemma.model.kinds.carriers import carried
from kubelemma.model.kinds.kind import Kind
from kubelemma.model.kinds.parts.metadata import DEFAULT_NAMESPACE
from kubelemma.model.kinds.registry import CLUSTER_SCOPED
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ApiObject, ObjectMeta

from .check import Check, validate_check, with_bare_events
from .coverage import NotModelled, left_out, shown
from .custom import check_custom
from .documents import Document, name_of
from .naming import is_made_up, named, said_of
from .own import CHECK_KIND, CHECK_VERSION, OWN
from .problems import Problem
from .purposes import CHECK, Purpose
from .shapes import Reading, Shape, found, mismatches, shape_of, without_nulls

ObjectT = TypeVar("ObjectT")
_ENVELOPE = ("apiVersion", "kind")
_SUPPRESSIONS = "Suppressions"
_SELECTORS = {"matchLabels", "matchExpressions"}


class Manifest(NamedTuple, Generic[ObjectT]):
    """An object of a modelled kind, and where it is written.

    Attributes:
        object: with the API server's defaults, its namespace among them.
        written: without them, to tell what the user said from what was added.
        document: gives the position of any field: ``document.at("spec.replicas")``.
    """

    object: ObjectT
    written: ObjectT
    document: Document


class CheckManifest(NamedTuple):
    """A scenario, and where it is written."""

    check: Check
    document: Document

    def resources(self) -> tuple[str, ...]:
        """The paths of ``spec.resources``, seen from where the document's own path is seen from."""
        folder = posixpath.dirname(self.document.file)
        return tuple(posixpath.join(folder, path) for path in self.check.spec.resources)


class Manifests(NamedTuple):
    """Everything that was read, in reading order.

    ``others`` are the objects of kinds that are not modelled, each of which ``not_modelled`` has.
    """

    objects: tuple[Manifest[ApiObject], ...] = ()
    checks: tuple[CheckManifest, ...] = ()
    not_modelled: tuple[NotModelled, ...] = ()
    warnings: tuple[Problem, ...] = ()
    others: tuple[Document, ...] = ()

    def beside(self, other: Manifests) -> Manifests:
        """What is in either, this one first."""
        return Manifests(
            objects=(*self.objects, *other.objects),
            checks=(*self.checks, *other.checks),
            not_modelled=(*self.not_modelled, *other.not_modelled),
            warnings=(*self.warnings, *other.warnings),
            others=(*self.others, *other.others),
        )

    def in_namespace(self, namespace: str) -> Manifests:
        """The same with the objects that name no namespace put into this one, unless it is empty.

        Objects of kinds that live outside namespaces stay there.
        """
        if not namespace:
            return self
        return self._replace(objects=tuple(_moved(m, namespace) for m in self.objects))

    def of(self, kind: type[ObjectT]) -> tuple[Manifest[ObjectT], ...]:
        """The objects of one kind, such as ``Node``."""
        return tuple(
            Manifest(m.object, m.written, m.document)
            for m in self.objects
            if isinstance(m.object, kind) and isinstance(m.written, kind)
        )


def _moved(manifest: Manifest[ApiObject], namespace: str) -> Manifest[ApiObject]:
    stored = manifest.object
    if not stored.metadata.namespace or manifest.written.metadata.namespace:
        return manifest
    metadata = msgspec.structs.replace(stored.metadata, namespace=namespace)
    return manifest._replace(object=msgspec.structs.replace(stored, metadata=metadata))


class _Warned(NamedTuple):
    problem: Problem


class _Other(NamedTuple):
    document: Document


_Item = Manifest[Any] | CheckManifest | NotModelled | Problem | _Warned | _Other


def interpret(
    documents: Iterable[Document], purpose: Purpose = CHECK
) -> tuple[Manifests, tuple[Problem, ...]]:
    """Read documents of any kind; the first part is complete where the second is empty."""
    items = [item for document in documents for item in _document(document, purpose)]
    objects = tuple(_apart(item for item in items if isinstance(item, Manifest)))
    checks = tuple(item for item in items if isinstance(item, CheckManifest))
    others = tuple(item.document for item in items if isinstance(item, _Other))
    custom = check_custom(others)
    warned = [item.problem for item in items if isinstance(item, _Warned)]
    warned += [said_of(m.object, m.document) for m in objects if is_made_up(m.object, m.written)]
    manifests = Manifests(
        objects,
        checks,
        tuple(item for item in items if isinstance(item, NotModelled)),
        (*warned, *custom.warnings),
        others,
    )
    problems = (item for item in items if isinstance(item, Problem))
    return manifests, (*problems, *custom.problems)


def _apart(objects: Iterable[Manifest[Any]]) -> Iterator[Manifest[Any]]:
    """The objects with names that were made up told apart where these are the same by chance.

    Or because the same is written twice: then two are created.
    """
    taken: dict[tuple[str, str], set[str]] = {}
    for manifest in objects:
        thing = manifest.object
        if is_made_up(thing, manifest.written):
            known = taken.setdefault((type(thing).__name__, thing.metadata.namespace), set())
            free = named(manifest.written, manifest.document, known).metadata.name
            known.add(free)
            metadata = msgspec.structs.replace(thing.metadata, name=free)
            yield manifest._replace(object=msgspec.structs.replace(thing, metadata=metadata))
        else:
            yield manifest


def name_in_messages(data: dict[str, Any], metadata: ObjectMeta) -> str:
    """What an object is called in messages: ``Pod default/web``, ``Node node-1``."""
    kind, namespace = data["kind"], metadata.namespace
    return f"{kind} {namespace}/{metadata.name}" if namespace else f"{kind} {metadata.name}"


def _document(document: Document, purpose: Purpose) -> Iterator[_Item]:
    data = document.data
    if not isinstance(data, dict):
        hint = " (a JSON patch of Kustomize?)" if isinstance(data, list) else template_hint(data)
        yield Problem(document.at(), "", f"expected an object, found {found(data)}{hint}")
        return
    missing = tuple(_envelope_problems(document, data))
    if missing:
        yield from missing
    elif data["kind"].endswith("List") and isinstance(data.get("items", ""), list | types.NoneType):
        if not data["items"]:
            yield Problem(document.at(("items",)), "items", "an empty list: nothing to check")
        for item in _items(document, data):
            yield from _document(item, purpose)
    else:
        yield from _of_kind(document, purpose, data["apiVersion"], data["kind"])


def _envelope_problems(document: Document, data: dict[str, Any]) -> Iterator[Problem]:
    absent = [key for key in _ENVELOPE if data.get(key) in (None, "")]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        message = f"{' and '.join(absent)} {verb} missing{_envelope_hint(document.file, data)}"
        yield Problem(document.at(), "", message)
    for key in _ENVELOPE:
        if key not in absent and not isinstance(data[key], str):
            message = f"expected a string, found {found(data[key], document.written((key,)))}"
            yield Problem(document.at((key,)), key, message)


def _envelope_hint(file: str, data: dict[str, Any]) -> str:
    """Why a document may lack its kind: it may not be meant for the API server at all."""
    name = posixpath.basename(file)
    others = data.keys() - _ENVELOPE
    near = next((nearest(key, others) for key in _ENVELOPE if key not in data), None)
    if near is not None:
        return f' (is "{near}" a misspelling?)'
    if name.startswith("values"):
        return " (a Helm values file? render the chart first: helm template)"
    if name in ("Chart.yaml", "Chart.yml") or {"version", "appVersion"} & data.keys():
        return " (the description of a Helm chart? render the chart first: helm template)"
    if "services" in data:
        return " (a Docker Compose file?)"
    both_missing = not data.keys() & set(_ENVELOPE)
    return " (a Helm values file, or a Kustomize patch?)" if both_missing else ""


def _items(document: Document, data: dict[str, Any]) -> Iterator[Document]:
    """The objects of a list; those of a typed list may leave out what the list says already."""
    places = document.deepest(("items",)).children
    envelope = {}
    if data["kind"] != "List":
        envelope = {"apiVersion": data["apiVersion"], "kind": data["kind"].removesuffix("List")}
    for index, item in enumerate(data["items"] or ()):
        whole = {**envelope, **item} if isinstance(item, dict) else item
        place = places.get(index, document.place)
        named = name_of(whole) if document.object else ""
        yield document._replace(data=whole, place=place, object=named, origin=None)


def _of_kind(document: Document, purpose: Purpose, api_version: str, kind: str) -> Iterator[_Item]:
    group = api_version.partition("/")[0]
    ours = group == CHECK_VERSION.partition("/")[0]
    meant = kind == CHECK_KIND and group.startswith("kubelemma")
    if meant or (ours and kind not in OWN):
        yield from _check(document, api_version, kind)
    elif group == "kustomize.config.k8s.io":
        message = f"a {kind} is no API object: pass the directory that holds it, not the file"
        yield Problem(document.at(("kind",)), "kind", message)
    elif (wrong := api_version_problem(api_version, kind, purpose.kinds)) is not None:
        yield Problem(document.at(("apiVersion",)), "apiVersion", wrong)
    elif (wrong := kind_problem(api_version, kind)) is not None:
        yield Problem(document.at(("kind",)), "kind", wrong + template_hint(kind))
    elif kind not in purpose.kinds or is_custom(api_version):
        yield from _left_out_whole(document, purpose, api_version, kind)
    elif kind in purpose.left_out:
        yield from _left_out_whole(document, purpose, api_version, kind)
        yield from _read(document, purpose.kinds[kind], None)
    else:
        yield from _read(document, purpose.kinds[kind], purpose)


def _left_out_whole(
    document: Document, purpose: Purpose, api_version: str, kind: str
) -> Iterator[_Item]:
    raw = document.data.get("metadata")
    metadata = raw if isinstance(raw, dict) else {}
    name, namespace = metadata.get("name") or "", metadata.get("namespace") or ""
    custom = is_custom(api_version)
    if not namespace and kind not in CLUSTER_SCOPED and not custom:
        namespace = DEFAULT_NAMESPACE
    said = OWN if api_version == CHECK_VERSION else {} if custom else purpose.left_out
    note = said[kind] if kind in said else carried(document.data)
    label = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
    label = label if name else kind
    yield NotModelled(document.at(), label, "", *note)
    yield _Other(document)


def _read(document: Document, kind: Kind[ApiObject], purpose: Purpose | None) -> Iterator[_Item]:
    """The object, or what is wrong with it.

    Where it is read for no purpose but to be shown, nothing is said of fields that are left out.
    """
    shape = shape_of(kind.struct)
    decoded = _decoded(document.data, shape, Reading(document.written))
    own = named(decoded.value, document)
    findings = [*decoded.findings, *_unrelated(kind.validate(own), decoded.findings)]
    yield from (_problem(document, finding) for finding in findings)
    if findings:
        return
    stored = kind.with_defaults(own)
    name = name_in_messages(document.data, stored.metadata)
    yield Manifest(stored, decoded.value, document)
    for field in left_out(document.data, shape, purpose.fields) if purpose else ():
        yield shown(field, document.at(field.path), name)
    for finding in kind.advice(decoded.value):
        yield _Warned(_problem(document, finding))


def _check(document: Document, api_version: str, kind: str) -> Iterator[_Item]:
    if api_version != CHECK_VERSION:
        message = f'"{api_version}" is not known: write {CHECK_VERSION}'
        yield Problem(document.at(("apiVersion",)), "apiVersion", message)
        return
    if kind != CHECK_KIND:
        message = f'"{kind}" is no kind of {CHECK_VERSION}: the only one is {CHECK_KIND}'
        if kind == _SUPPRESSIONS:
            message = f"{kind} are not read among manifests: give the file with --suppressions"
        yield Problem(document.at(("kind",)), "kind", message)
        return
    own = {k: v for k, v in document.data.items() if k not in _ENVELOPE}
    reading = Reading(document.written, closed=True)
    decoded = _decoded(with_bare_events(own), shape_of(Check), reading)
    findings = [*decoded.findings, *_unrelated(validate_check(decoded.value), decoded.findings)]
    yield from (_problem(document, finding) for finding in findings)
    if not findings:
        yield CheckManifest(decoded.value, document)


class _Decoded(NamedTuple):
    """The typed value of what fits, and findings about what does not."""

    value: Any
    findings: tuple[Finding, ...]


def _decoded(raw: Any, shape: Shape, reading: Reading) -> _Decoded:
    if not reading.closed and (value := _at_once(raw, shape)) is not None:
        return _Decoded(value, ())
    rest = without_nulls(raw, shape)
    findings = tuple(mismatches(rest, shape, reading))
    bad = [finding.path for finding in findings]
    while bad:
        for path in bad:
            rest = _without(rest, path)
        bad = [finding.path[:-1] for finding in mismatches(rest, shape)]
    return _Decoded(decode(rest, shape.type), findings)


def _at_once(raw: Any, shape: Shape) -> Any:
    """The typed value of faultless data; None where something does not fit, be it a null only."""
    try:
        return decode(raw, shape.type)
    except msgspec.ValidationError:
        return None


def _without(raw: Any, path: FieldPath) -> Any:
    """The data without one value; where that is an item of a list, without the whole list.

    So no index of what is left is shifted, and no finding about it points to the wrong item.
    """
    if not path:
        return None
    key, rest = path[0], path[1:]
    if isinstance(raw, list) and isinstance(key, int):
        inner = _without(raw[key], rest)
        return None if inner is None else [*raw[:key], inner, *raw[key + 1 :]]
    inner = _without(raw[key], rest) if key in raw else None
    kept = {k: v for k, v in raw.items() if k != key}
    return kept if inner is None else {**kept, key: inner}


def _unrelated(findings: Iterable[Finding], known: Iterable[Finding]) -> Iterator[Finding]:
    """Those that cannot come from a value that is known to be wrong and was left out."""
    paths = [finding.path for finding in known]
    for finding in findings:
        if not any(_touches(finding.path, path) for path in paths):
            yield finding


def _touches(one: FieldPath, other: FieldPath) -> bool:
    """Whether one path holds the other, or both are fields of the same item of a list.

    The fields of an item hang together: a toleration needs a key, or not, as its operator says.
    """
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return True
    return one[:-1] == other[:-1] and len(one) > 1 and isinstance(one[-2], int)


def _problem(document: Document, finding: Finding) -> Problem:
    message = finding.message
    if message.startswith(("is required", "is empty")):
        message += _hint(document, finding)
    elif message.startswith("has neither"):
        message += _misspelt(document.value(finding.path), message)
    return Problem(document.at(finding.path), show(finding.path), message)


def _misspelt(fields: Any, message: str) -> str:
    """Which of an object's fields may be one of those that the message misses."""
    missed = message.partition(":")[0].split()
    others = (field for field in fields or () if field not in missed)
    near = next((field for field in others if nearest(field, missed)), None)
    return f' (is "{near}" a misspelling?)' if near is not None else ""


def _hint(document: Document, finding: Finding) -> str:
    """Why a field that is there in the user's eyes may be missing in ours."""
    *above, field = finding.path
    siblings = document.value(tuple(above))
    if not isinstance(siblings, dict) or not isinstance(field, str):
        return ""
    if field in siblings:
        inside = siblings[field]
        if isinstance(inside, dict) and field == "selector" and not inside.keys() & _SELECTORS:
            return f" (write matchLabels: above {', '.join(inside)})" if inside else ""
        return " (nothing follows its colon)" if inside is None else ""
    near = nearest(field, siblings)
    return f' (is "{near}" a misspelling?)' if near is not None else ""
