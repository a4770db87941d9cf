"""Of every field of every kind that is read: somebody looks at it, or it is listed."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from kubelemma.model.components.registry import ANNOTATIONS
from kubelemma.model.kinds.parts import left_out
from kubelemma.model.kinds.registry import KINDS
from kubelemma.model.manifests.coverage import left_out as found
from kubelemma.model.manifests.purposes import CHECK, PLACE, Purpose
from kubelemma.model.manifests.shapes import shape_of
from kubelemma.model.objects.meta import ApiObject
from kubelemma.model.objects.storage import SOURCES, PersistentVolumeSpec

ROOT = Path(__file__).resolve().parents[2]
DECIDING = ("model/components", "model/cluster", "model/scenario", "model/objects")
"""Where a check decides. What fills in defaults, or refuses a value, does not count."""
PLACING = (*DECIDING, "src/kubelemma/placing", "solver/placement")
STAMPS = ("model/kinds",)
"""What controllers of a placement want is part of their kinds."""


def tool() -> ModuleType:
    """The program that writes the page."""
    path = ROOT / "tools" / "fields_page.py"
    spec = importlib.util.spec_from_file_location("tools_fields_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date() -> None:
    """The table in the docs says what the code does; make pages writes it."""
    page = (ROOT / "docs" / "fields.md").read_text("utf-8")
    assert tool().page() == page


@cache
def looked_at(folders: tuple[str, ...]) -> frozenset[str]:
    """The names of all attributes that some code looks at."""
    return frozenset(
        node.attr
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
    )


def fields(purpose: Purpose) -> Iterator[tuple[type[Any], str, str]]:
    """All fields that are said to be read: their types, and names in manifests and in code."""
    seen: set[type[Any]] = set()
    rest = [shape_of(k.struct) for name, k in purpose.kinds.items() if name not in purpose.left_out]
    while rest:
        shape = rest.pop()
        if shape.item is not None:
            rest.append(shape.item)
        if shape.form != "struct" or shape.type in seen:
            continue
        seen.add(shape.type)
        notes = purpose.fields.get(shape.type, {})
        for field in msgspec.structs.fields(shape.type):
            if field.encode_name not in notes:
                yield shape.type, field.encode_name, field.name
                rest.append(shape.fields[field.encode_name])


_SPEC = PersistentVolumeSpec
UNREAD: dict[tuple[str, str], str] = {
    ("PersistentVolumeSpec", wire): "sources are looked at by the list of them: storage.SOURCES"
    for name, wire in zip(_SPEC.__struct_fields__, _SPEC.__struct_encode_fields__, strict=True)
    if name in SOURCES
}
"""Fields that nobody looks at though nothing is said of them, and why that is right."""


@pytest.mark.parametrize(
    ("purpose", "folders"), [(CHECK, DECIDING), (PLACE, PLACING)], ids=["check", "place"]
)
def test_every_field_is_read_or_listed(purpose: Purpose, folders: tuple[str, ...]) -> None:
    """Nothing that somebody writes is passed over in silence."""
    names = looked_at((*folders, *STAMPS))
    silent = {
        (struct.__name__, name)
        for struct, name, attribute in fields(purpose)
        if attribute not in names
    }
    assert silent == {key for key in UNREAD if key in silent}


def test_every_annotation_that_is_read_is_no_remark() -> None:
    """What a component reads of annotations is not said to have no effect."""
    assert set(left_out.ANNOTATIONS) >= ANNOTATIONS


@pytest.mark.parametrize(
    ("kind", "field", "listed"),
    [
        ("Pod", {"deletionTimestamp": "2026-01-01T00:00:00Z"}, False),
        ("Node", {"deletionTimestamp": "2026-01-01T00:00:00Z"}, True),
        ("Pod", {"deletionGracePeriodSeconds": 30}, True),
        ("Pod", {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "1"}}, False),
        ("Pod", {"annotations": {"example.com/a": "1"}}, True),
        ("Node", {"uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}, False),
    ],
)
def test_metadata_that_counts(kind: str, field: dict[str, Any], *, listed: bool) -> None:
    """Of a pod its deletion is read, and of annotations some are."""
    raw = {"metadata": {"name": "a", **field}}
    shape = shape_of(CHECK.kinds[kind].struct)
    assert bool(list(found(raw, shape, CHECK.fields))) == listed


def test_every_kind_is_read_or_listed() -> None:
    """A kind that is read and not modelled says so."""
    for kind in KINDS:
        for use in (kind.check, kind.placement):
            assert use.left_out is None or use.left_out.reason
        assert issubclass(kind.struct, ApiObject)
