"""Text to documents: data as Kubernetes reads it, and the line of every value."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.manifests import Position, read_path, show
from kubelemma.model.manifests.documents import parse
from kubelemma.model.manifests.scalars import read_plain

KEYS = st.from_regex(r"[a-z][a-zA-Z0-9./-]{0,12}", fullmatch=True)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def data(text: str) -> list[Any]:
    """The data of all documents of a text that has no problems."""
    parsed = parse("f.yaml", text)
    assert parsed.problems == ()
    return [document.data for document in parsed.documents]


@given(st.lists(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), max_size=3))
def test_yaml_is_read_back(documents: list[dict[str, Any]]) -> None:
    """What PyYAML writes, quoted and tagged, is read back unchanged, document by document."""
    assert data(yaml.safe_dump_all(documents, default_style='"')) == documents


@given(st.dictionaries(KEYS, VALUES, min_size=1), st.sampled_from((None, 2, "\t")))
def test_json_is_read_back(document: dict[str, Any], indent: int | str | None) -> None:
    """JSON is YAML, tabs included; characters are written as they are, as kubectl does."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    if any(0x7F <= ord(c) < 0xA0 or c in "\ufeff\u2028\u2029" for c in text):
        return
    assert data(text) == [document]


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """No text whatever makes the parser raise, and what has problems has positions."""
    parsed = parse("f.yaml", text)
    assert all(problem.position.line > 0 for problem in parsed.problems)


@given(st.text("{}[]&*!|>-?:, \n\t'\"#%@`<a1", max_size=40))
def test_any_punctuation(text: str) -> None:
    """Neither does anything that looks like YAML; what is no YAML holds no document."""
    parsed = parse("f.yaml", text)
    assert all(document.place.line > 0 for document in parsed.documents)
    assert all(problem.message for problem in parsed.problems)


@given(st.dictionaries(KEYS, VALUES, min_size=1))
def test_positions(document: dict[str, Any]) -> None:
    """In block style the position of a key is where the key is written."""
    text = yaml.safe_dump(document, default_style='"')
    lines = text.splitlines()
    (parsed,) = parse("f.yaml", text).documents
    for key in document:
        position = parsed.at((key,))
        assert lines[position.line - 1][position.column - 1 :].startswith(f'"{key}"')


@given(st.lists(KEYS.filter(lambda key: "/" in key or key.isalnum()) | st.integers(0, 99)))
def test_paths_are_read_back(path: list[str | int]) -> None:
    """A path is read back from its text."""
    assert read_path(show(tuple(path))) == tuple(path)


def test_paths_that_are_none() -> None:
    """A text that is no path is refused."""
    with pytest.raises(ValueError, match=r'"spec\.\.x" is not a field path'):
        read_path("spec..x")


TEXT = """\
# a comment
kind: A
spec:
  template:
    containers: [{name: a}, {name: b}]
    labels:
      app.kubernetes.io/name: web
  empty:
---
kind: B
items:
- name: c
-
  name: d
"""


@pytest.mark.parametrize(
    ("document", "path", "line", "column"),
    [
        (0, "", 2, 1),
        (0, "kind", 2, 1),
        (0, "spec.template.containers[1].name", 5, 30),
        (0, "spec.template.labels[app.kubernetes.io/name]", 7, 7),
        (0, "spec.empty", 8, 3),
        (0, "spec.template.absent.deeper", 4, 3),
        (0, "spec.template.containers[7]", 5, 5),
        (1, "items[1]", 14, 3),
        (1, "items[1].name", 14, 3),
    ],
)
def test_lines_and_columns(document: int, path: str, line: int, column: int) -> None:
    """A field is found where it is written, an absent one at what would hold it."""
    parsed = parse("f.yaml", TEXT).documents[document]
    assert parsed.at(path) == Position("f.yaml", line, column)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("On", True),
        ("y", True),
        ("n", False),
        ("OFF", False),
        ("yess", "yess"),
        ("~", None),
        ("", None),
        ("0755", 0o755),
        ("0o755", 0o755),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("08", 8),
        ("1e3", 1000),
        ("3.0", 3),
        ("2.5", 2.5),
        ("-.5", -0.5),
        ("1:30", "1:30"),
        ("2001-01-01", "2001-01-01"),
        ("1.2.3", "1.2.3"),
        ("100m", "100m"),
        ("1e999", "1e999"),
        ("9" * 500, "9" * 500),
    ],
)
def test_plain_scalars(text: str, value: object) -> None:
    """Unquoted scalars mean what go-yaml takes them for, not what YAML 1.2 says."""
    read = read_plain(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ('a: "yes"', {"a": "yes"}),
        ("a: !!str 5", {"a": "5"}),
        ('a: !!int "5"', {"a": 5}),
        ("on: 1\n2: b\n1.5: c", {"true": 1, "2": "b", "1.5": "c"}),
        ("a: &x {k: 1}\nb: *x", {"a": {"k": 1}, "b": {"k": 1}}),
        ("a: &x {k: 1, j: 1}\nb: {<<: *x, k: 2}", {"a": {"k": 1, "j": 1}, "b": {"k": 2, "j": 1}}),
        ("a: &x {k: 1}\nb: &y {k: 2, j: 2}\nc: {<<: [*x, *y]}", {"k": 1, "j": 2}),
        ("%YAML 1.1\n---\na: 1\n...\n", {"a": 1}),
        ("a: |\n  --- no document\n  b\n", {"a": "--- no document\nb\n"}),
    ],
)
def test_yaml_features(text: str, document: dict[str, Any]) -> None:
    """Tags, keys of any kind, anchors and merges are read as Kubernetes reads them."""
    (read,) = data(text)
    assert read.get("c", read) == document


def test_merged_fields_stand_at_their_anchor() -> None:
    """A merged field is found where its value is written."""
    (document,) = parse("f.yaml", "a: &x\n  k: 1\nb:\n  <<: *x\n").documents
    assert document.at("b.k").line == 2


def test_empty_documents_are_none() -> None:
    """Comments, directives and separators alone are no documents."""
    assert data("---\n# nothing\n---\n---\n\na: 1\n---\n~\n---\n...\n") == [{"a": 1}]


def test_carriage_returns() -> None:
    """Lines may end as on Windows."""
    (document,) = parse("f.yaml", "---\r\na: 1\r\n---\r\nb: 2\r\n").documents[1:]
    assert (document.data, document.at("b").line) == ({"b": 2}, 4)
