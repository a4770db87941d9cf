"""ConfigMaps and Secrets: keys, sizes, and what of them is told."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.kinds import configmap, secret
from kubelemma.model.kinds.parts.configuration import MAX_SIZE, decoded, key_problem
from kubelemma.model.kinds.registry import with_defaults
from kubelemma.model.manifests import InvalidInput, Source, change_of, load
from kubelemma.model.objects.configuration import ConfigMap, Secret
from kubelemma.model.objects.decode import decode

GIVEN = {"ConfigMap": {"data": {"mode": "hush"}}, "Secret": {"stringData": {"mode": "hush"}}}


def manifest(kind: str, **fields: Any) -> str:
    """An object as it is written."""
    return yaml.safe_dump({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, **fields})


@given(st.text("abcXYZ019-_.", min_size=1, max_size=12))
def test_keys(text: str) -> None:
    """Letters, digits, "-", "_" and ".", but for names that mean a folder."""
    assert (key_problem(text) is None) == (text != "." and not text.startswith(".."))


@pytest.mark.parametrize("text", ["", "a b", "a/b", "ä", "a" * 254])
def test_no_keys(text: str) -> None:
    """Nothing else, and no more than 253 of them."""
    assert key_problem(text)


@given(st.binary(max_size=40))
def test_base64_is_read_as_it_is_written(value: bytes) -> None:
    """Line breaks in it do not count."""
    text = b64encode(value).decode()
    assert decoded(text) == decoded("\n".join(text)) == value


def test_the_size_is_that_of_all_values() -> None:
    """A mebibyte is allowed, of what the values stand for."""
    half = "x" * (MAX_SIZE // 2)
    fits = decode(
        {"data": {"a": half}, "binaryData": {"b": b64encode(half.encode()).decode()}}, ConfigMap
    )
    assert list(configmap.KIND.refused(fits)) == []
    more = decode({"data": {"a": half, "b": half, "c": "x"}}, ConfigMap)
    (found,) = configmap.KIND.refused(more)
    assert (
        found.message == f"Too long: may not be more than {MAX_SIZE} bytes, and is {MAX_SIZE + 1}"
    )


def test_text_is_stored_with_the_rest() -> None:
    """What stands under stringData goes before what stands under data."""
    given_as = {"data": {"a": "eA==", "b": "eQ=="}, "stringData": {"b": "z"}}
    stored = with_defaults(decode({"metadata": {"name": "a"}, **given_as}, Secret))
    assert stored.data == {"a": "eA==", "b": b64encode(b"z").decode()}
    assert (stored.string_data, stored.type) == (None, "Opaque")


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ({"immutable": True}, {"immutable": True, "data": {"a": "eA=="}}, ["data"]),
        ({"immutable": True}, {}, ["immutable"]),
        ({}, {"data": {"a": "eA=="}}, []),
        ({}, {"immutable": True}, []),
    ],
)
@pytest.mark.parametrize("kind", [configmap.KIND, secret.KIND], ids=["ConfigMap", "Secret"])
def test_what_is_immutable_stays(
    kind: Any, before: dict[str, Any], after: dict[str, Any], refused: list[str]
) -> None:
    """Its values, and that it is immutable."""
    old, new = (decode(fields, kind.struct) for fields in (before, after))
    changed = (("data", "a"),) if "data" in after else ()
    found = [finding.path[0] for finding in kind.refused_change(old, new, changed)]
    assert found == refused


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_values_are_told_to_nobody(kind: str) -> None:
    """What differs is named, and not what it was or is; and a value alone is no difference."""
    base, other, more = (
        load([Source("a.yaml", manifest(kind, **GIVEN[kind]).replace("hush", word))])
        for word in ("hush", "husher", "husher\n  more: hush")
    )
    assert change_of(base, other).applied == ()
    (applied,) = change_of(base, more).applied
    assert str(applied) == "data.mode changed, data.more added"


def test_the_type_of_a_secret_stays() -> None:
    """Nobody changes it."""
    base, new = (
        load([Source("a.yaml", manifest("Secret", type=name))])
        for name in ("Opaque", "example.com/a")
    )
    with pytest.raises(InvalidInput, match="field is immutable"):
        change_of(base, new)
