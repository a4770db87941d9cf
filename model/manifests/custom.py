"""Custom resources: their definitions, and whether objects fit them.

Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation and schema/defaulting.
OpenAPI 3.0 schemas are those of JSON Schema's fourth draft, but for what ``_as_json_schema``
translates. Validation rules in CEL (``x-kubernetes-validations``) are not evaluated.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kubelemma.model.findings import FieldPath, did_you_mean, not_one_of, show
from kubelemma.model.kinds.parts.names import dns_subdomain

from .documents import Document
from .problems import Problem
from .shapes import found

if TYPE_CHECKING:
    from jsonschema import ValidationError

DEFINITION = "CustomResourceDefinition"
_VERSION = "apiextensions.k8s.io/v1"
_METADATA = ("apiVersion", "kind", "metadata")
_OPEN = "x-kubernetes-preserve-unknown-fields"
_EITHER = "x-kubernetes-int-or-string"


class Definition(NamedTuple):
    """A CustomResourceDefinition; ``schemas`` has the OpenAPI schema of each version, by name."""

    group: str
    kind: str
    namespaced: bool
    schemas: Mapping[str, Mapping[str, Any]]
    document: Document


class Findings(NamedTuple):
    """What is wrong with custom resources, and what is only odd."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check_custom(documents: Iterable[Document]) -> Findings:
    """Hold all objects against the definitions that come with them."""
    given = tuple(documents)
    defined = [document for document in given if _is_definition(document)]
    problems = [problem for document in defined for problem in _malformed(document)]
    warnings: list[Problem] = []
    if not problems:
        for definition in map(definition_of, defined):
            problems += _bad_schemas(definition)
            instances = [document for document in given if belongs(document, definition)]
            if not problems:
                problems += [p for instance in instances for p in _misfits(instance, definition)]
                warnings += [p for instance in instances for p in _pruned(instance, definition)]
    return Findings(tuple(problems), tuple(warnings))


def definitions(documents: Iterable[Document]) -> tuple[Definition, ...]:
    """The definitions among documents that `check_custom` has found nothing wrong with."""
    return tuple(map(definition_of, filter(_is_definition, documents)))


def belongs(document: Document, definition: Definition) -> bool:
    """Whether a document is an object of the defined kind."""
    group = document.data["apiVersion"].rpartition("/")[0]
    return bool((group, document.data["kind"]) == (definition.group, definition.kind))


def with_schema_defaults(document: Document, definition: Definition | None) -> Any:
    """The data of an object with the defaults of its schema."""
    schema = definition and definition.schemas.get(_version(document))
    return _defaulted(document.data, schema) if schema else document.data


def _version(document: Document) -> str:
    return str(document.data["apiVersion"].rpartition("/")[2])


def _is_definition(document: Document) -> bool:
    data = document.data
    return bool(data["kind"] == DEFINITION and data["apiVersion"].startswith("apiextensions."))


# Definitions


_NEEDED: tuple[tuple[FieldPath, type, str], ...] = (
    (("spec", "group"), str, "a string"),
    (("spec", "names", "kind"), str, "a string"),
    (("spec", "versions"), list, "a list"),
)


def _malformed(document: Document) -> Iterator[Problem]:
    version = document.data["apiVersion"]
    if version != _VERSION:
        message = f'"{version}" has no {DEFINITION} any more: write {_VERSION}'
        yield Problem(document.at(("apiVersion",)), "apiVersion", message)
        return
    for path, kind, words in _NEEDED:
        value = document.value(path)
        if not isinstance(value, kind):
            what = "is required" if value is None else f"expected {words}, found {found(value)}"
            yield Problem(document.at(path), show(path), what)
    versions = document.value(("spec", "versions"))
    for index, version in enumerate(versions if isinstance(versions, list) else ()):
        path = ("spec", "versions", index)
        if not isinstance(version, dict) or not isinstance(version.get("name"), str):
            yield Problem(document.at((*path, "name")), show((*path, "name")), "is required")


def definition_of(document: Document) -> Definition:
    """What a well-formed document defines."""
    spec = document.data["spec"]
    schemas = {
        version["name"]: (version.get("schema") or {}).get("openAPIV3Schema") or {}
        for version in spec["versions"]
    }
    namespaced = spec.get("scope") != "Cluster"
    return Definition(spec["group"], spec["names"]["kind"], namespaced, schemas, document)


def _bad_schemas(definition: Definition) -> Iterator[Problem]:
    # Importing it takes longer than reading most manifests.
    from jsonschema import Draft4Validator  # noqa: PLC0415
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    for index, schema in enumerate(definition.schemas.values()):
        path: FieldPath = ("spec", "versions", index, "schema", "openAPIV3Schema")
        try:
            Draft4Validator.check_schema(_as_json_schema(schema))
        except SchemaError as error:
            where = (*path, *error.absolute_path)
            yield Problem(definition.document.at(where), show(where), error.message)


def _as_json_schema(schema: Any) -> Any:
    """The schema in the words of JSON Schema.

    Patterns that only RE2 understands are left out, and not checked.
    """
    if isinstance(schema, list):
        return [_as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {key: _as_json_schema(value) for key, value in schema.items()}
    if whole.get("required") == []:
        del whole["required"]
    if isinstance(whole.get("pattern"), str) and not _is_pattern(whole["pattern"]):
        del whole["pattern"]
    if schema.get(_EITHER) is True:
        whole["type"] = ["integer", "string"]
    if schema.get("nullable") is True and isinstance(whole.get("type"), str):
        whole["type"] = [whole["type"], "null"]
    return whole


def _is_pattern(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(text)
        except (re.error, FutureWarning, DeprecationWarning):
            return False
    return True


# Objects


def _misfits(document: Document, definition: Definition) -> Iterator[Problem]:
    from jsonschema import Draft4Validator  # noqa: PLC0415 - as above

    version = _version(document)
    if version not in definition.schemas:
        known = ", ".join(definition.schemas)
        message = f'"{version}" is no version of {definition.kind}: its definition has {known}'
        yield Problem(document.at(("apiVersion",)), "apiVersion", message)
        return
    yield from _bad_name(document)
    schema = _as_json_schema(definition.schemas[version])
    whole = with_schema_defaults(document, definition)
    errors = sorted(Draft4Validator(schema).iter_errors(whole), key=lambda e: [*map(str, e.path)])
    mistyped = [error.absolute_path for error in errors if error.validator == "type"]
    for error in errors:
        if error.validator == "type" or error.absolute_path not in mistyped:
            yield _problem(document, error)


def _bad_name(document: Document) -> Iterator[Problem]:
    name = document.value(("metadata", "name"))
    wrong = dns_subdomain(name) if isinstance(name, str) else "is required"
    if wrong:
        yield Problem(document.at(("metadata", "name")), "metadata.name", wrong)


_WORDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "object": "an object",
    "array": "a list",
}


def _problem(document: Document, error: ValidationError) -> Problem:
    path: FieldPath = tuple(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    message = error.message
    if error.validator == "required":
        missing = next(name for name in wanted if f"'{name}'" in message and name not in value)
        path, message = (*path, missing), "is required"
    elif error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        wanted = " or ".join(_WORDS.get(kind, kind) for kind in kinds)
        message = f"expected {wanted}, found {found(value, document.written(path))}"
    elif error.validator == "enum" and isinstance(value, str):
        message = not_one_of(value, tuple(map(str, wanted)))
    return Problem(document.at(path), show(path), message)


def _defaulted(value: Any, schema: Any) -> Any:
    if isinstance(value, dict) and isinstance(schema, dict):
        properties = schema.get("properties") or {}
        missing = {k: s["default"] for k, s in properties.items() if "default" in s}
        whole = {**missing, **value}
        rest = schema.get("additionalProperties")
        return {k: _defaulted(v, properties.get(k, rest)) for k, v in whole.items()}
    if isinstance(value, list) and isinstance(schema, dict):
        return [_defaulted(item, schema.get("items")) for item in value]
    return value


def _pruned(document: Document, definition: Definition) -> Iterator[Problem]:
    """Fields that the schema does not have: the API server drops them."""
    schema = definition.schemas.get(_version(document))
    own = {k: v for k, v in document.data.items() if k not in _METADATA}
    for path, known in _unknown(own, schema, ()):
        hint = did_you_mean(str(path[-1]), known)
        message = f"no field of {definition.kind}{hint}: the API server drops it"
        yield Problem(document.at(path), show(path), message)


def _unknown(
    value: Any, schema: Any, path: FieldPath
) -> Iterator[tuple[FieldPath, tuple[str, ...]]]:
    if not isinstance(schema, dict) or schema.get(_OPEN):
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, schema.get("items"), (*path, index))
    properties, rest = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, inner in value.items() if isinstance(value, dict) and (properties or path) else ():
        if key in properties or rest not in (None, False):
            yield from _unknown(inner, properties.get(key, rest), (*path, key))
        else:
            yield (*path, key), tuple(properties)
