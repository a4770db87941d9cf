"""Kinds: each has one file that says all there is to say of it, and the registry lists them all."""

from __future__ import annotations

import pkgutil
import typing
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import msgspec
import pytest
import yaml
from drawn import DRAWN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubelemma.model import kinds, objects
from kubelemma.model.kinds import deployment
from kubelemma.model.kinds.kind import Kind
from kubelemma.model.kinds.notes import FieldsByType
from kubelemma.model.kinds.other import OTHER
from kubelemma.model.kinds.parts import left_out
from kubelemma.model.kinds.registry import KINDS, advise, kind_of, validate, with_defaults
from kubelemma.model.manifests import CHECK, PLACE, Source, load
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.meta import ApiObject
from kubelemma.model.objects.workloads import Deployment
from kubelemma.testing.strategies import typed

ABOUT_ALL = {"kind", "notes", "other", "registry", "api_versions", "carriers"}
"""Modules beside the kinds' own."""

EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
OBJECTS = st.one_of(*(typed(DRAWN[kind.name], kind.struct) for kind in KINDS))


def all_objects() -> Iterator[type]:
    """All types of ``model/objects`` that are kinds."""
    for found in pkgutil.iter_modules(objects.__path__, f"{objects.__name__}."):
        for thing in vars(import_module(found.name)).values():
            if isinstance(thing, type) and issubclass(thing, ApiObject) and thing is not ApiObject:
                yield thing


def structs(kind: Any) -> Iterator[type]:
    """All types that an object of this type is made of, itself among them."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from structs(field.type)
    for inner in typing.get_args(kind):
        yield from structs(inner)


REACHED = {kind.name: frozenset(structs(kind.struct)) for kind in KINDS}
USED = Counter(struct for reached in REACHED.values() for struct in reached)


def test_every_file_is_a_kind_and_is_listed() -> None:
    """A kind's file is called as the kind is, in small letters, and the registry has its KIND."""
    files = {found.name for found in pkgutil.iter_modules(kinds.__path__) if not found.ispkg}
    assert files - ABOUT_ALL == {kind.name.lower() for kind in KINDS}
    for kind in KINDS:
        assert import_module(f"{kinds.__name__}.{kind.name.lower()}").KIND is kind


def test_every_type_has_a_kind() -> None:
    """Whatever type of the API there is can be read, each as one kind."""
    assert set(all_objects()) == {kind.struct for kind in KINDS}
    assert max(Counter(kind.struct for kind in KINDS).values()) == 1


def test_no_kind_is_read_and_not_read() -> None:
    """The kinds that are not read are others, and each is listed once for an API version."""
    others = Counter((other.api_version, name) for other in OTHER for name in other.names)
    assert max(others.values()) == 1
    assert {kind.name for kind in KINDS} & {name for _, name in others} == set()


@EACH
def test_every_kind_is_read_for_something(kind: Kind[Any]) -> None:
    """A kind that nobody reads would be one of the others."""
    assert kind.name in CHECK.kinds or kind.name in PLACE.kinds


@EACH
@pytest.mark.parametrize("of", ["check", "placement"])
def test_a_kind_speaks_of_its_own_types(kind: Kind[Any], of: str) -> None:
    """A kind notes fields of types that only its objects are made of."""
    noted = set(getattr(kind, of).fields)
    assert noted <= REACHED[kind.name]
    assert {struct.__name__ for struct in noted if USED[struct] > 1} == set()


@pytest.mark.parametrize("fields", [left_out.CHECK, left_out.PLACEMENT], ids=["check", "placement"])
def test_shared_notes_are_on_what_is_shared(fields: FieldsByType) -> None:
    """What is noted for all is noted on types that objects of several kinds are made of."""
    assert {struct.__name__ for struct in fields if USED[struct] < 2} == set()


@EACH
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_example_is_read(kind: Kind[Any], data: st.DataObject) -> None:
    """An object in its API version is read for every purpose that reads its kind, as that kind."""
    manifest = data.draw(DRAWN[kind.name])
    text = yaml.safe_dump(manifest)
    for purpose in (CHECK, PLACE):
        read = load([Source("drawn.yaml", text)], purpose=purpose)
        modelled = kind.name in purpose.kinds
        assert [type(m.object) for m in read.objects] == [kind.struct] * modelled
        left = [n.reason for n in read.not_modelled if not n.path]
        note = purpose.left_out.get(kind.name)
        assert left == ([note.reason] if note else [])


@settings(suppress_health_check=list(HealthCheck))
@given(OBJECTS)
def test_defaults_are_idempotent(thing: ApiObject) -> None:
    """What the API server has stored, it would store again as it is."""
    stored = with_defaults(thing)
    assert with_defaults(stored) == stored
    assert bool(stored.metadata.namespace) == kind_of(thing).namespaced


@settings(suppress_health_check=list(HealthCheck))
@given(OBJECTS)
def test_what_is_stored_is_accepted(thing: ApiObject) -> None:
    """Defaults make nothing of a valid object that would be refused, or advised against."""
    stored = with_defaults(thing)
    assert list(validate(thing)) == list(validate(stored)) == []
    assert list(advise(stored)) == list(advise(thing))


@pytest.mark.parametrize(
    ("replicas", "max_surge", "max_unavailable", "more"),
    [(10, "25%", "25%", 3), (10, 0, 1, 0), (3, 0, 0, 0), (1, "1%", 0, 1)],
)
def test_a_surge_is_rounded_up(
    replicas: int, max_surge: int | str, max_unavailable: int | str, more: int
) -> None:
    """A share of the replicas that are asked for; with Recreate there is none."""
    bounds = {"maxSurge": max_surge, "maxUnavailable": max_unavailable}
    rolling = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": bounds}}}
    stamp = deployment.KIND.stamp
    assert stamp is not None
    assert stamp.surge is not None
    assert stamp.surge(decode(rolling, Deployment), replicas) == more
    recreate = with_defaults(decode({"spec": {"strategy": {"type": "Recreate"}}}, Deployment))
    assert stamp.surge(recreate, replicas) == 0
