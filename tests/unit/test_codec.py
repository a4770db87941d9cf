"""Codecs: what values are made of, as laws over random values of random types."""

from __future__ import annotations

from collections import namedtuple
from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import Any, NamedTuple, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.cluster.state import Group, NodeState, Phase, Sync
from kubelemma.model.codec import codec_of
from kubelemma.model.errors import ModelError


class Colour(StrEnum):
    """An enumeration of words."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    """An enumeration of numbers that are not dense."""

    LOW = 3
    HIGH = 10


class Flags(IntFlag):
    """Flags."""

    A = 1
    B = 2
    C = 8


class Rate(Enum):
    """An enumeration of what is no number here."""

    SLOW = 0.1
    FAST = 0.5


class Leaf(NamedTuple):
    """A structure."""

    colour: Colour
    levels: tuple[Level, ...]


class Tree(NamedTuple):
    """A structure of structures."""

    leaf: Leaf | None
    flags: Flags
    pair: tuple[int, bool]
    rate: Rate


Typed = tuple[Any, st.SearchStrategy[Any]]
"""A type, and its values."""

SIMPLE: list[Typed] = [
    (int, st.integers(-5, 1000)),
    (bool, st.booleans()),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (Flags, st.integers(0, 11).filter(lambda n: not n & 4).map(Flags)),
    (Rate, st.sampled_from(Rate)),
    (str, st.text(max_size=2)),
    (object, st.frozensets(st.integers(0, 3))),
]


def several(typed: Typed) -> Typed:
    """Any number of these."""
    return tuple[typed[0], ...], st.lists(typed[1], max_size=3).map(tuple)


def maybe(typed: Typed) -> Typed:
    """One of these, or none."""
    return Optional[typed[0]], st.none() | typed[1]  # noqa: UP045 - of a type that is drawn


def fixed(typed: list[Typed]) -> Typed:
    """One of each."""
    return tuple[tuple(kind for kind, _ in typed)], st.tuples(*(values for _, values in typed))  # type: ignore[misc]


def record(typed: list[Typed]) -> Typed:
    """A NamedTuple with a field for each."""
    fields = [(f"field_{i}", kind) for i, (kind, _) in enumerate(typed)]
    kind: Any = NamedTuple("Record", fields)  # type: ignore[misc]
    return kind, st.tuples(*(values for _, values in typed)).map(lambda values: kind(*values))


TYPES: st.SearchStrategy[Typed] = st.recursive(
    st.sampled_from(SIMPLE),
    lambda inner: st.one_of(
        inner.map(several),
        inner.filter(lambda typed: type(None) not in getattr(typed[0], "__args__", ())).map(maybe),
        st.lists(inner, max_size=3).map(fixed),
        st.lists(inner, min_size=1, max_size=3).map(record),
    ),
    max_leaves=5,
)


@given(st.data())
def test_decoding_undoes_encoding(data: st.DataObject) -> None:
    """Whatever type is declared: a value is the numbers that it is made of, and these are it."""
    kind, values = data.draw(TYPES)
    codec = codec_of("cell", kind)
    one, other = data.draw(values), data.draw(values)
    assert codec.decode(codec.encode(one)) == one
    assert (codec.encode(one) == codec.encode(other)) is (one == other)
    paths = [path for path, _ in codec.parts(one)]
    assert len(paths) == len(set(paths))
    assert codec.encode(one) == tuple(number for _, number in codec.parts(one))


def test_paths() -> None:
    """A path says where a number is; whether and how many there are is a number, too."""
    tree = Tree(Leaf(Colour.BLUE, (Level.LOW, Level.HIGH)), Flags.A | Flags.C, (7, True), Rate.FAST)
    codec = codec_of("tree", Tree)
    assert codec.opaque == ()
    assert dict(codec.parts(tree)) == {
        "leaf?": 1,
        "leaf.colour": 1,
        "len(leaf.levels)": 2,
        "leaf.levels[0]": 3,
        "leaf.levels[1]": 10,
        "flags": 9,
        "pair[0]": 7,
        "pair[1]": 1,
        "rate": 1,
    }
    assert codec.encode(tree._replace(leaf=None)) == (0, 9, 7, 1, 1)


def test_types_of_the_model() -> None:
    """Types whose annotations are text are read as well, and enumerations fit where numbers do."""
    node = NodeState(0, pods=(Group(1, Phase.READY, 2),))
    codec = codec_of("nodes", NodeState)
    parts = codec.parts(node)
    assert tuple(part for part in parts if part[0].startswith("pods[")) == (
        ("pods[0].pod_class", 1),
        ("pods[0].phase", 2),
        ("pods[0].size", 2),
        ("pods[0].marks", 0),
    )
    assert codec.decode(codec.encode(node)) == node


Bare = namedtuple("Bare", "a b")  # noqa: PYI024 - that is what it is about


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (object, ("",)),
        (str, ("",)),
        (int | str, ("",)),
        (tuple[str, ...], ("[*]",)),
        (tuple[int, str | None], ("[1]",)),
        (Bare, ("a", "b")),
        (tuple, ("",)),
        (dict[str, int], ("",)),
    ],
)
def test_what_cannot_be_taken_apart_is_said(kind: Any, paths: tuple[str, ...]) -> None:
    """It is no error, and one number."""
    assert codec_of("cell", kind).opaque == paths


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (int, "x", "it is 'x', where int is declared"),
        (bool, 1, "it is 1, where bool is declared"),
        (Level, 4, "it is 4, where Level is declared"),
        (Colour, "green", "it is 'green', where Colour is declared"),
        (Sync, (0, 0, None), r"it is \(0, 0, None\), where Sync is declared"),
        (Sync, Sync(0, None), "choosing is None, where int is declared"),  # type: ignore[arg-type]
        (tuple[int, bool], (1,), r"it is \(1,\), where a tuple of 2 is declared"),
        (tuple[Leaf, ...], (Leaf(Colour.RED, (1,)),), r"\[0\].levels\[0\] is 1, where Level"),  # type: ignore[arg-type]
        (int | None, "x", "it is 'x', where int is declared"),
    ],
)
def test_misfits_are_refused(kind: Any, value: Any, message: str) -> None:
    """The message names the cell, the value, the path and what was declared."""
    with pytest.raises(ModelError, match=f'^"cell" holds .*: {message}'):
        codec_of("cell", kind).encode(value)
