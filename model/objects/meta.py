"""Metadata and selectors, shared by all kinds.

Every class here and beside it mirrors the JSON shape of the Kubernetes API (camelCase names on the
wire), keeps only the fields that some rule reads, and is frozen. ``msgspec`` decodes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class ApiStruct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of all API shapes: frozen, keyword-only, camelCase on the wire."""


class OwnerReference(ApiStruct, frozen=True, kw_only=True):
    """Who owns an object; ``controller`` marks the managing owner."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class ObjectMeta(ApiStruct, frozen=True, kw_only=True):
    """The metadata that rules read. Times are RFC 3339 strings as in the API."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: tuple[OwnerReference, ...] | None = None
    finalizers: tuple[str, ...] | None = None

    def label_map(self) -> Mapping[str, str]:
        """The labels; an empty mapping where none are given."""
        return self.labels or {}

    def annotation_map(self) -> Mapping[str, str]:
        """The annotations; an empty mapping where none are given."""
        return self.annotations or {}


class LabelSelectorRequirement(ApiStruct, frozen=True, kw_only=True):
    """One expression of a label selector."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy this expression (NotIn also holds where the key is absent)."""
        present = self.key in labels
        if self.operator == "Exists":
            return present
        if self.operator == "DoesNotExist":
            return not present
        inside = present and labels[self.key] in (self.values or ())
        return inside if self.operator == "In" else not inside


class LabelSelector(ApiStruct, frozen=True, kw_only=True):
    """``matchLabels`` and ``matchExpressions``, all of which must hold; empty matches everything.

    An absent selector (None where one is optional) matches nothing: that is the caller's to know.
    """

    match_labels: Mapping[str, str] | None = None
    match_expressions: tuple[LabelSelectorRequirement, ...] | None = None

    def is_empty(self) -> bool:
        """Whether no requirement is given."""
        return not self.match_labels and not self.match_expressions

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy every requirement."""
        wanted = self.match_labels or {}
        return all(labels.get(k) == v for k, v in wanted.items()) and all(
            e.matches(labels) for e in self.match_expressions or ()
        )


class ApiObject(ApiStruct, frozen=True, kw_only=True):
    """Base of the kinds: whatever has a name of its own in the API."""

    metadata: ObjectMeta = ObjectMeta()
